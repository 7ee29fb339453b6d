"""S28: who holds the database can neither reseal the ledger nor rewrite or empty the audit trail unseen."""

import hashlib
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from core import sealing, trail
from core.models import AuditEntry, AuditSeal
from payments.models import LedgerSeal, Transfer
from payments.seals import CHAINS, LEDGER
from payments.tasks import seal_ledger
from tests.support.books import deposit, findings, tamper

# The sealer waits for open transactions, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TRAIL = trail.CHAIN


@pytest.fixture
def acts(player, gold):
    """``acts(3)``: three more transfers and audit entries, all sealed."""

    def make(count: int) -> None:
        with transaction.atomic():
            for n in range(count):
                deposit(player, gold, 100, now=NOW + timedelta(seconds=n))
                trail.record(actor=player, action="did", target=player, reason="to test", after={"n": n}, now=NOW)
        for chain in CHAINS:
            assert not sealing.seal_rows(chain, now=NOW).waited_out

    return make


def reseal(chain: sealing.Chain, *, key: str | None) -> None:
    """Make every seal again over what stands there now: with the key, or as one who guesses."""
    table, previous = chain.seals._meta.db_table, sealing.GENESIS_DIGEST
    for seal in chain.seals._default_manager.order_by("first_id"):
        facts = chain.facts(version="2", previous=f"'{previous}'", first=str(seal.first_id), last=str(seal.last_id))
        with connection.cursor() as cursor:
            cursor.execute(facts)
            seal.count, seal.content_digest, seal.gaps = cursor.fetchone()
        guess = hashlib.sha256(seal.content_digest.encode()).hexdigest()
        seal.digest = guess if key is None else chain.digest(seal, key)
        gaps = "{" + ",".join(f"{{{a},{b}}}" for a, b in seal.gaps) + "}"
        tamper(
            f"UPDATE {table} SET count = {seal.count}, gaps = '{gaps}', content_digest = '{seal.content_digest}',"
            f" digest = '{seal.digest}', previous_digest = '{previous}' WHERE id = {seal.pk}"
        )
        previous = seal.digest


def named(letter: str) -> list[str]:
    return [finding for finding in findings() if finding.startswith(letter)]


def verify(*words: str) -> str:
    out = StringIO()
    call_command("verify_ledger", *words, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.parametrize(("chain", "name"), [(LEDGER, "S3 seal"), (TRAIL, "T3 trail seal")])
def test_chain_made_again_without_the_key_is_named(acts, chain, name):
    acts(2)
    acts(2)
    reseal(chain, key=None)
    seals = chain.seals.objects.order_by("first_id")
    assert findings() == [f"{name} {seal.pk}: was not made with the key {seal.key_id}" for seal in seals]


def test_doubled_deposit_in_a_remade_chain_is_named(acts, player, gold, settings):
    acts(2)
    made = Transfer.objects.latest("id")
    with transaction.atomic():
        doubled = deposit(player, gold, 100, now=NOW)
    tamper(f"DELETE FROM payments_adjustment WHERE transfer_id = {doubled.pk}")
    sealing.seal_rows(LEDGER, now=NOW)
    reseal(LEDGER, key=settings.SEAL_KEYS[0])
    (found,) = findings()
    assert found.startswith(f"I16 transfer {doubled.pk}: deposit of 100 units has no adjustment; it repeats transfer ")
    assert doubled.pk > made.pk


def test_seal_of_an_unknown_key_is_named(acts, settings):
    acts(1)
    known = settings.SEAL_KEYS[0]
    settings.SEAL_KEYS = ["another"]
    seal = LedgerSeal.objects.get()
    assert named("S") == [
        f"S3 seal {seal.pk}: was made with the key {sealing.key_id(known)}, which SEAL_KEYS does not hold"
    ]
    settings.SEAL_KEYS = ["another", known]
    acts(1)
    assert findings() == []
    assert LedgerSeal.objects.latest("id").key_id == sealing.key_id("another")


OLD_SEAL = """
    INSERT INTO payments_ledgerseal (first_transfer_id, last_transfer_id, count, gaps, digest, previous_digest,
        sealed_at)
    SELECT {first}, {last}, f.count, f.gaps, f.digest, '{previous}', now()
    FROM ledger_seal_facts('{previous}', {first}, {last}) f"""


def test_unkeyed_seals_before_keyed_stay_right(acts, player, gold):
    with transaction.atomic():
        last = deposit(player, gold, 100, now=NOW).pk
    tamper(OLD_SEAL.format(first=1, last=last, previous=sealing.GENESIS_DIGEST))
    acts(1)
    assert list(LedgerSeal.objects.order_by("first_id").values_list("version", flat=True)) == [1, 2]
    assert findings() == []


def test_unkeyed_seal_after_keyed_is_named(acts, player, gold):
    acts(1)
    before = LedgerSeal.objects.get()
    with transaction.atomic():
        last = deposit(player, gold, 100, now=NOW).pk
    forged = OLD_SEAL.format(first=before.last_id + 1, last=last, previous=before.digest)
    with pytest.raises(DatabaseError, match="payments_ledgerseal: INSERT refused"), connection.cursor() as cursor:
        cursor.execute(forged)
    tamper(forged)
    forged_id = LedgerSeal.objects.latest("id").pk
    assert findings() == [f"S3 seal {forged_id}: is of version 1, without a key"]


def test_kept_digest_shows_removed_seals(acts):
    acts(1)
    acts(1)
    ledger, entries = LEDGER.latest(), TRAIL.latest()
    out = verify("--expect-digest", ledger.digest, "--expect-digest", entries.digest)
    assert f"sealed up to transfer {ledger.last_id}, digest {ledger.digest}" in out
    assert f"sealed up to audit entry {entries.last_id}, digest {entries.digest}" in out
    tamper(
        f"DELETE FROM payments_ledgerseal WHERE id = {ledger.pk}",
        f"DELETE FROM core_auditseal WHERE id = {entries.pk}",
    )
    assert "The ledger is right" in verify()
    for digest in (ledger.digest, entries.digest):
        with pytest.raises(CommandError, match="--expect-digest in 1 places"):
            verify("--expect-digest", digest)


def test_changed_audit_entry_is_named(acts):
    acts(2)
    seal = AuditSeal.objects.get()
    for change in ("reason = 'another'", "actor_id = NULL", "after = '{}'", "at = at + interval '1 microsecond'"):
        kept = AuditEntry.objects.latest("id")
        tamper(f"UPDATE core_auditentry SET {change} WHERE id = {kept.pk}")
        assert findings() == [
            f"T2 trail seal {seal.pk}: audit entries {seal.first_id} to {seal.last_id} do not give the sealed digest"
        ]
        tamper(f"DELETE FROM core_auditentry WHERE id = {kept.pk}")
        kept.save(force_insert=True)
        assert findings() == []


def test_removed_audit_entry_is_named(acts):
    acts(3)
    entry, seal = AuditEntry.objects.order_by("id")[1], AuditSeal.objects.get()
    tamper(f"DELETE FROM core_auditentry WHERE id = {entry.pk}")
    assert findings() == [f"T2 audit entry {entry.pk}: was removed after it was sealed (trail seal {seal.pk})"]


def test_slipped_in_audit_entry_is_named(acts, player):
    with transaction.atomic():
        burnt = trail.record(actor=player, action="did", target=player, now=NOW).pk
        transaction.set_rollback(True)
    acts(1)
    seal = AuditSeal.objects.get()
    with transaction.atomic():
        made = trail.record(actor=player, action="did not", target=player, now=NOW)
    tamper(f"UPDATE core_auditentry SET id = {burnt} WHERE id = {made.pk}")
    assert findings() == [f"T2 audit entry {burnt}: was slipped into a sealed range (trail seal {seal.pk})"]


def test_beat_seals_both_chains(player, gold):
    with transaction.atomic():
        deposit(player, gold, 100, now=NOW)
        trail.record(actor=player, action="did", target=player, now=NOW)
    seal_ledger()
    assert (LedgerSeal.objects.get().version, AuditSeal.objects.get().version) == (2, 2)
    assert findings() == []


def test_seals_of_the_trail_are_facts(acts):
    acts(1)
    for forbidden in (AuditSeal.objects.all().delete, lambda: AuditSeal.objects.update(count=0)):
        with pytest.raises(DatabaseError, match=r"core_auditseal: (UPDATE|DELETE) refused"):
            forbidden()
