"""Assertions about money: nothing moved, and everything adds up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from payments.models import Account, Transfer
from rooms.checks import ALL_CHECKS
from rooms.models import Participant, RoomEvent, Session


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


def findings() -> list[str]:
    """What the auditors find wrong, in words."""
    return [f"{f.invariant} {f.where}: {f.what}" for check in ALL_CHECKS for f in check.run()]
