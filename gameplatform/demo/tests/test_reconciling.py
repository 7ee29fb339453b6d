"""The bots' bookkeeping, without a platform."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gameplatform.demo.lobby import SeenSession
from gameplatform.demo.reconcile import (
    REFERENCES_MAX,
    Book,
    Difference,
    Entry,
    Results,
    SentScore,
    Surprise,
    Terms,
    check_results,
    check_standings,
)

TERMS = Terms(session_id=7, fee_minor=1_001, shares_bp=(5_000, 3_000, 2_000), score_order=None)
# Four fees of 10.01 are 40.04: 50 % are 20.02, 30 % are 12.012, 20 % are 8.008; the last unit goes to the 8.008.
ENDED = Results(
    session_id=7,
    is_refunded=False,
    pool_minor=4_004,
    prizes_minor={41: 2_002, 44: 1_201, 42: 801, 43: 0},
    scores=dict.fromkeys((41, 44, 42, 43)),
)
CALLED_OFF = Results(session_id=7, is_refunded=True, pool_minor=4_004, prizes_minor={}, scores={})


@pytest.fixture
def book():
    """A book after a deposit of 100.00 and one paid place, 42, in session 7."""
    book = Book()
    book.deposited(user_id=3, amount_minor=10_000)
    book.joined(session_id=7, join_id=42, fee_minor=1_001)
    return book


def test_a_fee_is_owed_until_the_session_is_over(book):
    assert book.expected_minor == 8_999
    assert list(book.entries) == [7]


def test_a_prize_is_that_of_the_own_place(book):
    assert book.closed(ENDED) == 801
    assert book.expected_minor == 9_800
    assert not book.entries


def test_a_session_that_was_called_off_gives_the_fee_back(book):
    assert book.closed(CALLED_OFF) == 1_001
    assert book.expected_minor == 10_000


def test_who_leaves_and_joins_again_has_paid_once(book):
    assert book.left(session_id=7) == 1_001
    book.joined(session_id=7, join_id=43, fee_minor=1_001)
    assert book.closed(ENDED) == 0
    assert book.expected_minor == 8_999


def test_two_places_in_one_session_are_a_surprise(book):
    with pytest.raises(Surprise, match="session 7: joined twice, as 42 and 43"):
        book.joined(session_id=7, join_id=43, fee_minor=1_001)
    assert book.expected_minor == 8_999


def test_a_paid_place_without_a_rank_is_a_surprise(book):
    with pytest.raises(Surprise, match="session 7: paid entry 42 is not in the standings"):
        book.closed(replace(ENDED, prizes_minor={41: 4_004}))


def test_a_statement_that_says_the_same_differs_nowhere(book):
    book.closed(ENDED)
    assert book.differences(statement=[("session:7", 801), ("session:7", -1_001), ("user:3", 10_000)]) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(
            [("session:7", 801), ("session:7", -1_001), ("session:7", -1_001), ("user:3", 10_000)],
            Difference(reference="session:7", expected_minor=-200, actual_minor=-1_201),
            id="charged twice",
        ),
        pytest.param(
            [("session:7", -1_001), ("user:3", 10_000)],
            Difference(reference="session:7", expected_minor=-200, actual_minor=-1_001),
            id="prize never paid",
        ),
        pytest.param(
            [("session:7", 801), ("session:7", -1_001), ("session:8", 1), ("user:3", 10_000)],
            Difference(reference="session:8", expected_minor=0, actual_minor=1),
            id="a unit from nowhere",
        ),
    ],
)
def test_a_statement_that_says_something_else_is_named_by_session(book, statement, expected):
    book.closed(ENDED)
    assert book.differences(statement=statement) == [expected]


def test_a_book_forgets_its_oldest_sessions_but_not_their_money():
    book = Book()
    book.deposited(user_id=3, amount_minor=10_000_000)
    for session_id in range(1, REFERENCES_MAX + 1):
        book.joined(session_id=session_id, join_id=session_id, fee_minor=1)
        book.left(session_id=session_id)
    assert book.expected_minor == 10_000_000
    assert book.differences(statement=[]) == []


def test_results_that_follow_the_terms_pass():
    check_results(TERMS, ENDED)
    check_results(TERMS, CALLED_OFF)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pool_minor": 4_003}, "the pool is 4003 units, 4 fees of 1001 are something else"),
        (
            {"prizes_minor": {41: 2_002, 44: 1_201, 42: 800, 43: 0}},
            "prizes of 4003 units were paid from a pool of 4004",
        ),
        (
            {"prizes_minor": {41: 2_003, 44: 1_200, 42: 801, 43: 0}},
            "rank 1 won 2003 units, which is not 50.0 % of 4004",
        ),
        (
            {"prizes_minor": {44: 1_201, 41: 2_002, 42: 801, 43: 0}},
            "rank 1 won 1201 units, which is not 50.0 % of 4004",
        ),
        ({"prizes_minor": {41: 2_002, 44: 1_201, 42: 800, 43: 1}}, "a rank without a prize won something"),
        ({"pool_minor": 2_002, "prizes_minor": {41: 1_201, 44: 801}}, "it ran with 2 entries for 3 prizes"),
    ],
)
def test_results_that_break_the_terms_are_a_surprise(change, message):
    with pytest.raises(Surprise, match=f"session 7: {message}"):
        check_results(TERMS, replace(ENDED, **change))


def test_only_two_bots_enter_a_room_with_twenty_prizes():
    many = Terms(session_id=8, fee_minor=100, shares_bp=(500,) * 20, score_order=None)
    session = SeenSession(room_id=1, result_mode="draw", terms=many, length=timedelta(seconds=30), can_join=True)
    assert session.wants_bots
    session.bots = 2
    assert not session.wants_bots
    assert replace(session, terms=TERMS).wants_bots


RACE = replace(TERMS, score_order="asc")


def standings(**scores):
    """``e41="30.5"``: the entry 41, then the next rank."""
    return replace(ENDED, scores={int(name[1:]): score and Decimal(score) for name, score in scores.items()})


def sent(**scores):
    """``e41=("30.5", 10)``: the bot of entry 41 asked at second 10 and was answered a tenth later."""
    entries = {}
    for name, score in scores.items():
        entries[int(name[1:])] = entry = Entry(join_id=int(name[1:]), fee_minor=1_001)
        if score is not None:
            entry.scored(SentScore(value=Decimal(score[0]), asked_at=score[1], answered_at=score[1] + 0.1))
    return entries


# 40 is a player who is no bot.
RACED = standings(e41="30.5", e40="31", e44="32.0", e42="32", e43=None)
SENT = sent(e41=("30.5", 14), e44=("32", 10), e42=("32", 12), e43=None)


def test_standings_that_follow_the_scores_pass_in_either_order():
    check_standings(RACE, RACED, SENT)
    turned = standings(e44="32", e42="32", e40="31", e41="30.5", e43=None)
    check_standings(replace(TERMS, score_order="desc"), turned, SENT)
    with pytest.raises(Surprise, match=r"session 7: rank 1 has score 30.5 and is ahead of 31, the order is desc"):
        check_standings(replace(TERMS, score_order="desc"), RACED, SENT)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(
            standings(e40="31", e41="30.5", e44="32", e42="32", e43=None),
            "rank 1 has score 31 and is ahead of 30.5, the order is asc",
            id="two places swapped",
        ),
        pytest.param(
            standings(e41="30.5", e40="31", e43=None, e44="32", e42="32"),
            "rank 3 has score None and is ahead of 32, the order is asc",
            id="no score ahead of one",
        ),
        pytest.param(
            standings(e41="30.5", e40="31", e42="32", e44="32", e43=None),
            "entry 44 sent 32 before an equal score that is ahead of it",
            id="the later of equal scores ahead",
        ),
        pytest.param(
            standings(e44="30.5", e40="31", e41="32", e42="32", e43=None),
            "entry 44 is ranked by score 30.5, but its player sent 32",
            id="scores of two bots swapped",
        ),
        pytest.param(
            standings(e43="30", e41="30.5", e40="31", e44="32", e42="32"),
            "entry 43 is ranked by score 30, but its player sent None",
            id="a score that nobody sent",
        ),
        pytest.param(
            standings(e41="30.5", e40="31", e44="32", e42=None, e43=None),
            "entry 42 is ranked by score None, but its player sent 32",
            id="a score lost",
        ),
    ],
)
def test_standings_that_do_not_follow_the_scores_are_a_surprise(wrong, message):
    with pytest.raises(Surprise, match=f"session 7: {message}"):
        check_standings(RACE, wrong, SENT)


def test_the_last_score_counts_and_the_same_again_is_as_early_as_before():
    entries = sent(e41=("30", 10), e42=("31", 12))
    entries[41].scored(SentScore(value=Decimal(31), asked_at=11, answered_at=11.1))
    check_standings(RACE, standings(e41="31", e42="31"), entries)
    with pytest.raises(Surprise, match="entry 41 is ranked by score 30, but its player sent 31"):
        check_standings(RACE, standings(e41="30", e42="31"), entries)
    entries[41].scored(SentScore(value=Decimal("31.0"), asked_at=20, answered_at=20.1))
    check_standings(RACE, standings(e41="31", e42="31"), entries)
    with pytest.raises(Surprise, match="entry 41 sent 31 before an equal score that is ahead of it"):
        check_standings(RACE, standings(e42="31", e41="31"), entries)


def test_equal_scores_sent_at_nearly_the_same_time_may_be_in_any_order():
    entries = sent(e41=("30", 10), e42=("30", 10.5))
    check_standings(RACE, standings(e41="30", e42="30"), entries)
    check_standings(RACE, standings(e42="30", e41="30"), entries)


def test_a_score_whose_answer_is_missing_is_not_held_against_the_platform():
    entries = sent(e41=("30", 10), e42=("31", 10))
    entries[42].is_score_known = False
    check_standings(RACE, standings(e42="29", e41="30"), entries)
    with pytest.raises(Surprise, match="rank 1 has score 32 and is ahead of 30, the order is asc"):
        check_standings(RACE, standings(e42="32", e41="30"), entries)


def test_only_standings_by_score_are_held_against_scores():
    check_standings(TERMS, ENDED, SENT)
    check_standings(RACE, CALLED_OFF, SENT)
