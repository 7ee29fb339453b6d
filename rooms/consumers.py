"""`/ws/game-rooms/{room_id}` and the lobby `/ws/game-rooms`: rooms as they change (contract: rooms).

A client opens a socket with ``?token=`` an access token or, in a browser, a one-use ticket. The room's stream begins
with a snapshot, or with ``since=<seq>`` with what the client missed; every event has the room's ``seq``. A stream
tells what any signed-in user may read; it ends with the client or with what the user signed in with.
"""

from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.db import database_sync_to_async

from accounts.authentication import authenticate_access_token
from accounts.errors import InvalidToken
from accounts.models import User
from accounts.standing import Standing, still_good, user_of
from core.db import clock
from core.realtime.sequenced import READ_EVENTS_MAX, SequencedConsumer
from core.realtime.sockets import CLOSE_UNAUTHORIZED, Frame, HubConsumer
from core.redis import tickets
from core.wire.fields import ID_MAX, iso_ms
from rooms import events, frames, stream
from rooms.errors import RoomNotFound

CLOSE_ROOM_NOT_FOUND = 4002


def _signed_in(token: str) -> User | None:
    """The user of an access token or a ticket; ``None`` for anything else. Raises ``Unavailable``."""
    if token.startswith(tickets.TICKET_START):
        claim = tickets.redeem(purpose=stream.TICKET_PURPOSE, ticket=token)
        return None if claim is None else user_of(Standing(**claim))
    try:
        return authenticate_access_token(token, clock.now())
    except InvalidToken:
        return None


def _query(scope: dict[str, Any]) -> dict[str, str]:
    """The last value of each parameter of the socket's address."""
    given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=10)
    return {name: values[-1] for name, values in given.items()}


class LobbyConsumer(HubConsumer):
    """Every public room's events; a client that reconnects lists the rooms again."""

    async def connect(self) -> None:
        await self.accept()
        user = await database_sync_to_async(_signed_in)(_query(self.scope).get("token", ""))
        if user is None:
            await self.close(CLOSE_UNAUTHORIZED)
            return
        self.stand_on(Standing.of(user), still_good=still_good)
        await self.join(events.LOBBY_TOPIC)
        self.reply({"type": "lobby", "timestamp": iso_ms(await database_sync_to_async(clock.now)())})

    @classmethod
    def encode_event(cls, event: dict[str, Any]) -> str:
        return orjson.dumps(frames.event(event)).decode()


class RoomConsumer(SequencedConsumer):
    """One room's stream, in order, without gap or repeat."""

    async def connect(self) -> None:
        await self.accept()
        query = _query(self.scope)
        user = await database_sync_to_async(_signed_in)(query.get("token", ""))
        if user is None:
            await self.close(CLOSE_UNAUTHORIZED)
            return
        self.stand_on(Standing.of(user), still_good=still_good)
        room_id = int(self.scope["url_route"]["kwargs"]["room_id"])
        try:
            if room_id > ID_MAX:
                raise RoomNotFound()
            await self.follow(events.room_topic(room_id))
            await self._begin(room_id, query.get("since", ""))
        except RoomNotFound:
            await self.close(CLOSE_ROOM_NOT_FOUND)

    async def _begin(self, room_id: int, since: str) -> None:
        seq = int(since) if since.isascii() and since.isdigit() and len(since) < 19 else None
        if seq is not None and await database_sync_to_async(stream.can_resume)(room_id=room_id, seq=seq):
            self.reply({"type": "resumed", "seq": seq, "room_id": room_id})
            self.begin_after(seq)
            self.catch_up()
            return
        state = await database_sync_to_async(stream.snapshot)(room_id)
        self.reply({**frames.snapshot(state), "recovered": seq is None or seq == state.seq})
        self.begin_after(state.seq)

    @classmethod
    def encode_event(cls, event: dict[str, Any]) -> str:
        return orjson.dumps(frames.event(event)).decode()

    @classmethod
    def read_frames(cls, topic: str, after_seq: int) -> list[Frame]:
        kept = stream.events_after(room_id=events.room_of(topic), seq=after_seq, limit=READ_EVENTS_MAX)
        return [Frame(topic, event["seq"], orjson.dumps(frames.event(event)).decode()) for event in kept]
