"""The bots' bookkeeping, without a platform."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gameplatform.demo.lobby import SeenSession
from gameplatform.demo.reconcile import REFERENCES_MAX, Book, Difference, Results, Surprise, Terms, check_results

TERMS = Terms(session_id=7, fee_minor=1_001, shares_bp=(5_000, 3_000, 2_000))
# Four fees of 10.01 are 40.04: 50 % are 20.02, 30 % are 12.012, 20 % are 8.008; the last unit goes to the 8.008.
ENDED = Results(session_id=7, is_refunded=False, pool_minor=4_004, prizes_minor={41: 2_002, 44: 1_201, 42: 801, 43: 0})
CALLED_OFF = Results(session_id=7, is_refunded=True, pool_minor=4_004, prizes_minor={})


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
    many = Terms(session_id=8, fee_minor=100, shares_bp=(500,) * 20)
    session = SeenSession(room_id=1, terms=many, length=timedelta(seconds=30), can_join=True)
    assert session.wants_bots
    session.bots = 2
    assert not session.wants_bots
    assert replace(session, terms=TERMS).wants_bots
