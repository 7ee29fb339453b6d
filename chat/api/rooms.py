"""``/api/v1/rooms``: rooms and participants (contract: chat, "Rooms")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from chat import presence, queries, tenant_rooms, tickets
from chat.api import serializers
from chat.api.base import ChatView, room_id_of
from chat.errors import RoomAccessDenied, RoomInactive
from chat.models import Conversation
from core.errors import Unavailable
from core.redis.connection import RedisAway
from core.redis.tickets import LIFETIME_SECONDS
from core.wire import chatapi


class _RoomAnswerView(ChatView):
    def _room(self, room: Conversation, *, status: int = 200) -> Response:
        return chatapi.ok(chatapi.room(queries.conversation_row(room, caller=self.caller)), status=status)


class RoomsView(_RoomAnswerView):
    def get(self, request: Request) -> Response:
        """The caller's rooms."""
        query = self.query(serializers.RoomsQuery)
        chosen = queries.conversations_matching(
            self.caller, search=query.get("search"), is_active=query.get("is_active")
        )
        skip, limit = query["skip"], query["limit"]
        order = query["sort"]
        rows = queries.conversation_rows(
            chosen.order_by(order, "-id" if order.startswith("-") else "id"), slice(skip, skip + limit)
        )
        total = queries.bounded_total(chosen)
        return chatapi.ok(
            [chatapi.room(row) for row in rows],
            pagination=chatapi.pagination(skip=skip, limit=limit, total=total, has_more=skip + len(rows) < total),
        )

    def post(self, request: Request) -> Response:
        """A new room of the tenant."""
        client, body = self.client, self.body(serializers.RoomCreation).validated_data
        room = tenant_rooms.create_room(client=client, now=self.now, **body)
        return self._room(room, status=201)


class RoomView(_RoomAnswerView):
    def get(self, request: Request, room_id: str) -> Response:
        """One room."""
        return self._room(self.caller.conversation(room_id_of(room_id)))

    def put(self, request: Request, room_id: str) -> Response:
        """Change name, description or meta."""
        client, changes = self.client, self.body(serializers.RoomChange).validated_data
        room = tenant_rooms.update_room(client=client, room_id=room_id_of(room_id), changes=changes, now=self.now)
        return self._room(room)

    def delete(self, request: Request, room_id: str) -> Response:
        """Delete the room with everything in it."""
        tenant_rooms.delete_room(client=self.client, room_id=room_id_of(room_id), now=self.now)
        return chatapi.ok(message="Room deleted successfully")


class _StateView(ChatView):
    def _state(self, room: Conversation, message: str) -> Response:
        shape = chatapi.room(queries.conversation_row(room, caller=self.caller))
        return chatapi.ok({name: shape[name] for name in ("id", "name", "is_active", "updated_at")}, message=message)


class DeactivationView(_StateView):
    def post(self, request: Request, room_id: str) -> Response:
        """Close the room for new messages and participants."""
        room = tenant_rooms.deactivate_room(caller=self.caller, room_id=room_id_of(room_id), now=self.now)
        return self._state(room, "Room deactivated successfully")


class ActivationView(_StateView):
    def post(self, request: Request, room_id: str) -> Response:
        """Open the room again."""
        room = tenant_rooms.activate_room(caller=self.caller, room_id=room_id_of(room_id), now=self.now)
        return self._state(room, "Room activated successfully")


class JoinView(ChatView):
    def post(self, request: Request, room_id: str) -> Response:
        """Add a user to the room."""
        client, body = self.client, self.body(serializers.Joining).validated_data
        tenant_rooms.join_room(client=client, room_id=room_id_of(room_id), now=self.now, **body)
        return chatapi.ok(message="Successfully joined room")


class LeaveView(ChatView):
    def post(self, request: Request, room_id: str) -> Response:
        """Take a user out of the room."""
        client, body = self.client, self.body(serializers.Leaving).validated_data
        tenant_rooms.leave_room(client=client, room_id=room_id_of(room_id), now=self.now, **body)
        return chatapi.ok(message="Successfully left room")


class ParticipantsView(ChatView):
    def get(self, request: Request, room_id: str) -> Response:
        """Everybody in the room: the first 1,000, further ones by ``skip``; ``pagination`` appears when it matters."""
        query = self.query(serializers.ParticipantsQuery)
        room = self.caller.conversation(room_id_of(room_id))
        skip, limit = query["skip"], query["limit"]
        rows = queries.member_rows(room.pk, slice(skip, skip + limit))
        page: dict[str, Any] = {}
        if request.query_params or room.participant_count > limit:
            page["pagination"] = chatapi.pagination(
                skip=skip, limit=limit, total=room.participant_count, has_more=skip + len(rows) < room.participant_count
            )
        return chatapi.ok([chatapi.participant(row) for row in rows], **page)


class OnlineView(ChatView):
    def get(self, request: Request, room_id: str) -> Response:
        """Who has a socket open in the room now."""
        room = self.caller.conversation(room_id_of(room_id))
        try:
            online = presence.online_users(room.pk)
        except RedisAway:
            raise Unavailable from None
        return chatapi.ok({"online_users": online, "total_online": len(online)})


class TicketView(ChatView):
    def post(self, request: Request, room_id: str) -> Response:
        """A one-use ticket that opens a socket as this user within 30 seconds."""
        body = self.body(serializers.TicketRequest).validated_data
        room = self.caller.conversation(room_id_of(room_id))
        user_id = self.speaker(body.get("user_id"), field="user_id")
        if not room.is_active:
            raise RoomInactive
        if queries.member(room.pk, user_id) is None:
            raise RoomAccessDenied("The user is not a participant in this room")
        key = request.auth if isinstance(request.auth, ApiKey) else None
        ticket = tickets.issue(
            tickets.Claim(
                conversation_id=room.pk,
                user_id=user_id,
                user_name=None if key is None else body.get("user_name"),
                key_id=None if key is None else key.pk,
                account_id=None if self.caller.user is None else self.caller.user.pk,
            )
        )
        return chatapi.ok({"ticket": ticket, "expires_in": LIFETIME_SECONDS}, status=201)
