"""What a breach of the books sets off: an alarm, and no payment in the token concerned until staff released it."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from core.models import AuditEntry
from payments import adjustments, freezing, ledger, wallets
from payments.errors import TokenFrozen, TokenNotFrozen
from payments.models import Account, Token, TokenFreezeStep, Transfer
from rooms import entry, lifecycle, reconciliation, settlement, tick
from rooms.models import Session
from tests.support.books import balance, findings, held, nothing_moves


@pytest.fixture
def frozen(gold):
    """``frozen(now)`` freezes GOLD, which the fixtures' rooms are played for."""

    def freeze(now) -> None:
        assert freezing.freeze(token_id=gold.pk, now=now, reason="test") is True

    return freeze


@pytest.fixture
def room(make_room):
    return make_room()


@pytest.fixture
def session(room) -> Session:
    return Session.objects.get(pk=room.current_session_id)


@pytest.fixture
def crowd(people, fund):
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
    return guests


def release(gold, staff, now) -> None:
    freezing.release(token_id=gold.pk, now=now, reason="looked at it", actor=staff)


def test_frozen_token_answers_joins_with_503(room, session, crowd, join, frozen, gold, staff, api):
    frozen(session.opens_at)
    with nothing_moves(), pytest.raises(TokenFrozen):
        join(room, crowd[0])
    body = {"room_id": room.pk, "session_id": session.pk, "amount": 10}
    headers = {"Idempotency-Key": "one"}
    with nothing_moves():
        answer = api(crowd[0]).post("/api/v1/game-join-rooms", body, headers=headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    sentence = "Payments in this token are temporarily unavailable, please try again later"
    assert answer.json() == {"statusCode": 503, "message": sentence, "error": "Service Unavailable"}
    # The refusal is not remembered under the key: the same request goes through once the token is released.
    release(gold, staff, session.opens_at)
    assert api(crowd[0]).post("/api/v1/game-join-rooms", body, headers=headers).status_code == 201
    assert held(session) == 1_000


def test_join_before_the_freeze_is_replayed(room, session, crowd, join, frozen):
    place = join(room, crowd[0], request_key="k")
    frozen(session.opens_at)
    with nothing_moves():
        assert join(room, crowd[0], request_key="k").participant_id == place.participant_id


def test_leaving_waits_while_the_token_is_frozen(room, session, crowd, join, frozen, gold, staff):
    join(room, crowd[0])
    frozen(session.opens_at)
    with nothing_moves(), pytest.raises(TokenFrozen):
        entry.leave_session(session_id=session.pk, player=crowd[0], now=session.opens_at, request_key=None)
    release(gold, staff, session.opens_at)
    entry.leave_session(session_id=session.pk, player=crowd[0], now=session.opens_at, request_key=None)
    assert (balance(crowd[0]), held(session)) == (2_000, 0)


def test_settlement_waits_for_the_release(room, session, crowd, join, frozen, gold, staff):
    for guest in crowd:
        join(room, guest)
    tick.advance(now=session.starts_at)
    frozen(session.starts_at)
    with nothing_moves(), pytest.raises(TokenFrozen):
        settlement.settle_session(session_id=session.pk, now=session.ends_at)
    with nothing_moves():
        now = session.ends_at
        for _ in range(10):
            assert tick.advance(now=now).put_off == [session.pk]
            assert tick.advance(now=now + timedelta(seconds=29)).is_idle()
            now += timedelta(seconds=30)
    session.refresh_from_db()
    assert (session.status, session.failures, session.quarantined_at, held(session)) == ("running", 0, None, 4_000)
    release(gold, staff, now)
    assert tick.advance(now=now).settled == [session.pk]
    assert sorted(balance(guest) for guest in crowd) == [1_000, 1_800, 2_200, 3_000]
    assert findings() == []


def test_refund_waits_for_the_release(room, session, crowd, join, frozen, gold, staff):
    join(room, crowd[0])
    frozen(session.opens_at)
    with nothing_moves():
        assert tick.advance(now=session.starts_at).put_off == [session.pk]
    with nothing_moves(), pytest.raises(TokenFrozen):
        lifecycle.void_session(session_id=session.pk, now=session.starts_at, actor=staff, reason="x")
    release(gold, staff, session.starts_at)
    assert tick.advance(now=session.starts_at + timedelta(seconds=30)).started == [session.pk]
    session.refresh_from_db()
    assert (session.status, balance(crowd[0])) == ("out", 2_000)


def test_empty_session_closes_while_frozen(session, frozen):
    frozen(session.opens_at)
    assert tick.advance(now=session.starts_at).started == [session.pk]


def test_frozen_token_refuses_adjustments(player, fund, gold, staff, frozen, session):
    fund(player, 1_000)
    frozen(session.opens_at)
    for adjust in (adjustments.deposit, adjustments.withdraw):
        with nothing_moves(), pytest.raises(TokenFrozen):
            adjust(
                user=player,
                token=gold,
                amount_minor=10,
                reason="r",
                actor=staff,
                request_key=f"k-{adjust.__name__}",
                now=session.opens_at,
            )


def test_other_tokens_go_on(player, gold, frozen, session):
    with transaction.atomic():
        gems = wallets.ensure_token(symbol="GEMS", name="Gems", decimals=0)
        debit, credit = wallets.issuance_account(gems), wallets.ensure_wallet(user=player, token=gems)
        gold_debit, gold_credit = wallets.issuance_account(gold), wallets.ensure_wallet(user=player, token=gold)
    frozen(session.opens_at)

    def give(key, *pairs):
        with transaction.atomic():
            ledger.post(
                postings=[
                    ledger.Posting(
                        debit_account_id=giver.pk,
                        credit_account_id=taker.pk,
                        amount_minor=5,
                        code="deposit",
                        reference="test",
                        key=f"{key}:{taker.pk}",
                    )
                    for giver, taker in pairs
                ],
                now=session.opens_at,
            )

    give("one", (debit, credit))
    assert balance(player, "GEMS") == 5
    # A batch with one frozen token is refused whole.
    with nothing_moves(), pytest.raises(TokenFrozen):
        give("two", (debit, credit), (gold_debit, gold_credit))


# --- From here on the checks run in a snapshot of their own, so what they look at is committed -------------------

committed = pytest.mark.django_db(transaction=True)


def tamper(statement: str, *arguments: Any) -> None:
    """A superuser of the database can switch its triggers off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")
        cursor.execute(statement, arguments)


def run(*words: str) -> str:
    out = StringIO()
    call_command("reconcile", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def gems(player, rival, fund, gold) -> Token:
    """A second token. The player holds 1,000 GOLD units."""
    fund(player, 1_000)
    with transaction.atomic():
        return wallets.ensure_token(symbol="GEMS", name="Gems", decimals=0)


@committed
def test_right_books_raise_no_alarm_and_freeze_nothing(gems, caplog):
    assert "All money is where it belongs." in run()
    assert not Token.objects.exclude(payouts_frozen_at=None).exists()
    assert "ledger_breach" not in caplog.text


@committed
def test_breach_freezes_only_its_token(gems, gold, player, caplog):
    wallet = Account.objects.get(owner=player)
    tamper("UPDATE payments_account SET balance_minor = 1001 WHERE id = %s", wallet.pk)
    with pytest.raises(CommandError, match=r"Payments would be frozen in: GOLD\."):
        run("--dry-run")
    assert not TokenFreezeStep.objects.exists()

    with pytest.raises(CommandError, match=r"Frozen now: GOLD; before: none\.") as refusal:
        run()
    assert refusal.value.returncode == 1
    what = "wallet holds 1001, its transfers sum to 1000"
    assert f"ledger_breach invariant=I3 symbol=GOLD where='account {wallet.pk}' what='{what}'" in caplog.text
    assert [record.levelname for record in caplog.records if "ledger_" in record.message] == ["ERROR"] * 3
    gold.refresh_from_db()
    gems.refresh_from_db()
    assert gold.payouts_frozen_at is not None
    assert gold.payouts_frozen_reason == "reconciliation: I2 token GOLD: balances sum to 1"
    assert gems.payouts_frozen_at is None

    # The next hour raises the alarm again, and keeps the freeze as it was.
    with pytest.raises(CommandError, match=r"Frozen now: none; before: GOLD\."):
        run()
    step = TokenFreezeStep.objects.get()
    assert (step.token, step.kind, step.actor, step.at) == (gold, "frozen", None, gold.payouts_frozen_at)
    entry = AuditEntry.objects.get(action="token frozen")
    assert (entry.who(), entry.object_type, entry.object_id) == ("the platform", "payments.token", str(gold.pk))
    assert (entry.reason, entry.before["frozen_at"]) == ("reconciliation: I2 token GOLD: balances sum to 1", None)
    assert entry.after["frozen_at"] is not None


@committed
def test_a_breach_in_sealed_rows_freezes_every_token(gems, gold, player):
    call_command("seal_ledger", stdout=StringIO())
    tamper("DELETE FROM payments_ledgerseal")
    first = Transfer.objects.get().pk
    tamper(
        "INSERT INTO payments_ledgerseal (first_transfer_id, last_transfer_id, count, gaps, digest, previous_digest,"
        " sealed_at) VALUES (1, %s, 1, '{}', 'forged', %s, now())",
        first,
        "0" * 64,
    )
    breach, newly_frozen = reconciliation.reconcile(now=gold.created_at)
    assert (breach.symbols, newly_frozen) == (["GEMS", "GOLD"], ["GEMS", "GOLD"])


@committed
def test_later_findings_freeze_their_tokens_too(gems, people, gold):
    """The report names the first 20 findings; the freeze counts them all."""
    guests = people(21)
    with transaction.atomic():
        for guest in guests[:20]:
            wallets.ensure_wallet(user=guest, token=gold)
        wallets.ensure_wallet(user=guests[20], token=gems)
    tamper("UPDATE payments_account SET balance_minor = 1 WHERE kind = 'wallet'")
    # Balances that sum to 0 again: only I3 can tell.
    tamper(
        """UPDATE payments_account i SET balance_minor = -(SELECT sum(balance_minor) FROM payments_account a
           WHERE a.token_id = i.token_id AND a.kind <> 'issuance') WHERE kind = 'issuance'"""
    )
    breach = reconciliation.look()
    assert {finding.invariant for finding in breach.findings} == {"I3"}
    assert breach.symbols == ["GEMS", "GOLD"]


@committed
def test_staff_release_a_token_with_a_reason(gems, gold, player, staff):
    wallet = Account.objects.get(owner=player)
    tamper("UPDATE payments_account SET balance_minor = 1001 WHERE id = %s", wallet.pk)
    with pytest.raises(CommandError):
        run()
    words = ("--unfreeze", "gold", "--actor", "staff", "--reason", "balance corrected")
    with pytest.raises(CommandError, match=r"GOLD was not released. The books are still wrong: I2 token GOLD"):
        run(*words)
    tamper("UPDATE payments_account SET balance_minor = 1000 WHERE id = %s", wallet.pk)
    for missing in (("--unfreeze", "GOLD"), ("--unfreeze", "GOLD", "--reason", "r"), words[:4]):
        with pytest.raises(CommandError, match="needs --reason and --actor"):
            run(*missing)
    with pytest.raises(CommandError, match="No active member of staff is called player"):
        run("--unfreeze", "GOLD", "--reason", "r", "--actor", "player")
    assert "Would release GOLD." in run(*words, "--dry-run")
    gold.refresh_from_db()
    assert gold.payouts_frozen_at is not None

    assert "GOLD is released" in run(*words)
    gold.refresh_from_db()
    assert (gold.payouts_frozen_at, gold.payouts_frozen_reason) == (None, "")
    step = TokenFreezeStep.objects.latest("id")
    assert (step.kind, step.actor, step.reason) == ("released", staff, "balance corrected")
    with pytest.raises(CommandError, match="The token is not frozen"):
        run(*words)
    assert TokenFreezeStep.objects.count() == 2


def test_a_release_of_what_is_not_frozen_is_refused(gold, staff, session):
    with pytest.raises(TokenNotFrozen):
        release(gold, staff, session.opens_at)
    assert not TokenFreezeStep.objects.exists()
