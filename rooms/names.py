"""Room names: unique among rooms not deleted, generated without gaps or races (building blocks)."""

from django.conf import settings
from django.db import connection
from django.db.models import Q

from accounts.models import Game
from core.db.transactions import require_atomic
from rooms.errors import DefaultSymbolMissing, RoomNameTaken
from rooms.models import Room, RoomNameSequence

# Taking a name is rare: one lock for all of them is simple, and lets a name that still waits in a pending change count
# as taken, which no unique index could.
NAMES_LOCK = 0x67616D65


def claim_name(*, name: str, room_id: int | None) -> None:
    """Reserve ``name`` until the transaction ends. Raises ``RoomNameTaken`` when a room has it or will get it."""
    require_atomic()
    _lock_names()
    if _is_taken(name, room_id):
        raise RoomNameTaken()


def generate_name(*, game: Game) -> str:
    """The game's next free name, ``{DEFAULT_SYMBOL}_{GAME_SYMBOL}_{SEQ}`` (contract: rooms, "room name").

    Raises ``DefaultSymbolMissing`` when DEFAULT_SYMBOL_GAME_ROOM is not set.
    """
    require_atomic()
    if not settings.DEFAULT_SYMBOL_GAME_ROOM:
        raise DefaultSymbolMissing()
    _lock_names()
    sequence, _ = RoomNameSequence.objects.get_or_create(game=game)
    while True:
        sequence.last += 1
        name = f"{settings.DEFAULT_SYMBOL_GAME_ROOM}_{game.symbol}_{sequence.last:03d}"
        if not _is_taken(name, None):
            sequence.save(update_fields=["last"])
            return name


def _lock_names() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NAMES_LOCK])


def _is_taken(name: str, room_id: int | None) -> bool:
    others = Room.objects.exclude(status=Room.Status.DELETED)
    if room_id is not None:
        others = others.exclude(pk=room_id)
    return others.filter(Q(name=name) | Q(pending_name=name)).exists()
