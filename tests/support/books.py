"""Assertions about money: nothing moved, and everything adds up."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from payments import ledger, wallets
from payments.audit import Check
from payments.models import Account, Adjustment, Token, Transfer
from rooms.checks import ALL_CHECKS
from rooms.models import Participant, RoomEvent, Session


def deposit(user: User, token: Token, amount_minor: int, *, now: datetime) -> Transfer:
    """New units in the user's wallet with their adjustment, inside any transaction.

    The adjustment is too old to count into what may be adjusted alone in a day.
    """
    with transaction.atomic():
        key = f"test:{uuid.uuid4()}"
        posting = ledger.Posting(
            debit_account_id=wallets.issuance_account(token).pk,
            credit_account_id=wallets.ensure_wallet(user=user, token=token).pk,
            amount_minor=amount_minor,
            code="deposit",
            reference=f"user:{user.pk}",
            key=key,
        )
        ledger.post(postings=[posting], now=now)
        made = Transfer.objects.get(idempotency_key=key)
        Adjustment.objects.create(
            public_id=uuid.uuid4(),
            kind="deposit",
            user=user,
            token=token,
            amount_minor=amount_minor,
            reason="test",
            actor=user,
            request_key=key,
            transfer=made,
            created_at=now - timedelta(days=2),
        )
    return made


def tamper(*statements: str) -> None:
    """Run statements as a superuser of the database can: with its triggers and foreign keys switched off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = 'origin'")


def balance(user, symbol: str = "GOLD") -> int:
    """Minor units in the user's wallet, 0 without one."""
    found = Account.objects.filter(kind="wallet", owner=user, token__symbol=symbol).first()
    return found.balance_minor if found else 0


def held(session: Session) -> int:
    """Minor units in the session's escrow."""
    return Account.objects.get(escrow=session.escrow_id).balance_minor


def everything() -> dict[str, Any]:
    """All that a refusal must leave as it was."""
    return {
        "balances": sorted(Account.objects.values_list("id", "balance_minor")),
        "transfers": Transfer.objects.count(),
        "places": sorted(Participant.objects.values_list("id", "status", "rank", "prize_minor")),
        "sessions": sorted(Session.objects.values_list("id", "status", "participants_count")),
        "events": RoomEvent.objects.count(),
    }


@contextmanager
def nothing_moves() -> Iterator[None]:
    """Fails when money, places, sessions or events changed inside the block."""
    before = everything()
    yield
    assert everything() == before


def findings(checks: Sequence[Check] = ALL_CHECKS) -> list[str]:
    """What the auditors find wrong, in words."""
    return [f"{f.invariant} {f.where}: {f.what}" for check in checks for f in check.run()]
