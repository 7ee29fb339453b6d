"""No committed transfer ever appears inside a sealed range, however slow its writer; each with its control."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from core import sealing
from payments import wallets
from payments.audit import LEDGER_CHECKS
from payments.models import Account, Escrow, LedgerSeal, Transfer
from payments.seal_audit import SEAL_CHECKS
from payments.seals import LEDGER
from payments.tests.test_ledger import post, posting
from tests.support.books import findings
from tests.support.threads import together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def purses(gold, people, fund):
    """Four players' wallets with 1,000 units each, and an escrow's account behind each of them."""
    accounts = []
    for guest in people(4):
        fund(guest, 1_000)
        with transaction.atomic():
            escrow = wallets.open_escrow(controller=Escrow.Controller.SESSION, token=gold)
            accounts += [wallets.ensure_wallet(user=guest, token=gold), Account.objects.get(escrow=escrow)]
    return accounts


def wrong() -> list[str]:
    return findings((*LEDGER_CHECKS, *SEAL_CHECKS))


@contextmanager
def slow_writer(debit, credit):
    """A posting that has its id and does not commit until the block is over; gives that id."""
    drawn, may_commit = threading.Event(), threading.Event()
    ids = []

    def write():
        try:
            with transaction.atomic():
                post(posting(debit, credit, 7))
                ids.append(Transfer.objects.latest("id").pk)
                drawn.set()
                assert may_commit.wait(timeout=30)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert drawn.wait(timeout=30)
        yield ids[0]
    finally:
        may_commit.set()
        thread.join()


def covered(transfer_id: int) -> bool:
    return LedgerSeal.objects.filter(first_id__lte=transfer_id, last_id__gte=transfer_id).exists()


def test_the_sealer_waits_for_a_writer_that_has_its_id_but_has_not_committed(purses):
    with slow_writer(purses[0], purses[1]) as slow_id:
        post(posting(purses[2], purses[3], 1))
        quick_id = Transfer.objects.latest("id").pk
        assert quick_id == slow_id + 1
        assert sealing.seal_rows(LEDGER, now=NOW, patience_seconds=0.3).waited_out
        assert not LedgerSeal.objects.exists()
    (made,) = sealing.seal_rows(LEDGER, now=NOW).sealed
    assert (made.last_id, made.count) == (quick_id, 6)
    assert wrong() == []


def test_the_newest_open_transaction_is_waited_for_too(purses):
    """Nothing ended after the writer began: a snapshot's own xmax is not above its number."""
    with slow_writer(purses[0], purses[1]) as slow_id:
        assert sealing.highest_drawn_id(LEDGER) == slow_id
        assert sealing.seal_rows(LEDGER, now=NOW, patience_seconds=0.3).waited_out
    assert sealing.seal_rows(LEDGER, now=NOW).sealed[0].last_id == slow_id
    assert wrong() == []


def test_the_sealer_seals_as_soon_as_the_writer_has_committed(purses):
    with slow_writer(purses[0], purses[1]) as slow_id:
        reports = []

        def seal():
            reports.append(sealing.seal_rows(LEDGER, now=NOW))
            connection.close()

        sealer = threading.Thread(target=seal)
        sealer.start()
        time.sleep(0.5)
        # Writers are not held up by the sealer that waits.
        post(posting(purses[2], purses[3], 1))
        late_id = Transfer.objects.latest("id").pk
        assert not reports
    sealer.join(timeout=30)
    assert [made.last_id for made in reports[0].sealed] == [slow_id]
    assert not covered(late_id)
    assert wrong() == []


def test_control_a_sealer_that_does_not_wait_seals_past_an_uncommitted_id(purses, monkeypatch):
    monkeypatch.setattr(sealing, "_wait_for_writers", lambda chain, patience_seconds: True)
    with slow_writer(purses[0], purses[1]) as slow_id:
        post(posting(purses[2], purses[3], 1))
        (made,) = sealing.seal_rows(LEDGER, now=NOW).sealed
        assert made.gaps[-1] == [slow_id, slow_id]
        assert wrong() == []
    seal_id = LedgerSeal.objects.get().pk
    assert wrong() == [f"S2 transfer {slow_id}: was slipped into a sealed range (seal {seal_id})"]


def test_writers_and_sealers_at_once_leave_one_chain_over_everything(purses):
    stop = time.monotonic() + 2.0

    def write(number):
        def run():
            made = 0
            while time.monotonic() < stop:
                with transaction.atomic():
                    post(posting(purses[2 * number], purses[1], 1))
                    # Between the id and the commit: short and long, so that ids commit out of order.
                    time.sleep(0.03 * (number + made) % 0.1)
                    transaction.set_rollback(made % 5 == 4)
                made += 1
            return made

        return run

    def seal():
        made = 0
        while time.monotonic() < stop:
            made += len(sealing.seal_rows(LEDGER, now=NOW).sealed)
        return made

    *written, sealed_one, sealed_other = together([*(write(number) for number in range(4)), seal, seal])
    assert all(isinstance(count, int) and count > 5 for count in written)
    assert sealed_one + sealed_other == LedgerSeal.objects.count() >= 2
    sealing.seal_rows(LEDGER, now=NOW)
    assert wrong() == []
    assert sum(LedgerSeal.objects.values_list("count", flat=True)) == Transfer.objects.count()
