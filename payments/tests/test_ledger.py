"""The ledger: worked examples, refusals that move nothing, and books that always add up."""

import hashlib
import uuid
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from payments import ledger, queries, wallets
from payments.audit import LEDGER_CHECKS
from payments.errors import InsufficientFunds
from payments.models import Account, Escrow, Transfer
from tests.support.books import deposit, findings, nothing_moves, tamper

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
# A transfer between these kinds of account has one of these codes.
CODES = {("wallet", "escrow"): "entry_fee", ("escrow", "wallet"): "prize", ("issuance", "wallet"): "deposit"}


def posting(debit: Account, credit: Account, amount_minor: int, key: str | None = None, **more) -> ledger.Posting:
    return ledger.Posting(
        debit_account_id=debit.pk,
        credit_account_id=credit.pk,
        amount_minor=amount_minor,
        code=more.pop("code", CODES[debit.kind, credit.kind]),
        reference=more.pop("reference", "test:1"),
        key=key or f"test:{uuid.uuid4()}",
        **more,
    )


def post(*postings: ledger.Posting, now: datetime = NOW):
    with transaction.atomic():
        return ledger.post(postings=postings, now=now)


@pytest.fixture
def wallet(gold, player) -> Account:
    with transaction.atomic():
        return wallets.ensure_wallet(user=player, token=gold)


@pytest.fixture
def other(gold) -> Account:
    """An escrow's account: it takes fees and gives prizes."""
    with transaction.atomic():
        return Account.objects.get(escrow=wallets.open_escrow(controller=Escrow.Controller.SESSION, token=gold))


def holds(account: Account) -> int:
    account.refresh_from_db()
    return account.balance_minor


def test_transfer_moves_from_debit_to_credit(fund, wallet, other, player):
    fund(player, 10_000)
    post(posting(wallet, other, 3_050))
    assert (holds(wallet), holds(other)) == (6_950, 3_050)
    assert findings(LEDGER_CHECKS) == []


def test_supply_is_what_issuance_gave_out(fund, player, rival):
    fund(player, 10_000)
    fund(rival, 500)
    assert queries.supply_minor("GOLD") == 10_500


def test_a_batch_is_booked_whole_or_not_at_all(fund, player, wallet, other):
    fund(player, 100)
    with nothing_moves(), pytest.raises(InsufficientFunds) as refusal:
        post(posting(wallet, other, 60), posting(wallet, other, 41))
    assert refusal.value.params == {"account_id": wallet.pk}


def test_a_batch_may_pass_money_on(fund, player, wallet, other):
    fund(player, 100)
    post(posting(wallet, other, 100), posting(other, wallet, 30))
    assert (holds(wallet), holds(other)) == (30, 70)


def test_repeated_key_books_nothing(fund, player, wallet, other):
    fund(player, 100)
    assert post(posting(wallet, other, 100, key="session:1:entry:1")) is not None
    # The wallet is empty by now: the key is looked up before the balance.
    with nothing_moves():
        assert post(posting(wallet, other, 100, key="session:1:entry:1")) is None


@pytest.mark.parametrize("change", [{"amount": 99}, {"code": "prize"}, {"reference": "session:2"}])
def test_repeated_key_with_other_content_raises(fund, player, wallet, other, change):
    fund(player, 200)
    post(posting(wallet, other, 100, key="session:1:entry:1"))
    amount = change.pop("amount", 100)
    with nothing_moves(), pytest.raises(DatabaseError, match="booked with other content"):
        post(posting(wallet, other, amount, key="session:1:entry:1", **change))


def test_partly_booked_batch_raises(fund, player, wallet, other):
    fund(player, 200)
    post(posting(wallet, other, 10, key="a"))
    with nothing_moves(), pytest.raises(DatabaseError, match="booked with other content"):
        post(posting(wallet, other, 10, key="a"), posting(wallet, other, 10, key="b"))


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_is_at_least_one_unit(fund, player, wallet, other, amount):
    fund(player, 100)
    with nothing_moves(), pytest.raises(IntegrityError):
        post(posting(wallet, other, amount))


def test_tokens_never_mix(fund, gold, player, wallet):
    fund(player, 100)
    with transaction.atomic():
        gems = wallets.ensure_token(symbol="GEMS", name="Gems", decimals=0)
        gem_escrow = Account.objects.get(escrow=wallets.open_escrow(controller=Escrow.Controller.SESSION, token=gems))
    with nothing_moves(), pytest.raises(IntegrityError, match="same_token"):
        post(posting(wallet, gem_escrow, 50))


def test_an_account_that_does_not_exist_moves_nothing(fund, player, wallet):
    fund(player, 100)
    ghost = Account(pk=wallet.pk + 999, kind=Account.Kind.ESCROW)
    with nothing_moves(), pytest.raises(IntegrityError):
        post(posting(wallet, ghost, 50))


def test_a_transfer_can_be_neither_changed_nor_removed(fund, player, wallet, other):
    fund(player, 100)
    post(posting(wallet, other, 40))
    row = Transfer.objects.latest("id")
    for forbidden in (
        lambda: Transfer.objects.filter(pk=row.pk).update(amount_minor=1),
        lambda: Transfer.objects.filter(pk=row.pk).delete(),
        row.delete,
    ):
        with nothing_moves(), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            forbidden()


@pytest.mark.django_db(transaction=True)
def test_the_ledger_refuses_truncate(fund, player):
    fund(player, 100)
    with connection.cursor() as cursor:
        with nothing_moves(), pytest.raises(DatabaseError, match="append-only"):
            cursor.execute("TRUNCATE payments_transfer CASCADE")


def test_transfer_hash_can_be_recomputed(fund, player, wallet, other):
    fund(player, 100)
    post(posting(wallet, other, 40, key="k", code="entry_fee", reference="session:9"))
    row = Transfer.objects.latest("id")
    content = "|".join(
        [
            "gameplatform-transfer-v1",
            str(wallet.pk),
            str(other.pk),
            str(row.token_id),
            "40",
            "entry_fee",
            "session:9",
            "k",
            str(row.batch),
            "-",
            str(int(NOW.timestamp()) * 1_000_000 + NOW.microsecond),
        ]
    )
    assert row.tx_hash == hashlib.sha256(content.encode()).hexdigest()


@pytest.mark.django_db(transaction=True)
def test_a_building_block_refuses_to_run_outside_a_transaction(wallet, other):
    with pytest.raises(RuntimeError, match="inside a use case"):
        ledger.post(postings=[posting(wallet, other, 1)], now=NOW)


def test_a_statement_runs_back_from_the_present_balance(fund, player, wallet, other):
    fund(player, 1_000)
    post(posting(wallet, other, 300, code="entry_fee"))
    post(posting(other, wallet, 50, code="prize"))
    lines = queries.statement(account_id=wallet.pk, before_transfer_id=None, limit=2)
    assert [(line.code, line.amount_minor, line.balance_after_minor) for line in lines] == [
        ("prize", 50, 750),
        ("entry_fee", -300, 700),
    ]
    older = queries.statement(account_id=wallet.pk, before_transfer_id=lines[-1].transfer_id, limit=2)
    assert [(line.code, line.amount_minor, line.balance_after_minor) for line in older] == [("deposit", 1_000, 1_000)]


TAMPERINGS = {
    "I3": "UPDATE payments_account SET balance_minor = balance_minor + 1 WHERE id = {wallet}",
    "I4": "UPDATE payments_transfer SET amount_minor = amount_minor + 1 WHERE id = {transfer}",
}


@pytest.mark.parametrize("invariant", TAMPERINGS)
def test_audit_names_the_tampered_row(fund, player, wallet, other, invariant):
    fund(player, 100)
    post(posting(wallet, other, 40))
    transfer = Transfer.objects.latest("id").pk
    assert findings(LEDGER_CHECKS) == []
    tamper(TAMPERINGS[invariant].format(wallet=wallet.pk, transfer=transfer))
    where = f"account {wallet.pk}" if invariant == "I3" else f"transfer {transfer}"
    assert any(finding.startswith(f"{invariant} {where}:") for finding in findings())


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 120)), min_size=1, max_size=4),
        max_size=12,
    )
)
@pytest.mark.django_db
def test_whatever_is_posted_the_books_add_up(batches):
    """Against a model of two wallets and two escrows: a batch is booked when no purse would end below zero."""
    sid = transaction.savepoint()
    try:
        with transaction.atomic():
            token = wallets.ensure_token(symbol="PROP", name="Property", decimals=0)
            purses = []
            for n in range(2):
                user = User.objects.create(username=f"purse {n}")
                deposit(user, token, 100, now=NOW)
                escrow = wallets.open_escrow(controller=Escrow.Controller.POT, token=token)
                purses += [wallets.ensure_wallet(user=user, token=token), Account.objects.get(escrow=escrow)]
        model = [100, 0, 100, 0]
        for batch in batches:
            rows = [(debit, credit, amount) for debit, credit, amount in batch if debit % 2 != credit % 2]
            if not rows:
                continue
            after = list(model)
            for debit, credit, amount in rows:
                after[debit] -= amount
                after[credit] += amount
            try:
                post(*(posting(purses[debit], purses[credit], amount) for debit, credit, amount in rows))
                model = after
                assert min(after) >= 0
            except InsufficientFunds:
                assert min(after) < 0
            assert [Account.objects.get(pk=purse.pk).balance_minor for purse in purses] == model
        assert findings(LEDGER_CHECKS) == []
    finally:
        transaction.savepoint_rollback(sid)
