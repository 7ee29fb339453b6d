"""The building blocks that a paid session uses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import GameUser
from rounds import contests
from rounds.errors import ContestNotRunning, NotEntered
from rounds.models import Contest, Round
from rounds.standings import InvalidScore

OPENS = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
CLOSES = OPENS + timedelta(minutes=1)


@pytest.fixture
def contest(game, transactional):
    return contests.open_contest(
        game=game,
        controller=Contest.Controller.SESSION,
        score_order="desc",
        opens_at=OPENS,
        closes_at=CLOSES,
        now=OPENS - timedelta(minutes=3),
    )


@pytest.fixture
def transactional(db):
    with transaction.atomic():
        yield


def enter(contest, user):
    return contests.add_entrant(contest_id=contest.pk, user_id=user.pk, now=OPENS)


def submit(contest, user, score, *, at=OPENS):
    contests.submit_score(contest_id=contest.pk, user_id=user.pk, score=Decimal(score), now=at)


def test_entering_makes_the_profile_and_the_round_once_in_one_statement(contest, player):
    with CaptureQueriesContext(connection) as captured:
        first = enter(contest, player)
    again = enter(contest, player)

    entry = Round.objects.get()
    profile = GameUser.objects.get()
    contest.refresh_from_db()
    assert len(captured) == 1
    assert first == again == contests.Entrant(game_user_id=profile.pk, round_id=entry.pk)
    assert (profile.user, profile.game, profile.username) == (player, contest.game, "player")
    assert (entry.authoritative, entry.score, entry.start_time) == (True, None, OPENS)
    assert contest.rounds_count == 1


def test_a_player_has_one_profile_in_a_game(contest, player):
    other = contests.open_contest(
        game=contest.game,
        controller=Contest.Controller.SESSION,
        score_order="asc",
        opens_at=OPENS,
        closes_at=CLOSES,
        now=OPENS,
    )

    assert enter(contest, player).game_user_id == enter(other, player).game_user_id
    assert contest.multiplayer_id != other.multiplayer_id


def test_leaving_takes_the_round_away_and_one_may_enter_again(contest, player, rival):
    enter(contest, player)
    enter(contest, rival)

    assert contests.remove_entrant(contest_id=contest.pk, user_id=player.pk) is True
    assert contests.remove_entrant(contest_id=contest.pk, user_id=player.pk) is False
    contest.refresh_from_db()
    assert contest.rounds_count == Round.objects.count() == 1
    enter(contest, player)
    contest.refresh_from_db()
    assert contest.rounds_count == Round.objects.count() == 2


def test_a_score_counts_from_the_start_to_before_the_end(contest, player, rival):
    enter(contest, player)
    for moment in (OPENS - timedelta(microseconds=1), CLOSES):
        with pytest.raises(ContestNotRunning):
            submit(contest, player, 1, at=moment)
    with pytest.raises(NotEntered):
        submit(contest, rival, 1)
    with pytest.raises(InvalidScore):
        submit(contest, player, "1e21")
    assert Round.objects.get().score is None

    submit(contest, player, 1, at=OPENS)
    submit(contest, player, 2, at=CLOSES - timedelta(microseconds=1))
    assert Round.objects.get().score == 2


def test_freezing_ranks_by_score_submission_and_ticket_with_the_unscored_last(contest, people):
    users = people(6)
    early, late, same_a, same_b, none_a, none_b = users
    for user in users:
        enter(contest, user)
    submit(contest, early, 10, at=OPENS)
    submit(contest, late, 10, at=OPENS + timedelta(seconds=1))
    submit(contest, same_a, 99, at=OPENS)
    submit(contest, same_b, 99, at=OPENS)
    tickets = {same_a.pk: "b", same_b.pk: "a", none_a.pk: "z", none_b.pk: "y"}

    standings = contests.freeze(contest_id=contest.pk, tickets=tickets, now=CLOSES)

    ordered = [same_b, same_a, early, late, none_b, none_a]
    assert [(standing.rank, standing.user_id) for standing in standings] == [
        (rank, user.pk) for rank, user in enumerate(ordered, start=1)
    ]
    assert [standing.score for standing in standings] == [99, 99, 10, 10, None, None]
    places = dict(Round.objects.values_list("game_user__user_id", "place"))
    assert places == {
        same_b.pk: 1,
        same_a.pk: 2,
        early.pk: 3,
        late.pk: 4,
        none_b.pk: None,
        none_a.pk: None,
    }


def test_a_frozen_contest_changes_no_more(contest, player, rival):
    enter(contest, player)
    submit(contest, player, 5)
    first = contests.freeze(contest_id=contest.pk, tickets={}, now=OPENS)
    before = list(Round.objects.values())

    # Inside its time and yet over: staff may end a session early.
    with pytest.raises(ContestNotRunning):
        submit(contest, player, 6)
    assert contests.remove_entrant(contest_id=contest.pk, user_id=player.pk) is False
    with pytest.raises(DatabaseError), transaction.atomic():
        enter(contest, rival)
    assert contests.freeze(contest_id=contest.pk, tickets={}, now=CLOSES) == first
    contest.refresh_from_db()
    assert (contest.frozen_at, contest.rounds_count) == (OPENS, 1)
    assert [{**row, "updated_at": None} for row in Round.objects.values()] == [
        {**row, "updated_at": None} for row in before
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "block",
    [
        lambda: contests.add_entrant(contest_id=1, user_id=1, now=OPENS),
        lambda: contests.remove_entrant(contest_id=1, user_id=1),
        lambda: contests.freeze(contest_id=1, tickets={}, now=OPENS),
        lambda: contests.submit_score(contest_id=1, user_id=1, score=Decimal(1), now=OPENS),
    ],
)
def test_a_block_refuses_to_run_outside_a_use_case(block):
    with pytest.raises(RuntimeError, match="inside a use case"):
        block()
