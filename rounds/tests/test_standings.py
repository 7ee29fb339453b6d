"""Standings against a model that does it the slow and obvious way, for both orders, with ties and missing scores."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import GameUser
from rounds import queries
from rounds.models import Contest, Round
from rounds.standings import UNSCORED, InvalidScore, Result, clean_score, final_order, standing_of

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

SCORES = st.one_of(
    st.none(),
    # Few values: most scores are shared by several rows.
    st.integers(-2, 2).map(Decimal),
    st.decimals(min_value=-1_000, max_value=1_000, places=18),
)
ROWS = st.lists(st.tuples(SCORES, st.integers(0, 3), st.one_of(st.none(), st.integers(0, 6))), min_size=1, max_size=30)
WINDOWS = st.tuples(st.integers(0, 8), st.integers(0, 4))
ORDERS = st.sampled_from(["desc", "asc"])


def is_ahead(one, other, *, order):
    """Whether a scored row is better than another: the rule in words."""
    (score, moment, row_id), (other_score, other_moment, other_id) = one, other
    if score != other_score:
        return score > other_score if order == "desc" else score < other_score
    return (moment, row_id) < (other_moment, other_id)


def naive_rankings(rows, *, order):
    """``(id, place)`` in the order of the rankings; ``rows`` are (id, score, moment, supplied place)."""
    places = {}
    for row_id, score, moment, supplied in rows:
        if supplied is not None:
            places[row_id] = supplied
        elif score is None:
            places[row_id] = None
        else:
            own = (score, moment, row_id)
            rivals = [(s, m, r) for r, s, m, _ in rows if s is not None]
            places[row_id] = 1 + sum(is_ahead(rival, own, order=order) for rival in rivals)

    def key(row):
        row_id, score, moment, _ = row
        sign = -1 if order == "desc" else 1
        place = places[row_id]
        return (place is None, place or 0, score is None, sign * (score or 0), moment, row_id)

    return [(row[0], places[row[0]]) for row in sorted(rows, key=key)]


def naive_window(ranked, round_id, *, top, around):
    position = [row_id for row_id, _ in ranked].index(round_id)
    return [row for n, row in enumerate(ranked) if n < top or abs(n - position) <= around]


@pytest.fixture
def fill(arcade):
    """``fill(rows, order)``: a contest of those rows; answers it with what the model needs of each row."""
    player = GameUser.objects.create(game=arcade.game, username="many", created_at=NOON)

    def make(rows, order):
        contest = Contest.objects.create(
            game=arcade.game,
            multiplayer_id=1 + Contest.objects.count(),
            controller="api",
            score_order=order,
            created_at=NOON,
            rounds_count=len(rows),
        )
        made = Round.objects.bulk_create(
            Round(
                game=arcade.game,
                game_user=player,
                contest=contest,
                game_type="duel",
                start_time=NOON,
                score=score,
                standing=standing_of(score, order=order),
                submitted_at=NOON + timedelta(microseconds=moment),
                place=place,
                created_at=NOON,
                updated_at=NOON,
            )
            for score, moment, place in rows
        )
        return contest, [(row.pk, row.score, row.submitted_at, row.place) for row in made]

    return make


def rankings(contest, round_id, *, top, around):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT round_id, place FROM contest_rankings(%s, %s, %s, %s) ORDER BY position",
            [contest.pk, round_id, top, around],
        )
        return cursor.fetchall()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS, order=ORDERS, with_places=st.booleans(), top=st.integers(0, 8), around=st.integers(0, 4), data=st.data()
)
def test_rankings_and_places_are_those_of_the_model(fill, rows, order, with_places, top, around, data):
    rows = rows if with_places else [(score, moment, None) for score, moment, _ in rows]
    contest, made = fill(rows, order)
    round_id = data.draw(st.sampled_from([row[0] for row in made]))

    ranked = naive_rankings(made, order=order)

    assert rankings(contest, round_id, top=1_000, around=0) == ranked
    assert rankings(contest, round_id, top=top, around=around) == naive_window(ranked, round_id, top=top, around=around)
    places = {row["id"]: row["effective_place"] for row in queries.round_rows(contest.rounds.all())}
    assert places == dict(ranked)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, order=ORDERS)
def test_the_final_order_is_that_of_the_model(rows, order):
    results = [
        Result(round_id=n, game_user_id=n, user_id=n, score=score, submitted_at=NOON + timedelta(microseconds=moment))
        for n, (score, moment, _) in enumerate(rows, start=1)
    ]
    # Tickets that turn the order of ids round.
    tickets = {result.round_id: f"{1_000 - result.round_id:04}" for result in results}

    standings = final_order(results, order=order, tickets=tickets)

    scored = [result for result in results if result.score is not None]
    for standing in standings:
        if standing.score is None:
            ahead = len(scored) + sum(
                tickets[r.round_id] < tickets[standing.round_id] for r in results if r.score is None
            )
        else:
            own = (standing.score, standing.submitted_at, tickets[standing.round_id])
            ahead = sum(is_ahead((r.score, r.submitted_at, tickets[r.round_id]), own, order=order) for r in scored)
        assert standing.rank == ahead + 1
    assert [standing.rank for standing in standings] == list(range(1, len(rows) + 1))


def test_a_contest_of_100_000_tells_a_rank_without_reading_it(fill, arcade):
    contest, made = fill([(Decimal(7), 0, None)], "desc")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rounds_round (game_id, game_user_id, contest_id, authoritative, game_type, start_time, score,"
            " standing, submitted_at, created_at, updated_at)"
            " SELECT game_id, game_user_id, contest_id, false, 'duel', start_time, n, -n, submitted_at, created_at,"
            " updated_at FROM rounds_round, generate_series(8, 100006) n WHERE id = %s",
            [made[0][0]],
        )
        cursor.execute("ANALYZE rounds_round")
        worst = made[0][0]
        rows = rankings(contest, worst, top=100, around=5)
        best = Round.objects.get(score=100_006)

        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM rounds_round r WHERE r.contest_id = %s"
            " AND (r.standing, r.submitted_at, r.id) < (%s, %s, %s)",
            [contest.pk, best.standing + 10, best.submitted_at, 0],
        )
        counted = cursor.fetchone()[0][0]["Plan"]["Plans"][0]

    assert len(rows) == 106
    assert rows[0] == (best.pk, 1)
    assert [place for _, place in rows] == [*range(1, 101), *range(99_995, 100_001)]
    assert rows[-1] == (worst, 100_000)
    # The place behind ten others is counted from the index' ten entries, not from the table.
    assert (counted["Index Name"], counted["Actual Rows"]) == ("rounds_round_standing", 10)


@pytest.mark.parametrize(
    ("given_score", "kept"),
    [
        ("100.0", "1E+2"),
        ("-0.0", "0"),
        ("1e20", "1E+20"),
        ("0.000000000000000000000000000001", "1E-30"),
        (21 * "9" + "." + 30 * "9", 21 * "9" + "." + 30 * "9"),
    ],
)
def test_a_score_is_kept_to_its_last_digit(given_score, kept):
    assert str(clean_score(Decimal(given_score))) == kept


@pytest.mark.parametrize("score", ["NaN", "Infinity", "-Infinity", "1e21", "-1e21", "1e-31", "1e308", "1e-308"])
def test_what_cannot_be_kept_exactly_is_no_score(score):
    with pytest.raises(InvalidScore):
        clean_score(Decimal(score))


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_row_without_a_score_stands_behind_every_score(order):
    extremes = [Decimal(10) ** 21 - Decimal(10) ** -6, Decimal(10) ** -6 - Decimal(10) ** 21]

    assert all(standing_of(score, order=order) < UNSCORED for score in extremes)
    assert standing_of(None, order=order) == UNSCORED
