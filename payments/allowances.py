"""Allowances: what a game may take from a player, granted by the player, lowered by each pay (building blocks)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from core.db.transactions import require_atomic
from payments.models import Allowance
from payments.pot_rows import Row, summed


def grant(*, player_id: int, game_id: int, amounts_minor: Mapping[int, int], expires_at: datetime | None) -> None:
    """Set, not add to, the allowance of each token (id → minor units)."""
    require_atomic()
    rows = [
        Allowance(player_id=player_id, game_id=game_id, token_id=token_id, amount_minor=amount, expires_at=expires_at)
        for token_id, amount in sorted(amounts_minor.items())
    ]
    Allowance.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["player", "game", "token"],
        update_fields=["amount_minor", "expires_at"],
    )


def revoke(*, player_id: int, game_id: int, token_id: int | None) -> None:
    """Revoke the allowance of one token, or all of them."""
    require_atomic()
    rows = Allowance.objects.filter(player_id=player_id, game_id=game_id)
    (rows if token_id is None else rows.filter(token_id=token_id)).delete()


def left_minor(*, player_id: int, game_id: int, token_id: int, now: datetime) -> int:
    """What the game may still take of this token, in minor units."""
    row = _live(game_id, now).filter(player_id=player_id, token_id=token_id)
    return row.values_list("amount_minor", flat=True).first() or 0


def is_granted(*, player_id: int, game_id: int, now: datetime) -> bool:
    """Whether the player allows the game to take anything."""
    return _live(game_id, now).filter(player_id=player_id).exists()


def exceeded_by(*, game_id: int, rows: Sequence[Row], now: datetime) -> list[str]:
    """The plyrIds whose allowance is below the sum of their rows. Takes no lock: ``pots.pay`` decides."""
    wanted = summed(rows)
    known = {
        (player_id, token_id): amount
        for player_id, token_id, amount in _live(game_id, now)
        .filter(player_id__in={row.player_id for row in wanted})
        .values_list("player_id", "token_id", "amount_minor")
    }
    short = (r.plyr_id for r in wanted if known.get((r.player_id, r.token_id), 0) < r.amount_minor)
    return list(dict.fromkeys(short))


def _live(game_id: int, now: datetime) -> QuerySet[Allowance]:
    return Allowance.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), game_id=game_id)
