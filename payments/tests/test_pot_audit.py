"""Each check of the pots finds the one thing that is made wrong for it."""

import pytest
from django.db import connection

from core.db import clock
from payments import ledger
from payments.models import Account, Job, Pot, PotGame
from tests.support.books import balance
from tests.support.pots import account_of, pot_findings

pytestmark = pytest.mark.django_db


@pytest.fixture
def pot(server, seated) -> Pot:
    ada, ben = seated("ada-lake"), seated("ben-7-hill")
    body = {"sessionJwts": [ada.jwt, ben.jwt], "tokens": ["gold"] * 2, "amounts": [10, 5], "sync": True}
    server.post("/game/createJoinPay", body)
    server.post("/game/earn", {"roomId": 1, "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": [2], "sync": True})
    assert pot_findings() == []
    return Pot.objects.get()


def found() -> set[str]:
    return {finding.split()[0] for finding in pot_findings()}


def test_money_that_came_in_by_another_way(pot, gold):
    wallet = Account.objects.filter(kind="wallet").first()
    posting = ledger.Posting(
        debit_account_id=wallet.pk,
        credit_account_id=account_of(pot).pk,
        amount_minor=1,
        code="pot_pay",
        reference="nobody",
        key="test:present",
    )
    ledger.post(postings=[posting], now=clock.now())
    assert found() == {"P1", "P8"}
    assert balance(wallet.owner) < 10_000


def test_a_pot_that_is_over_and_holds_money(pot):
    Pot.objects.update(status="ended", over_at=clock.now())
    assert found() == {"P2"}


def test_an_allowance_below_zero(pot):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE payments_allowance DROP CONSTRAINT allowance_not_negative")
        cursor.execute("UPDATE payments_allowance SET amount_minor = -1")
    assert found() == {"P3"}


def test_a_wrong_count_of_members(pot):
    Pot.objects.update(members_count=1)
    assert found() == {"P4"}


def test_a_number_that_was_left_out(pot):
    Pot.objects.update(number=2)
    assert found() == {"P5"}
    PotGame.objects.update(last_pot_number=2)
    assert found() == {"P5"}


def test_a_result_that_is_not_what_was_booked(pot):
    job = Job.objects.get(kind="earn")
    job.result["distributions"][0]["amount_minor"] += 1
    job.save()
    assert found() == {"P6"}


def test_a_failed_job_that_booked_something(pot):
    Job.objects.filter(kind="earn").update(status="failed", result=None)
    assert found() == {"P6"}


def test_an_escrow_that_somebody_else_controls(pot):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_escrow DISABLE TRIGGER escrow_keeps_controller")
        cursor.execute("UPDATE payments_escrow SET controller = 'session'")
    assert found() == {"P7"}
