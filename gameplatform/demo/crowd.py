"""`seed_demo --size large`: what the platform looks like after some busy days, made in minutes (use cases).

Sessions that are over, with their entries, prizes, refunds, draws and steps, as the platform itself would have left
them: `verify_ledger` and `verify_draw` find nothing wrong. Made in batches, one transaction each, that are looked for
first: a run that was stopped is taken up where it was, and one more makes nothing.

How many transfers a crowd comes to: one deposit for each player, and 10 for each session that anybody joined (seven
fees and three prizes, or five fees and five refunds). One session in 1,000 is joined by nobody.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from accounts.models import Game, User
from core.db.transactions import use_case
from gameplatform.demo import crowd_rows
from gameplatform.demo.crowd_rows import Place, Played
from gameplatform.demo.seeding import MASTER
from payments import ledger, wallets
from payments.errors import TokenFrozen
from payments.models import Account, Adjustment, Token, Transfer
from rooms import draw, prizes
from rooms.models import Room, Session

GAME = "REELS"
SHARES_BP = [5_000, 3_000, 2_000]
SEATS = 12
JOIN_WINDOW = timedelta(seconds=180)
RUN = timedelta(seconds=60)
GAP = timedelta(seconds=10)
PERIOD = JOIN_WINDOW + RUN + GAP
# The newest session ended so long before the crowd was made.
QUIET = timedelta(minutes=5)
DEPOSIT_MINOR = 500_000
DEPOSITS_AT_ONCE = 500
ENTRIES_SETTLED, ENTRIES_VOID = 7, 5
# Every so many-th session is joined by nobody, or is called off while it runs.
EMPTY_EVERY, VOID_EVERY = 1_000, 20
TRANSFERS_PER_SESSION = 10
_NAMESPACE = uuid.UUID("6b1f2c52-6f0e-4a3f-9d4c-0d9a3f5f7d10")


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """How large: batches of ``batch`` sessions, spread over the rooms."""

    players: int
    rooms: int
    sessions: int
    batch: int

    def batches(self) -> range:
        """The numbers of the batches."""
        return range((self.sessions + self.batch - 1) // self.batch)

    def numbers(self, batch: int) -> range:
        """The numbers of a batch's sessions."""
        return range(batch * self.batch, min((batch + 1) * self.batch, self.sessions))

    def transfers(self) -> int:
        """How many transfers it comes to."""
        empty = self.sessions // EMPTY_EVERY
        return self.players + TRANSFERS_PER_SESSION * (self.sessions - empty)


# 100,000 sessions and 1,000,000 transfers, over the latest 5.8 days.
LARGE = Crowd(players=1_000, rooms=50, sessions=100_000, batch=2_000)


def missing_players(crowd: Crowd) -> list[str]:
    """The names of the players who are not there yet."""
    names = [f"crowd_{number:05d}" for number in range(crowd.players)]
    known = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    return [name for name in names if name not in known]


def missing_rooms(crowd: Crowd) -> list[str]:
    """The names of the rooms that are not there yet; a deleted one counts as there."""
    names = [_room_name(number) for number in range(crowd.rooms)]
    known = set(Room.objects.filter(owner__username=MASTER, name__in=names).values_list("name", flat=True))
    return [name for name in names if name not in known]


def missing_batches(crowd: Crowd) -> list[int]:
    """The batches that are not there yet. A batch is there or not: its first session tells."""
    first = {public_id(batch * crowd.batch): batch for batch in crowd.batches()}
    known = set(Session.objects.filter(public_id__in=first).values_list("public_id", flat=True))
    return [batch for key, batch in first.items() if key not in known]


def public_id(number: int) -> uuid.UUID:
    """The id of the crowd's session of this number."""
    return uuid.uuid5(_NAMESPACE, f"session:{number}")


@use_case
def make_players(*, names: Sequence[str], now: datetime) -> None:
    """Players who cannot sign in, with 5,000.00 each. Raises ``TokenFrozen``."""
    token = _token()
    users = User.objects.bulk_create(
        User(username=name, password="!", wallet_address=f"wallet-of-{name}", date_joined=now) for name in names
    )
    accounts = Account.objects.bulk_create(Account(kind=Account.Kind.WALLET, owner=user, token=token) for user in users)
    # Not the demo's staff: what it may deposit alone in a day would be used up.
    actor = User.objects.get(username=MASTER)
    for start in range(0, len(accounts), DEPOSITS_AT_ONCE):
        _deposit(accounts[start : start + DEPOSITS_AT_ONCE], token, actor, now)


@use_case
def make_rooms(*, names: Sequence[str], now: datetime) -> None:
    """Rooms of the demo's master that are switched off: their sessions are history."""
    token, game = _token(), Game.objects.get(symbol=GAME)
    owner = User.objects.get(username=MASTER)
    Room.objects.bulk_create(
        Room(
            name=name,
            game=game,
            owner=owner,
            token=token,
            entry_fee_minor=_fee_minor(name),
            prize_shares_bp=SHARES_BP,
            max_participants=SEATS,
            join_window_seconds=int(JOIN_WINDOW.total_seconds()),
            run_seconds=int(RUN.total_seconds()),
            status=Room.Status.INACTIVE,
            created_at=now,
        )
        for name in names
    )


@use_case
def make_batch(*, crowd: Crowd, batch: int, now: datetime) -> None:
    """The sessions of one batch with all that belongs to them. Raises ``TokenFrozen``."""
    token = _token()
    rooms = {room.name: room for room in Room.objects.filter(owner__username=MASTER)}
    wallets_of = list(
        Account.objects.select_for_update(no_key=True, of=("self",))
        .filter(token=token, kind=Account.Kind.WALLET, owner__username__startswith="crowd_")
        .select_related("owner")
        .order_by("id")
    )
    begins = _anchor(crowd, now)
    # The same batch is the same play, whenever it is made.
    chance = random.Random(f"gameplatform-demo:{batch}")
    played = [
        _play(number, rooms[_room_name(number % crowd.rooms)], wallets_of, begins + _offset(number, crowd), chance)
        for number in crowd.numbers(batch)
    ]
    crowd_rows.write(played, token=token)


def analyse() -> None:
    """Tell PostgreSQL how large the tables have become: the lists' estimates and plans come from there."""
    with connection.cursor() as cursor:
        for table in crowd_rows.TABLES:
            cursor.execute(f"ANALYZE {table}")


def _deposit(accounts: Sequence[Account], token: Token, actor: User, now: datetime) -> None:
    issuance = wallets.issuance_account(token)
    owners = {f"seed_demo:crowd:{account.owner_id}": account.owner for account in accounts if account.owner}
    postings = [
        ledger.Posting(
            debit_account_id=issuance.pk,
            credit_account_id=account.pk,
            amount_minor=DEPOSIT_MINOR,
            code="deposit",
            reference=f"user:{account.owner_id}",
            key=key,
        )
        for key, account in zip(owners, accounts, strict=True)
    ]
    ledger.post(postings=postings, now=now)
    Adjustment.objects.bulk_create(
        Adjustment(
            public_id=uuid.uuid4(),
            kind=Adjustment.Kind.DEPOSIT,
            user=owners[transfer.idempotency_key],
            token=token,
            amount_minor=DEPOSIT_MINOR,
            reason="seed_demo",
            actor=actor,
            request_key=transfer.idempotency_key,
            transfer=transfer,
            created_at=now,
        )
        for transfer in Transfer.objects.filter(idempotency_key__in=owners)
    )


def _token() -> Token:
    token = wallets.token_by_symbol(settings.ROOM_TOKEN_SYMBOL)
    if token.payouts_frozen_at is not None:
        raise TokenFrozen()
    return token


def _room_name(number: int) -> str:
    return f"Hall {number + 1:02d}"


def _fee_minor(name: str) -> int:
    # 1.00 to 5.00, the same for a name each time.
    return 100 * (1 + int(name.removeprefix("Hall ")) % 5)


def _offset(number: int, crowd: Crowd) -> timedelta:
    """When the session opens, counted from the crowd's beginning: the rooms take turns."""
    turn, room = divmod(number, crowd.rooms)
    return turn * PERIOD + room * (PERIOD / crowd.rooms)


def _anchor(crowd: Crowd, now: datetime) -> datetime:
    """When the crowd began: what an earlier run of the same crowd says, or so that its end is now."""
    first = Session.objects.filter(public_id=public_id(0)).values_list("opens_at", flat=True).first()
    return first or now - QUIET - _offset(crowd.sessions, crowd) - PERIOD


def _play(number: int, room: Room, accounts: Sequence[Account], opens_at: datetime, chance: random.Random) -> Played:
    is_empty = number % EMPTY_EVERY == EMPTY_EVERY - 1
    is_void = not is_empty and number % VOID_EVERY == VOID_EVERY // 2
    entries = 0 if is_empty else ENTRIES_VOID if is_void else ENTRIES_SETTLED
    able = [account for account in accounts if account.balance_minor >= room.entry_fee_minor]
    players = chance.sample(able, entries)
    places = [
        Place(
            public_id=uuid.uuid5(_NAMESPACE, f"place:{number}:{position}"),
            account=account,
            joined_at=opens_at + (position + 1) * JOIN_WINDOW / (ENTRIES_SETTLED + 1),
        )
        for position, account in enumerate(players)
    ]
    key, seed = str(public_id(number)), chance.randbytes(draw.SEED_BYTES)
    ids = [str(place.public_id) for place in places]
    status = Session.Status.OUT if is_empty else Session.Status.VOID if is_void else Session.Status.ENDED
    if status == Session.Status.ENDED:
        pool_minor = room.entry_fee_minor * entries
        by_id = {str(place.public_id): place for place in places}
        order = draw.draw(session_id=key, seed=seed, entry_ids=ids).order
        for rank, prize in enumerate(prizes.award(pool_minor=pool_minor, shares_bp=SHARES_BP, entries=entries), 1):
            by_id[order[rank - 1]].rank, by_id[order[rank - 1]].prize_minor = rank, prize
    for place in places:
        # What a refund gives back was taken before: only a settled session moves money.
        if status == Session.Status.ENDED:
            place.account.balance_minor += place.prize_minor - room.entry_fee_minor
    return Played(
        public_id=public_id(number),
        room=room,
        status=status,
        opens_at=opens_at,
        starts_at=opens_at + JOIN_WINDOW,
        ends_at=opens_at + JOIN_WINDOW + RUN,
        seed=seed,
        commit=draw.commit(session_id=key, seed=seed),
        roster=None if is_empty else draw.roster(session_id=key, entry_ids=ids),
        places=places,
    )
