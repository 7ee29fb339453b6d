"""Large adjustments take two people, small ones one with the permission."""

from datetime import UTC, datetime

import pytest

from accounts.models import User
from core.models import AuditEntry
from payments import adjustments
from payments.errors import (
    AdjustmentDecided,
    AdjustmentRequestNotFound,
    ApprovalNeeded,
    ApprovalRefused,
    InsufficientFunds,
    NotAllowedToAdjust,
    RequestKeyReused,
)
from payments.models import Adjustment, AdjustmentRequest
from tests.support.backoffice import worker
from tests.support.books import balance, findings, nothing_moves

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 5, 1, 13, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.ADJUSTMENT_APPROVAL_ABOVE = "100"


@pytest.fixture
def fred(db) -> User:
    return worker("finance", "fred")


@pytest.fixture
def fiona(db) -> User:
    return worker("finance", "fiona")


@pytest.fixture
def asked(fred, player, gold):
    def ask(amount_minor=10_001, kind=Adjustment.Kind.DEPOSIT, key="one"):
        return adjustments.request_adjustment(
            kind=kind,
            user=player,
            token=gold,
            amount_minor=amount_minor,
            reason="a tournament",
            actor=fred,
            request_key=key,
            now=NOW,
        )

    return ask


def deposit(actor, player, gold, amount_minor):
    return adjustments.deposit(
        user=player,
        token=gold,
        amount_minor=amount_minor,
        reason="a gift",
        actor=actor,
        request_key="alone",
        now=NOW,
    )


def test_up_to_the_limit_one_person_is_enough(fred, player, gold):
    deposit(fred, player, gold, 10_000)
    assert balance(player) == 10_000
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == ("deposit made", fred, "a gift")
    assert entry.after == {"user": "player", "token": "GOLD", "amount_minor": 10_000}


def test_above_the_limit_two_people_are_needed(fred, staff, player, gold):
    for actor in (fred, staff):
        with nothing_moves(), pytest.raises(ApprovalNeeded, match=r"Above 100\.00 GOLD"):
            deposit(actor, player, gold, 10_001)


def test_without_a_limit_one_person_is_always_enough(fred, player, gold, settings):
    settings.ADJUSTMENT_APPROVAL_ABOVE = ""
    deposit(fred, player, gold, 90_000_000)
    assert balance(player) == 90_000_000


def test_adjusting_needs_the_permission(asked, player, gold, fiona):
    request = asked()
    support = worker("support")
    for actor in (support, player):
        with nothing_moves():
            with pytest.raises(NotAllowedToAdjust):
                deposit(actor, player, gold, 5)
            with pytest.raises(NotAllowedToAdjust):
                adjustments.approve_adjustment(request_id=request.pk, actor=actor, reason="fine", now=NOW)
            with pytest.raises(NotAllowedToAdjust):
                adjustments.reject_adjustment(request_id=request.pk, actor=actor, reason="no", now=NOW)
    assert AdjustmentRequest.objects.get().state == "requested"


def test_request_moves_nothing_until_approved(asked, player, fred, fiona):
    with nothing_moves():
        request = asked()
    adjustments.approve_adjustment(request_id=request.pk, actor=fiona, reason="I know the player", now=LATER)
    assert balance(player) == 10_001
    request.refresh_from_db()
    assert (request.state, request.decider, request.decided_at) == ("approved", fiona, LATER)
    assert (request.adjustment.actor, request.adjustment.created_at) == (fred, LATER)
    steps = list(AuditEntry.objects.order_by("id").values_list("action", "actor__username", "reason"))
    assert steps == [
        ("deposit requested", "fred", "a tournament"),
        ("deposit made", "fred", "a tournament"),
        ("deposit approved", "fiona", "I know the player"),
    ]
    assert findings() == []


def test_who_asked_cannot_decide(asked, fred):
    request = asked()
    for decide in (adjustments.approve_adjustment, adjustments.reject_adjustment):
        with nothing_moves(), pytest.raises(ApprovalRefused):
            decide(request_id=request.pk, actor=fred, reason="my own", now=LATER)
    assert AdjustmentRequest.objects.get().state == "requested"


def test_a_decision_stands(asked, fiona, staff):
    request = asked()
    adjustments.reject_adjustment(request_id=request.pk, actor=fiona, reason="too much", now=LATER)
    for decide in (adjustments.approve_adjustment, adjustments.reject_adjustment):
        with nothing_moves(), pytest.raises(AdjustmentDecided):
            decide(request_id=request.pk, actor=staff, reason="again", now=LATER)
    request.refresh_from_db()
    assert (request.state, request.decider, request.decision_reason) == ("rejected", fiona, "too much")


def test_unaffordable_approval_leaves_the_request_open(asked, fiona):
    request = asked(kind=Adjustment.Kind.WITHDRAWAL)
    with nothing_moves(), pytest.raises(InsufficientFunds):
        adjustments.approve_adjustment(request_id=request.pk, actor=fiona, reason="fine", now=LATER)
    assert AdjustmentRequest.objects.get().state == "requested"


def test_asking_twice_with_one_key_is_one_request(asked):
    assert asked().pk == asked().pk
    with pytest.raises(RequestKeyReused):
        asked(amount_minor=20_000)
    assert AdjustmentRequest.objects.count() == 1


def test_an_unknown_request_is_not_found(fiona):
    with pytest.raises(AdjustmentRequestNotFound):
        adjustments.approve_adjustment(request_id=404, actor=fiona, reason="fine", now=NOW)


def test_api_enforces_permission_and_second_person(api, fred, player, gold):
    body = {"user_id": player.pk, "token": "GOLD", "amount": "5.00", "reason": "a gift"}

    def post(user, amount="5.00"):
        # A key stands for one body, refused or not.
        headers = {"Idempotency-Key": amount}
        return api(user).post("/api/v1/wallet/deposits", {**body, "amount": amount}, headers=headers)

    with nothing_moves():
        assert post(worker("support")).status_code == 403
        assert post(fred, amount="100.01").status_code == 403
    assert post(fred).status_code == 201
    assert balance(player) == 500
