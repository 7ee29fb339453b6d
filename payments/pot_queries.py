"""Reading pots and players (no locks, no writes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from payments import allowances
from payments.errors import NotInPot, PlayerNotFound, PotNotFound
from payments.models import Account, PlayerProfile, PlayerSession, Pot, PotMember, Token
from payments.pot_rows import Seat
from payments.queries import Balance


@dataclass(frozen=True, kw_only=True)
class PotView:
    """A pot, its members and its balances."""

    pot: Pot
    plyr_ids: list[str]
    balances: list[Balance]


def pot_of(*, game_id: int, number: int) -> Pot:
    """The game's pot of this number. Raises ``PotNotFound``, for another game's too."""
    pot = Pot.objects.filter(game_id=game_id, number=number).first()
    if pot is None:
        raise PotNotFound()
    return pot


def view(*, game_id: int, number: int) -> PotView:
    """The pot with its members in the order they joined. Raises ``PotNotFound``."""
    pot = pot_of(game_id=game_id, number=number)
    inside = PotMember.objects.filter(pot=pot, left_at=None).order_by("id")
    accounts = Account.objects.filter(escrow_id=pot.escrow_id).order_by("token__symbol")
    return PotView(
        pot=pot,
        plyr_ids=list(inside.values_list("player__plyr_id", flat=True)),
        balances=[
            Balance(symbol=symbol, decimals=decimals, balance_minor=balance)
            for symbol, decimals, balance in accounts.values_list("token__symbol", "token__decimals", "balance_minor")
        ],
    )


def is_joined(*, game_id: int, number: int, plyr_id: str) -> bool:
    """Whether the player is in the pot now; False for an unknown pot."""
    members = PotMember.objects.filter(pot__game_id=game_id, pot__number=number, left_at=None)
    return members.filter(player__plyr_id=plyr_id).exists()


def require_members(*, pot: Pot, seats: Sequence[Seat], past_too: bool) -> None:
    """Raise ``NotInPot`` for players not in the pot (``past_too``: nor formerly). Takes no lock: the job decides."""
    absent = not_members(pot=pot, seats=seats, past_too=past_too)
    if absent:
        raise NotInPot(absent)


def not_members(*, pot: Pot, seats: Sequence[Seat], past_too: bool) -> list[str]:
    """The plyrIds of players not in the pot (``past_too``: nor formerly), in order."""
    members = PotMember.objects.filter(pot=pot, player_id__in={seat.player_id for seat in seats})
    found = set((members if past_too else members.filter(left_at=None)).values_list("player_id", flat=True))
    return list(dict.fromkeys(seat.plyr_id for seat in seats if seat.player_id not in found))


def player(plyr_id: str) -> PlayerProfile:
    """The player of this id. Raises ``PlayerNotFound``."""
    found = PlayerProfile.objects.select_related("user").filter(plyr_id=plyr_id).first()
    if found is None:
        raise PlayerNotFound()
    return found


def known_player(plyr_id: str, *, game_id: int, now: datetime) -> PlayerProfile:
    """The player, for a game that it has a session with or allows to take tokens. Raises ``PlayerNotFound``."""
    found = player(plyr_id)
    is_signed_in = PlayerSession.objects.filter(player=found, game_id=game_id, expires_at__gt=now).exists()
    if not is_signed_in and not allowances.is_granted(player_id=found.pk, game_id=game_id, now=now):
        raise PlayerNotFound()
    return found


def seats_of(plyr_ids: Sequence[str]) -> list[Seat]:
    """The players of these ids, in order. Raises ``PlayerNotFound`` for an unknown id."""
    ids = dict(PlayerProfile.objects.filter(plyr_id__in=set(plyr_ids)).values_list("plyr_id", "pk"))
    if len(ids) < len(set(plyr_ids)):
        raise PlayerNotFound()
    return [Seat(player_id=ids[plyr_id], plyr_id=plyr_id) for plyr_id in plyr_ids]


def exists(text: str) -> bool:
    """Whether a player has this plyrId, in any case, or this primary address."""
    return PlayerProfile.objects.filter(Q(plyr_id=text.lower()) | Q(primary_address=text)).exists()


def all_balances(user_id: int) -> list[Balance]:
    """The user's balance of every token, 0 without a wallet. Two statements."""
    held = dict(
        Account.objects.filter(kind=Account.Kind.WALLET, owner_id=user_id).values_list("token_id", "balance_minor")
    )
    return [
        Balance(symbol=token.symbol, decimals=token.decimals, balance_minor=held.get(token.pk, 0))
        for token in Token.objects.order_by("symbol")
    ]
