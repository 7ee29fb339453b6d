"""``/api/v1/rooms``: rooms and participants (contract: chat, "Rooms")."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from chat import presence, queries, tenant_rooms, tickets
from chat.api import outputs, schema, serializers
from chat.api.base import SEGMENT, ChatViewSet, room_id_of
from chat.api.filters import RoomFilter
from chat.errors import RoomAccessDenied, RoomInactive
from chat.models import Conversation
from core.errors import Unavailable
from core.redis.connection import RedisAway
from core.redis.tickets import LIFETIME_SECONDS
from core.wire import chatapi
from core.wire.filtering import StrictFilterBackend


class ParticipantPagination(chatapi.SkipPagination):
    """All participants of an ordinary room at once."""

    limit_max = limit_default = 1_000


class RoomViewSet(ChatViewSet):
    """The caller's rooms."""

    lookup_url_kwarg = "room_id"
    lookup_value_regex = SEGMENT
    filter_backends = [StrictFilterBackend]
    filterset_class = RoomFilter

    @schema.list_rooms
    def list(self, request: Request) -> Response:
        order = self.query(serializers.RoomsQuery)["sort"]
        chosen = self.filter_queryset(self.caller.conversations())
        rows = queries.conversation_rows(chosen.order_by(order, "-id" if order.startswith("-") else "id"))
        return self.page(rows, output=outputs.ROOM, total=queries.bounded_total(chosen))

    @schema.create_room
    def create(self, request: Request) -> Response:
        client, body = self.client, self.body(serializers.RoomCreation).validated_data
        room = tenant_rooms.create_room(client=client, now=self.now, **body)
        return self._room(room, status=201)

    @schema.get_room
    def retrieve(self, request: Request, room_id: str) -> Response:
        return self._room(self.caller.conversation(room_id_of(room_id)))

    @schema.update_room
    def update(self, request: Request, room_id: str) -> Response:
        client, changes = self.client, self.body(serializers.RoomChange).validated_data
        room = tenant_rooms.update_room(client=client, room_id=room_id_of(room_id), changes=changes, now=self.now)
        return self._room(room)

    @schema.delete_room
    def destroy(self, request: Request, room_id: str) -> Response:
        tenant_rooms.delete_room(client=self.client, room_id=room_id_of(room_id), now=self.now)
        return chatapi.ok(message="Room deleted successfully")

    @schema.deactivate
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, room_id: str) -> Response:
        room = tenant_rooms.deactivate_room(caller=self.caller, room_id=room_id_of(room_id), now=self.now)
        return self._state(room, "Room deactivated successfully")

    @schema.activate
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, room_id: str) -> Response:
        room = tenant_rooms.activate_room(caller=self.caller, room_id=room_id_of(room_id), now=self.now)
        return self._state(room, "Room activated successfully")

    @schema.join
    @action(detail=True, methods=["post"])
    def join(self, request: Request, room_id: str) -> Response:
        client, body = self.client, self.body(serializers.Joining).validated_data
        tenant_rooms.join_room(client=client, room_id=room_id_of(room_id), now=self.now, **body)
        return chatapi.ok(message="Successfully joined room")

    @schema.leave
    @action(detail=True, methods=["post"])
    def leave(self, request: Request, room_id: str) -> Response:
        client, body = self.client, self.body(serializers.Leaving).validated_data
        tenant_rooms.leave_room(client=client, room_id=room_id_of(room_id), now=self.now, **body)
        return chatapi.ok(message="Successfully left room")

    @schema.participants
    @action(detail=True, pagination_class=ParticipantPagination)
    def participants(self, request: Request, room_id: str) -> Response:
        """The first 1,000, further ones by ``skip``; ``pagination`` appears when it matters."""
        room = self.caller.conversation(room_id_of(room_id))
        page = self.page(queries.member_rows(room.pk), output=outputs.PARTICIPANT, total=room.participant_count)
        if not request.query_params and room.participant_count <= ParticipantPagination.limit_max:
            del page.data["pagination"]
        return page

    @schema.online
    @action(detail=True)
    def online(self, request: Request, room_id: str) -> Response:
        room = self.caller.conversation(room_id_of(room_id))
        try:
            online = presence.online_users(room.pk)
        except RedisAway:
            raise Unavailable from None
        return chatapi.ok(outputs.ONLINE.of({"online_users": online, "total_online": len(online)}))

    @schema.ticket
    @action(detail=True, methods=["post"])
    def ticket(self, request: Request, room_id: str) -> Response:
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
                password_mark="" if self.caller.user is None else self.caller.user.password_mark,
            )
        )
        return chatapi.ok(outputs.TICKET.of({"ticket": ticket, "expires_in": LIFETIME_SECONDS}), status=201)

    def _room(self, room: Conversation, *, status: int = 200) -> Response:
        return chatapi.ok(outputs.ROOM.of(queries.conversation_row(room, caller=self.caller)), status=status)

    def _state(self, room: Conversation, message: str) -> Response:
        return chatapi.ok(outputs.ROOM_STATE.of(queries.conversation_row(room, caller=self.caller)), message=message)
