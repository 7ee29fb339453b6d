"""S23: no hand in the database makes or doubles money without the verifier naming the row."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from payments import wallets
from payments.models import Account, Transfer
from rooms.models import Session
from tests.support.books import deposit, findings, nothing_moves, tamper
from tests.support.pots import person, seated, server, server_of

__all__ = ["person", "seated", "server", "server_of"]

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COPY = """
    INSERT INTO payments_transfer (debit_account_id, credit_account_id, token_id, amount_minor, code, reference,
        idempotency_key, batch, tx_hash, created_at)
    SELECT debit_account_id, credit_account_id, token_id, amount_minor, code, reference, k.key, batch,
        transfer_hash(debit_account_id, credit_account_id, token_id, amount_minor, code, reference, k.key, batch, NULL,
            created_at), created_at
    FROM payments_transfer, (VALUES ('{key}')) AS k (key) WHERE id = {id}"""
BALANCES = """
    UPDATE payments_account a SET balance_minor = (SELECT coalesce(sum(CASE WHEN t.credit_account_id = a.id
        THEN t.amount_minor ELSE -t.amount_minor END), 0) FROM payments_transfer t
        WHERE a.id IN (t.debit_account_id, t.credit_account_id))"""


@pytest.fixture
def wallet(gold, rival) -> Account:
    with transaction.atomic():
        return wallets.ensure_wallet(user=rival, token=gold)


def post_in_sql(debit: Account, credit: Account, code: str, key: str = "forged") -> int:
    """What a person with psql types; the id of the transfer."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT result FROM ledger_post(ARRAY[%s::bigint], ARRAY[%s::bigint], ARRAY[500::bigint], ARRAY[%s],"
            " ARRAY['user:1'], ARRAY[%s], gen_random_uuid(), %s)",
            [debit.pk, credit.pk, code, key, NOW],
        )
        assert cursor.fetchone() == ("posted",)
    return Transfer.objects.latest("id").pk


def double(transfer: Transfer, key: str = "forged") -> int:
    """A second effect of the same business, with its own right hash and right balances; its id."""
    tamper(COPY.format(key=key, id=transfer.pk), BALANCES)
    return Transfer.objects.latest("id").pk


def test_deposit_without_adjustment_is_named(gold, wallet):
    forged = post_in_sql(wallets.issuance_account(gold), wallet, "deposit")
    assert findings() == [f"I16 transfer {forged}: deposit of 500 units has no adjustment"]


def test_withdrawal_without_adjustment_is_named(gold, player, wallet):
    deposit(wallet.owner, gold, 500, now=NOW)
    forged = post_in_sql(wallet, wallets.issuance_account(gold), "withdrawal")
    assert findings() == [f"I16 transfer {forged}: withdrawal of 500 units has no adjustment"]


def test_adjustment_of_another_amount_is_named(gold, player):
    made = deposit(player, gold, 500, now=NOW)
    tamper(f"UPDATE payments_adjustment SET amount_minor = 5 WHERE transfer_id = {made.pk}")
    assert findings() == [f"I16 transfer {made.pk}: deposit of 500 units has an adjustment for another movement"]


def test_doubled_deposit_is_named(gold, player):
    made = deposit(player, gold, 500, now=NOW)
    forged = double(made)
    assert findings() == [
        f"I16 transfer {forged}: deposit of 500 units has no adjustment; it repeats transfer {made.pk}"
    ]


def test_invented_code_is_refused(gold, fund, player, wallet):
    fund(player, 1_000)
    mine = Account.objects.get(kind="wallet", owner=player)
    with nothing_moves(), pytest.raises(IntegrityError, match="gift from wallet to wallet is not on the list"):
        post_in_sql(mine, wallet, "gift")


@pytest.mark.parametrize("code", ["entry_fee", "deposit", "pot_fee"])
def test_code_between_other_accounts_is_refused(gold, fund, player, wallet, code):
    fund(player, 1_000)
    mine = Account.objects.get(kind="wallet", owner=player)
    with nothing_moves(), pytest.raises(IntegrityError, match="is not on the list"):
        post_in_sql(mine, wallet, code)


def test_invented_code_behind_the_trigger_is_named(gold, fund, player, wallet):
    fund(player, 1_000)
    made = Transfer.objects.latest("id")
    mine = Account.objects.get(kind="wallet", owner=player)
    tamper(
        COPY.format(key="forged", id=made.pk),
        f"UPDATE payments_transfer SET debit_account_id = {mine.pk}, credit_account_id = {wallet.pk}, code = 'gift'"
        " WHERE idempotency_key = 'forged'",
        f"UPDATE payments_transfer SET tx_hash = transfer_hash({mine.pk}, {wallet.pk}, token_id, amount_minor, code,"
        " reference, idempotency_key, batch, NULL, created_at) WHERE idempotency_key = 'forged'",
        BALANCES,
    )
    forged = Transfer.objects.latest("id").pk
    assert findings() == [f"I15 transfer {forged}: gift from wallet to wallet is not on the list"]


@pytest.fixture
def live(make_room, people, fund, join) -> Session:
    """A live session that three guests paid 10.00 for."""
    room = make_room()
    for guest in people(3):
        fund(guest, 2_000)
        join(room, guest)
    return Session.objects.get(pk=room.current_session_id)


@pytest.mark.parametrize("key", ["forged", "session:1:entry:999", "session:{session}:entry:0{place}"])
def test_doubled_entry_fee_is_named(live, key):
    fee = Transfer.objects.filter(code="entry_fee").latest("id")
    _, session, _, place = fee.idempotency_key.split(":")
    forged = double(fee, key.format(session=session, place=place))
    named = [finding for finding in findings() if finding.startswith("I17")]
    key = key.format(session=session, place=place)
    assert named == [
        f"I17 transfer {forged}: entry_fee by the key {key} belongs to no place; it repeats transfer {fee.pk}"
    ]


def test_fee_of_another_wallet_is_named(live, wallet):
    fee = Transfer.objects.filter(code="entry_fee").latest("id")
    tamper(f"UPDATE payments_transfer SET debit_account_id = {wallet.pk} WHERE id = {fee.pk}")
    assert f"I17 transfer {fee.pk}: entry_fee by the key {fee.idempotency_key} belongs to no place" in findings()


def test_doubled_pot_earning_is_named(server, seated):
    one = seated("ada-lake")
    server.post("/game/createJoinPay", {"sessionJwts": [one.jwt], "tokens": ["gold"], "amounts": [10], "sync": True})
    server.post("/game/earn", {"roomId": 1, "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": [2], "sync": True})
    assert findings() == []
    earned = Transfer.objects.get(code="pot_earn")
    forged = double(earned)
    assert findings() == [
        f"P8 transfer {forged}: pot_earn by the key forged has no job; it repeats transfer {earned.pk}"
    ]


def test_account_keeps_its_holder(gold, player, wallet):
    deposit(player, gold, 500, now=NOW)
    with nothing_moves(), pytest.raises(DatabaseError, match="An account keeps its holder"), transaction.atomic():
        Account.objects.filter(kind="wallet", owner=player).update(owner=wallet.owner, kind="wallet")
