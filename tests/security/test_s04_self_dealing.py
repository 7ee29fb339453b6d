"""S4: one person must not mint without a second, on any path."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from payments import adjustments
from payments.errors import ApprovalNeeded, OwnWallet
from payments.models import Adjustment, AdjustmentRequest
from tests.support.backoffice import worker
from tests.support.books import balance, nothing_moves

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _limit(settings):
    settings.ADJUSTMENT_APPROVAL_ABOVE = "100"


@pytest.fixture
def fred(db):
    return worker("finance", "fred")


@pytest.fixture
def fiona(db):
    return worker("finance", "fiona")


@pytest.fixture
def adjust(gold):
    def act(actor, user, amount_minor, key, *, by=adjustments.deposit, now=NOW):
        terms = {"user": user, "token": gold, "amount_minor": amount_minor, "reason": "a gift", "actor": actor}
        return by(**terms, request_key=key, now=now)

    return act


def ask(actor, user, gold):
    return adjustments.request_adjustment(
        kind=Adjustment.Kind.DEPOSIT,
        user=user,
        token=gold,
        amount_minor=50_000,
        reason="a prize",
        actor=actor,
        request_key="asked",
        now=NOW,
    )


@pytest.mark.parametrize("by", [adjustments.deposit, adjustments.withdraw])
def test_staff_cannot_adjust_their_own_wallet(adjust, fred, fund, by):
    fund(fred, 500)
    with nothing_moves(), pytest.raises(OwnWallet):
        adjust(fred, fred, 100, "mine", by=by)


@pytest.mark.parametrize("path", ["deposits", "withdrawals"])
def test_api_refuses_own_wallet(api, fred, fund, path):
    fund(fred, 500)
    body = {"user_id": fred.pk, "token": "GOLD", "amount": "1", "reason": "for me"}
    with nothing_moves():
        answer = api(fred).post(f"/api/v1/wallet/{path}", body, headers={"Idempotency-Key": "mine"})
    assert answer.status_code == 403


def test_back_office_refuses_own_wallet(client, fred, gold):
    client.force_login(fred)
    with nothing_moves():
        answer = client.post(
            reverse("admin:accounts_user_deposit", args=[fred.pk]),
            {"reason": "for me", "request_key": "mine", "token": gold.pk, "amount": "5"},
        )
    assert answer.status_code == 403


def test_own_wallet_is_neither_requested_nor_approved(fred, fiona, gold):
    with nothing_moves(), pytest.raises(OwnWallet):
        ask(fred, fred, gold)
    request = ask(fiona, fred, gold)
    for decide in (adjustments.approve_adjustment, adjustments.reject_adjustment):
        with nothing_moves(), pytest.raises(OwnWallet):
            decide(request_id=request.pk, actor=fred, reason="fine", now=NOW)


def test_splitting_does_not_pass_the_actors_limit(adjust, fred, player, rival):
    adjust(fred, player, 6_000, "one")
    with nothing_moves(), pytest.raises(ApprovalNeeded):
        adjust(fred, rival, 4_001, "two")
    adjust(fred, rival, 4_000, "three")


def test_colleagues_together_do_not_pass_the_receivers_limit(adjust, fred, fiona, player):
    adjust(fred, player, 6_000, "one")
    with nothing_moves(), pytest.raises(ApprovalNeeded):
        adjust(fiona, player, 4_001, "two")


def test_sum_counts_the_last_day_only(adjust, fred, player):
    adjust(fred, player, 10_000, "one")
    with pytest.raises(ApprovalNeeded):
        adjust(fred, player, 1, "two", now=NOW + timedelta(hours=23, minutes=59))
    adjust(fred, player, 10_000, "three", now=NOW + timedelta(hours=24))


def test_replay_at_the_limit_answers_the_first(adjust, fred, player):
    first = adjust(fred, player, 10_000, "one")
    with nothing_moves():
        assert adjust(fred, player, 10_000, "one") == first


def test_approved_adjustments_leave_the_sum_alone(adjust, fred, fiona, player, gold):
    request = ask(fred, player, gold)
    adjustments.approve_adjustment(request_id=request.pk, actor=fiona, reason="fine", now=NOW)
    adjust(fred, player, 10_000, "one")
    assert balance(player) == 60_000


def test_back_office_asks_for_what_passes_the_sum(client, adjust, fred, player, gold):
    adjust(fred, player, 9_000, "one")
    Adjustment.objects.update(created_at=datetime.now(UTC))
    client.force_login(fred)
    with nothing_moves():
        client.post(
            reverse("admin:accounts_user_deposit", args=[player.pk]),
            {"reason": "a gift", "request_key": "form", "token": gold.pk, "amount": "10.01"},
        )
    assert AdjustmentRequest.objects.get().amount_minor == 1_001
