"""Deposits at the same moment share one approval limit."""

import pytest

from core.db import clock
from payments import adjustments
from tests.support.backoffice import worker
from tests.support.books import balance, findings
from tests.support.threads import kinds, together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.ADJUSTMENT_APPROVAL_ABOVE = "100"


def giving(actor, user, gold, key):
    return lambda: adjustments.deposit(
        user=user, token=gold, amount_minor=6_000, reason="a gift", actor=actor, request_key=key, now=clock.now()
    )


@pytest.fixture
def by_one(player, rival, master, gold):
    fred = worker("finance", "fred")
    return [giving(fred, user, gold, f"{number}") for number, user in enumerate([player, rival, master] * 2)]


@pytest.fixture
def for_one(player, gold):
    return [giving(worker("finance", f"colleague{number}"), player, gold, "one") for number in range(6)]


def test_one_actor_passes_once(by_one):
    assert kinds(together(by_one)) == {"Adjustment": 1, "ApprovalNeeded": 5}
    assert findings() == []


def test_one_receiver_is_paid_once(for_one, player):
    assert kinds(together(for_one)) == {"Adjustment": 1, "ApprovalNeeded": 5}
    assert balance(player) == 6_000


def test_without_the_locks_the_race_is_lost(by_one, monkeypatch):
    """The control: without the locks several deposits find room in the same sum."""
    monkeypatch.setattr(adjustments, "_lock_people", lambda actor, user: None)
    assert kinds(together(by_one))["Adjustment"] > 1
