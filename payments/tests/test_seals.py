"""Seals: what they cover, what they promise, and what the verifier names when somebody breaks the promise."""

import hashlib
import hmac
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from core import sealing
from core.models import Seal
from payments.models import LedgerSeal, Transfer
from payments.seals import LEDGER
from tests.support.books import deposit, findings, tamper

# The sealer waits for open transactions, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def pay(player, gold):
    """``pay(30)``: 30 units more for the player; the transfer's id. There is one transfer of 1,000 before."""
    deposit(player, gold, 1_000, now=NOW)

    def transfer(amount: int, *, fails: bool = False) -> int:
        with transaction.atomic():
            made = deposit(player, gold, amount, now=NOW)
            transaction.set_rollback(fails)
        return made.pk

    return transfer


def seal(patience_seconds: float = 20.0) -> list[Seal]:
    report = sealing.seal_rows(LEDGER, now=NOW, patience_seconds=patience_seconds)
    assert not report.waited_out
    return report.sealed


def run(command: str, *words: str) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue()


def test_a_seal_can_be_recomputed_with_the_key(pay, settings):
    first, last = Transfer.objects.latest("id").pk, pay(30)
    (made,) = seal()
    rows = Transfer.objects.filter(pk__in=[first, last]).order_by("id").values_list("id", "tx_hash")
    text = "|".join(
        [
            *("gameplatform-seal-v2", "ledger", "0" * 64, "1", str(last), "2"),
            ",".join(f"{pk}:{tx_hash}" for pk, tx_hash in rows),
        ]
    )
    assert made.content_digest == hashlib.sha256(text.encode()).hexdigest()
    (key,) = settings.SEAL_KEYS
    assert made.key_id == hashlib.sha256(f"gameplatform-seal-key|{key}".encode()).hexdigest()[:16]
    moment = str(int(NOW.timestamp()) * 1_000_000)
    signed = "|".join(["gameplatform-seal-v2", "ledger", made.key_id, made.content_digest, moment])
    assert made.digest == hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert (made.first_id, made.last_id, made.count) == (1, last, 2)
    assert (made.previous_digest, made.sealed_at) == ("0" * 64, NOW)
    assert findings() == []


def test_each_seal_takes_up_where_the_last_one_ended(pay):
    first = pay(10)
    (one,) = seal()
    second = pay(20)
    (two,) = seal()
    assert (one.last_id, two.first_id, two.last_id) == (first, first + 1, second)
    assert (two.count, two.previous_digest) == (1, one.digest)
    assert seal() == []
    assert findings() == []


def test_rolled_back_id_is_a_known_gap(pay):
    before = pay(10)
    seal()
    burnt = pay(20, fails=True)
    after = pay(30)
    (made,) = seal()
    assert (before, burnt, after) == (before, before + 1, before + 2)
    assert (made.first_id, made.last_id, made.count, made.gaps) == (burnt, after, 1, [[burnt, burnt]])
    assert findings() == []


def test_rolled_back_id_alone_makes_no_seal(pay):
    pay(10)
    seal()
    burnt = pay(20, fails=True)
    assert seal() == []
    pay(30)
    assert seal()[0].first_id == burnt


def test_many_transfers_make_several_links(pay, monkeypatch):
    start = pay(1)
    seal()
    for amount in range(1, 6):
        pay(amount)
    monkeypatch.setattr(sealing, "_ROWS_MAX", 2)
    made = seal()
    ranges = [(link.first_id - start, link.last_id - start, link.count) for link in made]
    assert ranges == [(1, 2, 2), (3, 4, 2), (5, 5, 1)]
    assert findings() == []


def test_slow_writer_postpones_the_seal(pay):
    pay(10)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO payments_transfer SELECT FROM payments_transfer WHERE false")
        assert sealing.seal_rows(LEDGER, now=NOW, patience_seconds=0.2) == sealing.SealReport(waited_out=True)
        assert LedgerSeal.objects.count() == 0
        cursor.execute("ROLLBACK")
    other.close()
    assert [made.count for made in seal()] == [2]


def test_transactions_that_post_nothing_are_not_waited_for(pay):
    pay(10)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_current_xact_id(), (SELECT count(*) FROM payments_transfer)")
        assert [made.count for made in seal(patience_seconds=0)] == [2]
        cursor.execute("ROLLBACK")
    other.close()


def test_sealing_inside_a_transaction_is_refused(pay):
    with transaction.atomic(), pytest.raises(RuntimeError, match="cannot run inside"):
        sealing.seal_rows(LEDGER, now=NOW)


def test_a_seal_can_be_neither_changed_nor_removed(pay):
    pay(10)
    (made,) = seal()
    for forbidden in (
        lambda: LedgerSeal.objects.filter(pk=made.pk).update(digest="f" * 64),
        lambda: LedgerSeal.objects.filter(pk=made.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match=r"payments_ledgerseal: (UPDATE|DELETE) refused"):
            forbidden()
    with connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="TRUNCATE refused"):
            cursor.execute("TRUNCATE payments_ledgerseal")
    made.refresh_from_db()
    assert made.digest != "f" * 64


@pytest.fixture
def chain(pay):
    """Three seals: two transfers (and a gap between them), one, and one. Gives the ids: first, gap, second, third…"""
    pay(10)
    seal()
    ids = [pay(20), pay(30, fails=True), pay(40)]
    seal()
    ids.append(pay(50))
    seal()
    assert findings() == []
    return ids


def named() -> list[str]:
    return [finding for finding in findings() if finding.startswith("S")]


REHASH = """UPDATE payments_transfer SET tx_hash = transfer_hash(debit_account_id, credit_account_id, token_id,
    amount_minor, code, reference, idempotency_key, batch, corrects_id, created_at) WHERE id = {}"""


def test_changed_amount_breaks_hash_or_seal(chain):
    tamper(f"UPDATE payments_transfer SET amount_minor = 41 WHERE id = {chain[2]}")
    assert f"I4 transfer {chain[2]}: the row does not have the content it was booked with" in findings()
    assert named() == []
    tamper(REHASH.format(chain[2]))
    seal_id = LedgerSeal.objects.order_by("id")[1].pk
    assert named() == [
        f"S2 seal {seal_id}: transfers {chain[0]} to {chain[2]} do not give the sealed digest",
    ]


def test_a_removed_transfer_is_named(chain):
    seal_id = LedgerSeal.objects.order_by("id")[1].pk
    tamper(f"DELETE FROM payments_transfer WHERE id = {chain[0]}")
    assert named() == [f"S2 transfer {chain[0]}: was removed after it was sealed (seal {seal_id})"]


def test_a_transfer_slipped_into_a_sealed_range_is_named(chain):
    seal_id = LedgerSeal.objects.order_by("id")[1].pk
    columns = "debit_account_id, credit_account_id, token_id, amount_minor, code, reference, batch, created_at"
    tamper(
        f"""INSERT INTO payments_transfer (id, idempotency_key, tx_hash, {columns})
            SELECT {chain[1]}, 'forged', repeat('a', 64), {columns} FROM payments_transfer WHERE id = {chain[0]}""",
        REHASH.format(chain[1]),
    )
    assert named() == [f"S2 transfer {chain[1]}: was slipped into a sealed range (seal {seal_id})"]


def test_removed_and_added_transfers_do_not_cancel(chain):
    tamper(f"UPDATE payments_transfer SET id = {chain[1]} WHERE id = {chain[0]}")
    assert [finding.split(" (")[0] for finding in named()] == [
        f"S2 transfer {chain[0]}: was removed after it was sealed",
        f"S2 transfer {chain[1]}: was slipped into a sealed range",
    ]


@pytest.mark.parametrize(
    "change", ["digest = repeat('f', 64)", "count = count + 1", "gaps = '{}'", "sealed_at = now()"]
)
def test_a_changed_seal_is_named(chain, change):
    seal_id = LedgerSeal.objects.order_by("id")[1].pk
    tamper(f"UPDATE payments_ledgerseal SET {change} WHERE id = {seal_id}")
    assert any(f"seal {seal_id}" in finding for finding in named())


def test_a_removed_seal_leaves_a_hole_that_is_named(chain):
    first, second, third = LedgerSeal.objects.order_by("id")
    tamper(f"DELETE FROM payments_ledgerseal WHERE id = {second.pk}")
    (found,) = named()
    assert found.startswith(f"S1 seal {third.pk}: begins at transfer {chain[3]} after digest")
    assert f"the seal before it ended at {first.last_id} with" in found


def test_seal_command_is_repeatable(pay):
    last = pay(30)
    assert "2 transfers would be sealed" in run("seal_ledger", "--dry-run")
    assert LedgerSeal.objects.count() == 0
    out = run("seal_ledger")
    made = LedgerSeal.objects.get()
    assert f"sealed transfers 1 to {last} (2): {made.digest}" in out
    assert "0 transfers sealed in 0 seals; sealed up to" in run("seal_ledger")
    assert LedgerSeal.objects.count() == 1


def test_the_command_says_when_it_could_not_wait(pay, monkeypatch):
    pay(10)
    monkeypatch.setattr(sealing, "_wait_for_writers", lambda chain, patience_seconds: False)
    with pytest.raises(CommandError, match="Nothing was sealed"):
        run("seal_ledger")
    assert LedgerSeal.objects.count() == 0


def test_verify_ledger_tells_good_books_from_bad_ones(chain):
    out = run("verify_ledger")
    assert "ok   I1   every transfer joins two accounts of its token\n" in out
    assert "ok   S2   " in out
    assert "FAIL" not in out
    last = LedgerSeal.objects.order_by("-id").first()
    assert f"5 transfers, 2 accounts, 0 sessions; sealed up to transfer {chain[3]}, digest {last.digest};" in out

    tamper(f"DELETE FROM payments_transfer WHERE id = {chain[0]}")
    told = StringIO()
    with pytest.raises(CommandError, match="The ledger is wrong: I3 in 2, S2 in 1 places") as refusal:
        call_command("verify_ledger", stdout=told)
    assert refusal.value.returncode == 1
    assert "FAIL S2   the sealed transfers are those there" in told.getvalue()
    assert f"       transfer {chain[0]}: was removed after it was sealed" in told.getvalue()
