"""The demo's people, games, money and rooms. Every part is looked for first, so that a repetition makes nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.contrib.auth.hashers import check_password

from accounts.identity import insert_user
from accounts.models import Game, User
from core.amounts import parse_amount
from core.db.transactions import use_case
from gameplatform.demo.logins import CAST, Login, Role
from payments import adjustments, wallets
from payments.models import Adjustment, Token
from rooms import offers
from rooms.models import Room
from rooms.terms import AMOUNT_DECIMALS

STAFF = "demo_staff"
MASTER = "demo_master"
PLAYER_MONEY = "1000"
JOIN_WINDOW_SECONDS = 20
RUN_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class DemoGame:
    """A game of the demo, with the model's values for how its sessions are decided."""

    symbol: str
    name: str
    result_mode: str = Game.ResultMode.DRAW
    score_order: str = Game.ScoreOrder.DESCENDING


GAMES = (
    DemoGame(symbol="REELS", name="Lucky Reels"),
    DemoGame(symbol="WHEEL", name="Treasure Wheel"),
    DemoGame(symbol="LOTTO", name="Evening Lottery"),
    # The score is a time in seconds: the lowest is the best.
    DemoGame(
        symbol="KART",
        name="Canyon Karts",
        result_mode=Game.ResultMode.SCORE,
        score_order=Game.ScoreOrder.ASCENDING,
    ),
)


@dataclass(frozen=True, kw_only=True)
class DemoRoom:
    """A room of the demo; the fee in whole tokens, the percents by rank."""

    name: str
    game: str
    fee: str
    percents: tuple[Decimal, ...]
    seats: int


def _percents(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)


ROOMS = (
    DemoRoom(name="Reels for a Few", game="REELS", fee="5", percents=_percents("65", "35"), seats=6),
    DemoRoom(name="Wheel of Three", game="WHEEL", fee="7.50", percents=_percents("50", "30", "20"), seats=12),
    DemoRoom(name="Canyon Time Trial", game="KART", fee="3", percents=_percents("55", "30", "15"), seats=24),
    DemoRoom(name="The Big Evening", game="LOTTO", fee="2", percents=_percents("45", "25", "15", "10", "5"), seats=60),
    # So many prizes that the minimum is hardly ever reached: what happens here is the refund.
    DemoRoom(
        name="Twenty or Nothing",
        game="LOTTO",
        fee="1.25",
        percents=tuple(Decimal("9.75") - Decimal("0.5") * rank for rank in range(20)),
        seats=40,
    ),
)


@dataclass(frozen=True, kw_only=True)
class DemoPart:
    """One thing the demo needs: whether it is there, and how it is made."""

    title: str
    exists: Callable[[], bool]
    make: Callable[[], object]


def missing_parts(*, logins: Mapping[str, Login], now: datetime) -> Iterator[DemoPart]:
    """The parts that are not there yet, in the order in which they can be made.

    Each is looked for only when the one before has been taken: make it, then ask for the next. ``logins`` has one for
    everybody of the cast.
    """
    return (part for part in _parts(logins, now) if not part.exists())


def _parts(logins: Mapping[str, Login], now: datetime) -> Iterator[DemoPart]:
    symbol = settings.ROOM_TOKEN_SYMBOL
    yield DemoPart(
        title=f"token {symbol}",
        exists=Token.objects.filter(symbol=symbol).exists,
        make=partial(adjustments.create_token, symbol=symbol, name="Demo Gold", decimals=AMOUNT_DECIMALS),
    )
    for username, role in CAST.items():
        login = logins[username]
        yield DemoPart(
            title=f"{role.value} {username}",
            exists=partial(_is_as_wanted, login, role),
            make=partial(ensure_person, login=login, role=role, now=now),
        )
    for username, role in CAST.items():
        if role is Role.PLAYER:
            yield DemoPart(
                title=f"{PLAYER_MONEY} {symbol} for {username}",
                exists=Adjustment.objects.filter(actor__username=STAFF, request_key=_money_key(username)).exists,
                make=partial(_give_money, username, now),
            )
    for game in GAMES:
        yield DemoPart(
            title=f"game {game.name}",
            exists=Game.objects.filter(symbol=game.symbol).exists,
            make=partial(_make_game, game=game, now=now),
        )
    for room in ROOMS:
        yield DemoPart(
            title=f"room {room.name}",
            # One that was deleted counts: who deleted it does not want it back.
            exists=Room.objects.filter(owner__username=MASTER, name=room.name).exists,
            make=partial(_make_room, room, now),
        )


def _is_as_wanted(login: Login, role: Role) -> bool:
    user = User.objects.filter(username=login.username).first()
    return (
        user is not None
        and user.is_active
        and user.is_superuser == user.is_staff == (role is Role.STAFF)
        and user.is_master == (role is Role.MASTER)
        and user.wallet_address is not None
        # Not the user's own check_password, which may write a newer hash: a dry run only looks.
        and check_password(login.password, user.password)
    )


@use_case
def ensure_person(*, login: Login, role: Role, now: datetime) -> None:
    """The demo account with this login, able to sign in with it, with its role's rights and a wallet connected.

    An account that another data folder's demo made keeps its history and takes this folder's password.
    """
    user = User.objects.select_for_update(no_key=True).filter(username=login.username).first()
    if user is None:
        user = insert_user(
            username=login.username, password=login.password, email=None, fullname="", is_master=False, now=now
        )
    if not check_password(login.password, user.password):
        user.set_password(login.password)
    user.is_active = True
    user.is_staff = user.is_superuser = role is Role.STAFF
    user.is_master = role is Role.MASTER
    user.wallet_address = user.wallet_address or f"wallet-of-{login.username}"
    user.save(update_fields=["password", "is_active", "is_staff", "is_superuser", "is_master", "wallet_address"])


@use_case
def _make_game(*, game: DemoGame, now: datetime) -> None:
    Game.objects.create(
        name=game.name,
        symbol=game.symbol,
        result_mode=game.result_mode,
        score_order=game.score_order,
        created_at=now,
    )


def _money_key(username: str) -> str:
    return f"seed_demo:{username}"


def _give_money(username: str, now: datetime) -> None:
    adjustments.deposit(
        user=User.objects.get(username=username),
        token=wallets.token_by_symbol(settings.ROOM_TOKEN_SYMBOL),
        amount_minor=parse_amount(PLAYER_MONEY, decimals=AMOUNT_DECIMALS),
        reason="Demo money",
        actor=User.objects.get(username=STAFF),
        request_key=_money_key(username),
        now=now,
    )


def _make_room(room: DemoRoom, now: datetime) -> None:
    offers.create_room(
        actor=User.objects.get(username=MASTER),
        game_id=Game.objects.get(symbol=room.game).pk,
        name=room.name,
        symbol=room.game,
        entry_fee_minor=parse_amount(room.fee, decimals=AMOUNT_DECIMALS),
        prize_table=list(enumerate(room.percents, start=1)),
        now=now,
        max_participants=room.seats,
        join_window_seconds=JOIN_WINDOW_SECONDS,
        run_seconds=RUN_SECONDS,
    )
