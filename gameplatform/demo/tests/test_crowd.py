"""`manage.py seed_demo --size large`, here in the small: as the platform itself would have left it."""

import io

import pytest
from django.core.management import call_command

from core.db import clock
from core.sealing import seal_rows
from gameplatform.demo import crowd
from gameplatform.demo.crowd import Crowd
from payments import freezing
from payments.errors import TokenFrozen
from payments.models import Account, Token, Transfer
from payments.seals import LEDGER
from rooms.models import Outcome, Participant, Session
from tests.support.books import findings

pytestmark = pytest.mark.django_db

SMALL = Crowd(players=30, rooms=3, sessions=1_050, batch=200)


@pytest.fixture(autouse=True)
def _small(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(crowd, "LARGE", SMALL)


def seed(*words):
    output, errors = io.StringIO(), io.StringIO()
    call_command("seed_demo", "--size", "large", *words, stdout=output, stderr=errors)
    return output.getvalue().splitlines()[-1]


def counts():
    crowd_sessions = Session.objects.filter(room__name__startswith="Hall ")
    return {
        "sessions": crowd_sessions.count(),
        "places": Participant.objects.filter(session__in=crowd_sessions).count(),
        # Beside the three deposits of the demo's own players.
        "transfers": Transfer.objects.count() - 3,
        "outcomes": Outcome.objects.filter(session__in=crowd_sessions).count(),
    }


def test_the_large_size_is_what_it_says():
    assert (crowd.LARGE.sessions, Crowd(players=1_000, rooms=50, sessions=100_000, batch=2_000).transfers()) == (
        1_050,
        1_000_000,
    )


def test_the_crowd_is_whole_and_its_books_and_draws_are_right():
    assert seed("--dry-run") == "Would make 30 players, 3 rooms, 1,050 sessions; 10,520 transfers in all."
    assert counts()["sessions"] == 0
    assert seed() == "Made 30 players, 3 rooms, 1,050 sessions; 10,520 transfers in all."
    # 1 of nobody, 52 called off with five, 997 settled among seven.
    assert counts() == {"sessions": 1_050, "places": 52 * 5 + 997 * 7, "transfers": 10_520, "outcomes": 1_050}
    assert findings() == []
    assert min(Account.objects.filter(kind="wallet").values_list("balance_minor", flat=True)) >= 0
    assert not Session.objects.filter(room__name__startswith="Hall ", ends_at__gt=clock.now()).exists()
    ended = Session.objects.filter(status="ended").order_by("-id")[:5]
    for session in ended:
        said = io.StringIO()
        call_command("verify_draw", session.pk, stdout=said)
        assert said.getvalue()


def test_a_repetition_makes_nothing_and_a_stopped_run_is_taken_up(monkeypatch):
    whole = crowd.make_batch

    def stops(*, batch, **given):
        if batch == 3:
            raise KeyboardInterrupt
        whole(batch=batch, **given)

    monkeypatch.setattr(crowd, "make_batch", stops)
    with pytest.raises(KeyboardInterrupt):
        seed()
    assert counts()["sessions"] == 600
    assert findings() == []
    monkeypatch.setattr(crowd, "make_batch", whole)
    assert seed() == "Made 0 players, 0 rooms, 450 sessions; 10,520 transfers in all."
    made = counts()
    assert made["transfers"] == 10_520
    assert seed() == "The crowd is complete: 1,050 sessions, 10,520 transfers."
    assert seed("--dry-run") == "The crowd is complete: 1,050 sessions, 10,520 transfers."
    assert counts() == made
    assert findings() == []


def test_nothing_is_booked_in_a_frozen_token():
    call_command("seed_demo", stdout=io.StringIO())
    freezing.freeze(token_id=Token.objects.get().pk, now=clock.now(), reason="a test")
    with pytest.raises(TokenFrozen):
        crowd.make_players(names=["crowd_00000"], now=clock.now())
    assert counts()["transfers"] == 0


@pytest.mark.django_db(transaction=True)
def test_what_was_made_in_bulk_is_sealed_like_everything_else():
    seed()
    (seal,) = seal_rows(LEDGER, now=clock.now()).sealed
    assert seal.count == 10_523
    assert findings() == []
