"""Two colleagues press the button at the same moment: the money moves once."""

import pytest
from django.db.models import QuerySet

from core.db import clock
from payments import adjustments
from payments.models import Adjustment, AdjustmentRequest
from tests.support.backoffice import worker
from tests.support.books import balance, findings
from tests.support.threads import kinds, together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def request_of_fred(player, gold):
    return adjustments.request_adjustment(
        kind=Adjustment.Kind.DEPOSIT,
        user=player,
        token=gold,
        amount_minor=5_000_000,
        reason="a tournament",
        actor=worker("finance", "fred"),
        request_key="one",
        now=clock.now(),
    )


def deciding(decide, request, actor):
    return lambda: decide(request_id=request.pk, actor=actor, reason="decided", now=clock.now())


def test_ten_approvals_at_once_move_the_money_once(request_of_fred, player):
    colleagues = [worker("finance", f"colleague{n}") for n in range(10)]
    found = together([deciding(adjustments.approve_adjustment, request_of_fred, each) for each in colleagues])
    assert kinds(found) == {"Adjustment": 1, "AdjustmentDecided": 9}
    assert balance(player) == 5_000_000
    assert findings() == []


def test_an_approval_and_a_rejection_at_once_end_in_one_of_them(request_of_fred, player):
    fiona, frank = worker("finance", "fiona"), worker("finance", "frank")
    found = together(
        [
            deciding(adjustments.approve_adjustment, request_of_fred, fiona),
            deciding(adjustments.reject_adjustment, request_of_fred, frank),
        ]
    )
    assert kinds(found)["AdjustmentDecided"] == 1
    approved = AdjustmentRequest.objects.get().state == "approved"
    assert balance(player) == (5_000_000 if approved else 0)


def test_without_the_lock_the_race_is_there_to_lose(request_of_fred, player, monkeypatch):
    """The control: with rows read but not locked, several approvals find the request open."""
    colleagues = [worker("finance", f"colleague{n}") for n in range(10)]
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    found = together([deciding(adjustments.approve_adjustment, request_of_fred, each) for each in colleagues])
    assert kinds(found).get("AdjustmentDecided", 0) < 9
    # The second line of defence, the adjustment's unique key, still moves the money once.
    assert balance(player) == 5_000_000
