"""The chat's socket: ``/ws/{room_id}`` (contract: chat, "WebSocket")."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from django.db import Error as DatabaseError
from rest_framework.exceptions import ValidationError

from accounts.standing import still_good
from chat import events, messages, presence, queries
from chat.api.outputs import MESSAGE
from chat.api.serializers import SocketMessage, SocketQuery, SocketTyping
from chat.errors import FieldInvalid, RoomAccessDenied, RoomInactive, RoomNotFound
from chat.feeds import announce_arrival, announce_departure, get_feeds
from chat.models import Conversation
from chat.policies import require_voice
from chat.posting import Draft
from chat.seating import Seat, SocketUnauthorized, take_seat
from core.db import clock
from core.errors import DomainError, Unavailable
from core.json_text import MalformedJSON
from core.realtime.offload import offload
from core.realtime.sockets import CLOSE_TRY_AGAIN_LATER, CLOSE_UNAUTHORIZED, HELD_FRAMES_MAX, HubConsumer
from core.redis.connection import RedisAway
from core.wire import chatapi

CLOSE_ROOM_NOT_FOUND = 4002
CLOSE_ACCESS_DENIED = 4003
CLOSE_CODES = {"deleted": CLOSE_ROOM_NOT_FOUND}
CLOSE_CODES |= dict.fromkeys(("left", "kicked", "banned", "deactivated"), CLOSE_ACCESS_DENIED)

# More than this is read page by page over HTTP: a socket is no archive.
RESUME_MESSAGES_MAX = 5_000
# Frames between two looks at whether the client has taken them; below what may wait for a client.
CHUNK_FRAMES = 50


class ChatConsumer(HubConsumer):
    """One socket of one user (or of a tenant's listening server) in one room."""

    seat: Seat

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_lease = False
        # Frames that wait until the client has been sent what it missed; None: live.
        self._kept: list[str] | None = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the socket from handshake to end, and tell the others when it was its user's last."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._has_lease:
                with suppress(RedisAway, DatabaseError):
                    await offload(_give_up_lease, self.seat)

    # --- Coming in ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Admit, or close with the contract's code; a browser sees the code only of a socket that was accepted."""
        await self.accept()
        query = SocketQuery(data={name: values[-1] for name, values in self._query().items()})
        room_id = self.scope["url_route"]["kwargs"]["room_id"]
        try:
            query.is_valid(raise_exception=True)
            self.seat = await offload(_admit, room_id, query.validated_data)
        except DomainError as error:
            await self.close(_close_code(error))
            return
        except ValidationError:
            await self.close(CLOSE_ACCESS_DENIED)
            return
        except DatabaseError:
            await self.close(CLOSE_TRY_AGAIN_LATER)
            return
        self.stand_on(self.seat.standing, still_good=still_good)
        await self._take_part(query.validated_data.get("since"), query.validated_data.get("epoch"))

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(self.scope["query_string"].decode("ascii", "replace"), errors="replace", max_num_fields=20)

    async def _take_part(self, since: int | None, epoch: str | None) -> None:
        """First the state, then what was missed, then everything live: nothing twice, nothing left out."""
        try:
            live_after = await get_feeds(render).enter(self)
        except DatabaseError:
            raise Unavailable from None
        self._has_lease = self.seat.user_id is not None
        try:
            status = await offload(_take_lease, self.seat)
        except (RedisAway, Conversation.DoesNotExist):
            raise Unavailable from None
        room = status.pop("room")
        status |= {"seq": live_after, "epoch": room.epoch}
        if since is not None:
            status["recovered"] = (
                epoch in (None, room.epoch)
                and room.pruned_seq <= since <= live_after
                and live_after - since <= RESUME_MESSAGES_MAX
            )
        self._tell(chatapi.CONNECTION_STATUS, status)
        if status.get("recovered"):
            await self._replay(since or 0, live_after)
        await self._go_live()

    async def _replay(self, after: int, up_to: int) -> None:
        while after < up_to and not self._writer.is_closed:
            rows = await offload(queries.messages_after, self.seat.conversation_id, after, CHUNK_FRAMES, up_to=up_to)
            for row in rows:
                self._writer.write(render(events.message_event(row)))
            if not rows:
                return
            after = rows[-1]["seq"]
            await self._writer.flush()

    async def _go_live(self) -> None:
        """Hand over what was kept back, no faster than the client takes it, and then nothing is kept back."""
        while self._kept:
            chunk, self._kept = self._kept[:CHUNK_FRAMES], self._kept[CHUNK_FRAMES:]
            for frame in chunk:
                self._writer.write(frame)
            await self._writer.flush()
        self._kept = None

    # --- From the feed --------------------------------------------------------------------------------------------

    def hand(self, frame: str) -> None:
        """Take a frame."""
        if self._kept is None:
            self._writer.write(frame)
        elif len(self._kept) < HELD_FRAMES_MAX:
            self._kept.append(frame)
        else:
            self._overflowed()

    def end(self, why: str) -> None:
        """Close soon: the right to be here has ended."""
        self._close_soon(CLOSE_CODES[why])

    def _leave_all(self) -> None:
        super()._leave_all()
        if hasattr(self, "seat"):
            get_feeds(render).leave(self)

    # --- From the client ------------------------------------------------------------------------------------------

    async def received(self, frame: dict[str, Any]) -> None:
        """A client's frame; a refusal is an ``error`` frame that names the request by ``ref``."""
        data = frame.get("data")
        ref = frame.get("ref")
        if ref is None and isinstance(data, dict):
            ref = data.get("client_msg_id")
        ref = ref if isinstance(ref, str | int) else None
        try:
            match frame.get("type"):
                case "message":
                    await self._post(data)
                case "typing":
                    await self._type(data)
                case "get_online_users":
                    online = await offload(presence.online_users, self.seat.conversation_id)
                    self._tell(chatapi.ONLINE_USERS, {"online_users": online, "total_online": len(online)})
                case _:
                    raise FieldInvalid("Unknown frame type", field="type")
        except (DomainError, ValidationError, RedisAway, DatabaseError) as error:
            self._refuse(error, ref)

    async def malformed(self, error: MalformedJSON) -> None:
        """A frame that cannot be read is answered; the socket stays."""
        self._refuse(error, None)

    def pong(self, frame: dict[str, Any]) -> Mapping[str, Any]:
        """The answer to ``ping``."""
        return {
            "type": chatapi.PONG,
            "data": {},
            "timestamp": chatapi.wire_time(_wall_time()),
            "room_id": str(self.seat.conversation_id),
        }

    async def _post(self, data: Any) -> None:
        message = SocketMessage(data=data)
        message.is_valid(raise_exception=True)
        fields = message.validated_data
        user_id = self._user_id()
        draft = Draft(
            sender_id=user_id,
            sender_name=None if self.seat.caller.user is not None else self.seat.user_name,
            content=fields["content"],
            message_type=fields["message_type"],
            meta=fields["meta"],
            client_msg_id=fields.get("client_msg_id"),
        )
        row = await offload(_post_message, self.seat, draft)
        self._tell(chatapi.ACK, {"client_msg_id": draft.client_msg_id, "id": str(row["id"]), "seq": row["seq"]})

    async def _type(self, data: Any) -> None:
        typing = SocketTyping(data=data)
        typing.is_valid(raise_exception=True)
        shown = {"user_id": self._user_id(), "user_name": self.seat.user_name, **typing.validated_data}
        await offload(_tell_typing, self.seat, shown)

    def _user_id(self) -> str:
        if self.seat.user_id is None:
            raise RoomAccessDenied("Connect with user_id to take part")
        return self.seat.user_id

    # --- To the client --------------------------------------------------------------------------------------------

    def _tell(self, type: str, data: Mapping[str, Any]) -> None:
        self._writer.write(chatapi.frame(type, data, at=_wall_time(), room_id=self.seat.conversation_id))

    def _refuse(self, error: Exception, ref: str | int | None) -> None:
        self._tell(chatapi.ERROR, {**chatapi.error_of(error), "ref": ref})


def render(event: Mapping[str, Any]) -> str:
    """An event of a feed as the frame that clients get."""
    data = event["data"]
    if event["type"] in (events.MESSAGE, events.MESSAGE_UPDATED, events.MESSAGE_RESTORED):
        shape = MESSAGE.of(data)
    else:
        shape = {name: chatapi.wire_time(value) if name.endswith("_at") else value for name, value in data.items()}
    return chatapi.frame(event["type"], shape, at=event["at"], room_id=event["conversation_id"])


def _wall_time() -> datetime:
    """For the timestamp of an answer, which decides nothing: the platform's clock may have to ask the database."""
    return datetime.now(UTC)


def _admit(room_id: str, query: Mapping[str, Any]) -> Seat:
    try:
        conversation_id = uuid.UUID(room_id)
    except ValueError:
        conversation_id = None
    return take_seat(
        token=query["token"],
        conversation_id=conversation_id,
        user_id=query.get("user_id"),
        user_name=query.get("user_name"),
    )


def _close_code(error: DomainError) -> int:
    match error:
        case SocketUnauthorized():
            return CLOSE_UNAUTHORIZED
        case RoomNotFound():
            return CLOSE_ROOM_NOT_FOUND
        case RoomAccessDenied() | RoomInactive():
            return CLOSE_ACCESS_DENIED
    return CLOSE_TRY_AGAIN_LATER


def _take_lease(seat: Seat) -> dict[str, Any]:
    """Come online, tell the others if that is news, and see who is there."""
    if seat.user_id is not None and presence.renew(seat.conversation_id, [(seat.user_id, seat.socket_id)]):
        announce_arrival(seat, clock.now())
    room = Conversation.objects.get(pk=seat.conversation_id)
    return {
        "room": room,
        "status": "connected",
        "user_id": seat.user_id,
        "room_id": str(seat.conversation_id),
        "online_users": presence.online_users(seat.conversation_id),
        "total_participants": room.participant_count,
    }


def _give_up_lease(seat: Seat) -> None:
    assert seat.user_id is not None
    if presence.leave(seat.conversation_id, seat.user_id, seat.socket_id):
        announce_departure(seat.conversation_id, user_id=seat.user_id, user_name=seat.user_name, now=clock.now())


def _post_message(seat: Seat, draft: Draft) -> Mapping[str, Any]:
    posted = messages.post_message(caller=seat.caller, room_id=seat.conversation_id, draft=draft, now=clock.now())
    return posted.row


def _tell_typing(seat: Seat, shown: Mapping[str, Any]) -> None:
    now: datetime = clock.now()
    require_voice(seat.conversation_id, seat.user_id, now=now)
    events.tell(events.TYPING, conversation_id=seat.conversation_id, data=shown, at=now)
