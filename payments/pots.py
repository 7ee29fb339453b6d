"""Pots: create, join, pay, earn, leave, end, close (building blocks; ``payments.jobs`` runs them, a job at a time).

Locks are taken in one order: the pot's game (only by ``create``) → the pot → allowances by id → accounts by id. Each
block leaves all of its work or, by raising, none: the caller's transaction is rolled back then. Rules and sentences:
contract payments, "Rooms".
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet

from core.db import sql
from core.db.transactions import require_atomic
from payments import ledger, wallets
from payments.addresses import address_of
from payments.errors import (
    AllowanceExceeded,
    GameOwnerMissing,
    NotInPot,
    PlayersShort,
    PotExpired,
    PotFull,
    PotNotEmpty,
    PotNotExpired,
    PotNotFound,
    PotOver,
    PotShort,
    TokenFrozen,
)
from payments.models import Account, Escrow, Pot, PotGame, PotMember
from payments.pot_rows import Row, Seat, summed

LIFETIME_SECONDS_DEFAULT = 24 * 3600
LIFETIME_SECONDS_MAX = 366 * 24 * 3600
CAPACITY_MAX = 100_000

_PAY_REFUSALS = {"not_joined": NotInPot, "allowance": AllowanceExceeded, "insufficient_funds": PlayersShort}


def create(*, game_id: int, lifetime_seconds: int | None, capacity: int | None, now: datetime) -> Pot:
    """The game's next pot. Numbers count 1, 2, 3… without a gap: one is taken with its pot or not at all."""
    require_atomic()
    PotGame.objects.bulk_create([PotGame(game_id=game_id)], ignore_conflicts=True)
    settings_row = PotGame.objects.select_for_update(no_key=True).get(pk=game_id)
    settings_row.last_pot_number += 1
    settings_row.save(update_fields=["last_pot_number"])
    number = settings_row.last_pot_number
    return Pot.objects.create(
        game_id=game_id,
        number=number,
        escrow=Escrow.objects.create(controller=Escrow.Controller.POT),
        address=address_of("pot", str(game_id), str(number)),
        capacity=capacity,
        deadline=now + timedelta(seconds=lifetime_seconds or LIFETIME_SECONDS_DEFAULT),
        created_at=now,
    )


def lock(*, game_id: int, number: int) -> Pot:
    """Lock the game's pot of this number; waits for the holder. Raises ``PotNotFound``."""
    require_atomic()
    pot = Pot.objects.select_for_update(no_key=True).filter(game_id=game_id, number=number).first()
    if pot is None:
        raise PotNotFound()
    return pot


def join(*, pot: Pot, seats: Sequence[Seat], now: datetime) -> None:
    """Let the players in; members stay. Raises ``PotOver``, ``PotExpired``, ``PotFull``."""
    require_atomic()
    _require_open(pot)
    known = dict(_members(pot, seats).values_list("player_id", "left_at"))
    wanted = dict.fromkeys(seat.player_id for seat in seats)
    newcomers = [player_id for player_id in wanted if player_id not in known]
    returning = [player_id for player_id in wanted if known.get(player_id) is not None]
    count = len(newcomers) + len(returning)
    if count == 0:
        return
    _require_before_deadline(pot, now)
    if pot.capacity is not None and pot.members_count + count > pot.capacity:
        raise PotFull()
    PotMember.objects.bulk_create(PotMember(pot=pot, player_id=player_id, joined_at=now) for player_id in newcomers)
    if returning:
        PotMember.objects.filter(pot=pot, player_id__in=returning).update(left_at=None)
    _count_members(pot, count)


def pay(*, pot: Pot, rows: Sequence[Row], key: str, now: datetime) -> list[Row]:
    """Players in the pot pay into it, out of their allowance; the rows as booked.

    Raises ``PotOver``, ``PotExpired``, ``NotInPot``, ``AllowanceExceeded``, ``PlayersShort``, ``InvalidAmount``,
    ``TokenFrozen``.
    """
    require_atomic()
    _require_open(pot)
    _require_before_deadline(pot, now)
    _require_members([row for row in rows if row.amount_minor == 0], _members(pot, rows).filter(left_at=None))
    booked = summed(rows)
    if not booked:
        return []
    answer = sql.call("pot_pay", pot.pk, *_columns(booked), _key(pot, key), uuid.uuid4(), now)
    if answer["result"] == "token_frozen":
        raise TokenFrozen()
    if answer["result"] in _PAY_REFUSALS:
        raise _PAY_REFUSALS[answer["result"]](_names(booked, answer["offenders"]))
    return booked


def earn(*, pot: Pot, rows: Sequence[Row], key: str, now: datetime) -> list[tuple[Row, int]]:
    """The pot pays players who are or were in it; each row as booked with the house's fee out of it, in minor units.

    The fee is POT_HOUSE_FEE_BP basis points of a row, rounded down. Raises ``PotOver``, ``NotInPot``, ``PotShort``,
    ``InvalidAmount``, ``TokenFrozen``.
    """
    require_atomic()
    _require_open(pot)
    _require_members([row for row in rows if row.amount_minor == 0], _members(pot, rows))
    booked = summed(rows)
    if not booked:
        return []
    fee_bp = settings.POT_HOUSE_FEE_BP
    answer = sql.call("pot_earn", pot.pk, *_columns(booked), fee_bp, _key(pot, key), uuid.uuid4(), now)
    if answer["result"] == "token_frozen":
        raise TokenFrozen()
    if answer["result"] == "not_joined":
        raise NotInPot(_names(booked, answer["offenders"]))
    if answer["result"] == "insufficient_funds":
        raise PotShort()
    return list(zip(booked, answer["fees"], strict=True))


def leave(*, pot: Pot, seats: Sequence[Seat], now: datetime) -> None:
    """Remove the players, without a refund, at any time. Raises ``NotInPot``."""
    require_atomic()
    inside = _members(pot, seats).filter(left_at=None)
    _require_members(seats, inside)
    _count_members(pot, -inside.update(left_at=now))


def end(*, pot: Pot, now: datetime) -> None:
    """End the pot, which must hold nothing. Raises ``PotOver``, ``PotNotEmpty``."""
    require_atomic()
    _require_open(pot)
    if _balances(pot):
        raise PotNotEmpty()
    _finish(pot, Pot.Status.ENDED, now)


def close(*, pot: Pot, key: str, now: datetime) -> list[Account]:
    """Close a pot past its deadline; what it holds goes to the game's owner. The emptied accounts, as they were.

    Raises ``PotOver``, ``PotNotExpired``, ``GameOwnerMissing``, ``TokenFrozen``.
    """
    require_atomic()
    _require_open(pot)
    if now < pot.deadline:
        raise PotNotExpired()
    rest = _balances(pot)
    if rest:
        game = PotGame.objects.select_related("owner").filter(pk=pot.game_id, owner__isnull=False).first()
        if game is None or game.owner is None:
            raise GameOwnerMissing()
        postings = [
            ledger.Posting(
                debit_account_id=account.pk,
                credit_account_id=wallets.ensure_wallet(user=game.owner, token=account.token).pk,
                amount_minor=account.balance_minor,
                code="pot_close",
                reference=f"pot:{pot.pk}",
                key=f"{_key(pot, key)}:close:{account.token_id}",
            )
            for account in rest
        ]
        ledger.post(postings=postings, now=now)
    _finish(pot, Pot.Status.CLOSED, now)
    return rest


def _require_open(pot: Pot) -> None:
    if pot.status != Pot.Status.OPEN:
        raise PotOver()


def _require_before_deadline(pot: Pot, now: datetime) -> None:
    if now >= pot.deadline:
        raise PotExpired()


def _members(pot: Pot, people: Sequence[Seat | Row]) -> QuerySet[PotMember]:
    return PotMember.objects.filter(pot=pot, player_id__in={one.player_id for one in people})


def _require_members(people: Sequence[Seat | Row], members: QuerySet[PotMember]) -> None:
    if not people:
        return
    found = set(members.values_list("player_id", flat=True))
    missing = {one.player_id: one.plyr_id for one in people if one.player_id not in found}
    if missing:
        raise NotInPot(list(missing.values()))


def _count_members(pot: Pot, change: int) -> None:
    Pot.objects.filter(pk=pot.pk).update(members_count=F("members_count") + change)
    pot.members_count += change


def _balances(pot: Pot) -> list[Account]:
    accounts = Account.objects.filter(escrow_id=pot.escrow_id, balance_minor__gt=0)
    return list(accounts.select_related("token").order_by("token_id"))


def _finish(pot: Pot, status: Pot.Status, now: datetime) -> None:
    if Pot.objects.filter(pk=pot.pk, status=Pot.Status.OPEN).update(status=status, over_at=now) != 1:
        raise PotOver()
    pot.status, pot.over_at = status, now


def _columns(rows: Sequence[Row]) -> tuple[list[int], list[int], list[int]]:
    return [r.player_id for r in rows], [r.token_id for r in rows], [r.amount_minor for r in rows]


def _names(rows: Sequence[Row], player_ids: Sequence[int]) -> list[str]:
    return list(dict.fromkeys(row.plyr_id for row in rows if row.player_id in player_ids))


def _key(pot: Pot, key: str) -> str:
    return f"pot:{pot.pk}:{key}"
