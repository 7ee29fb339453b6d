"""``/api/v1/rooms/{id}/messages`` and ``/api/v1/messages`` (contract: chat, "Messages")."""

import uuid
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chat import messages, moderation, queries
from chat.access import Rank
from chat.api import outputs, schema, serializers
from chat.api.base import SEGMENT, ChatViewSet, message_id_of, room_id_of
from chat.api.filters import MessageFilter
from chat.errors import FieldInvalid, MessageNotFound
from chat.models import Message
from chat.posting import Draft
from core.wire import chatapi
from core.wire.filtering import StrictFilterBackend


class RoomMessageViewSet(ChatViewSet):
    """The messages of one room."""

    parser_classes = [chatapi.MessageParser]
    filter_backends = [StrictFilterBackend]
    filterset_class = MessageFilter

    @schema.list_messages
    def list(self, request: Request, room_id: str) -> Response:
        """Newest first unless ``sort`` says otherwise or ``after_seq`` begins at a place."""
        query = self.query(serializers.MessagesQuery)
        room = self.caller.conversation(room_id_of(room_id))
        include_deleted = query["include_deleted"] and self.sees_deleted(room.pk)
        chosen = self.filter_queryset(queries.messages_of(room.pk, include_deleted=include_deleted))
        # Of all that match, wherever the page begins; kept on the room when nothing is filtered.
        is_filtered = include_deleted or MessageFilter.base_filters.keys() & request.query_params.keys()
        total = queries.bounded_total(chosen) if is_filtered else room.message_count
        if "after_seq" in query:
            chosen = chosen.filter(seq__gt=query["after_seq"])
        if "before_seq" in query:
            chosen = chosen.filter(seq__lt=query["before_seq"])
        default = "created_at" if "after_seq" in query else "-created_at"
        # seq is the order of time too: the clock of a room never goes back.
        order = "seq" if query.get("sort", default) == "created_at" else "-seq"
        return self.page(queries.message_rows(chosen.order_by(order)), output=outputs.MESSAGE, total=total)

    @schema.post_message
    def create(self, request: Request, room_id: str) -> Response:
        """The same ``client_msg_id`` again answers the first message, with 200."""
        body = self.body(serializers.MessageCreation).validated_data
        is_user = self.caller.user is not None
        draft = Draft(
            sender_id=self.speaker(body.get("sender_id"), field="sender_id"),
            sender_name=None if is_user else body.get("sender_name"),
            content=body["content"],
            message_type=body["message_type"],
            meta=body["meta"],
            client_msg_id=body.get("client_msg_id"),
        )
        posted = messages.post_message(caller=self.caller, room_id=room_id_of(room_id), draft=draft, now=self.now)
        return chatapi.ok(outputs.MESSAGE.of(posted.row), status=201 if posted.is_new else 200)

    def sees_deleted(self, room_id: uuid.UUID) -> bool:
        """Deleted messages are shown to the tenant's server and to moderators."""
        return self.caller.rank(room_id, acting_as=self.caller.own_user_id) >= Rank.MODERATOR


class MessageViewSet(ChatViewSet):
    """Messages of the caller's rooms."""

    lookup_url_kwarg = "message_id"
    lookup_value_regex = SEGMENT
    parser_classes = [chatapi.MessageParser]

    @schema.get_message
    def retrieve(self, request: Request, message_id: str) -> Response:
        """A deleted one only for those who may see it."""
        return chatapi.ok(outputs.MESSAGE.of(queries.row_of(self.message(message_id))))

    @schema.edit_message
    def update(self, request: Request, message_id: str) -> Response:
        """As the sender or a moderator."""
        body = self.body(serializers.MessageChange).validated_data
        row = messages.edit_message(
            caller=self.caller,
            message_id=message_id_of(message_id),
            acting_as=self.acting_as(body.get("user_id")),
            content=body.get("content"),
            meta=body.get("meta"),
            now=self.now,
        )
        return chatapi.ok(outputs.MESSAGE.of(row))

    @schema.delete_message
    def destroy(self, request: Request, message_id: str) -> Response:
        """As the sender or a moderator."""
        acting_as = self.acting_as(self.optional_body().get("user_id"))
        messages.delete_message(
            caller=self.caller, message_id=message_id_of(message_id), acting_as=acting_as, now=self.now
        )
        return chatapi.ok(message="Message deleted successfully")

    @schema.restore_message
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, message_id: str) -> Response:
        row = messages.restore_message(
            caller=self.caller,
            message_id=message_id_of(message_id),
            acting_as=self.acting_as(self.optional_body().get("user_id")),
            now=self.now,
        )
        return chatapi.ok(outputs.RESTORED.of(row), message="Message restored successfully")

    @schema.report_message
    @action(detail=True, methods=["post"])
    def report(self, request: Request, message_id: str) -> Response:
        """A second report by the same user changes nothing."""
        body = self.body(serializers.Reporting).validated_data
        is_new = moderation.report(
            caller=self.caller,
            message_id=message_id_of(message_id),
            reporter_id=self.speaker(body.get("user_id"), field="user_id"),
            reason=body["reason"],
            now=self.now,
        )
        return chatapi.ok(message="Message reported successfully", status=201 if is_new else 200)

    @schema.thread
    @action(detail=True)
    def thread(self, request: Request, message_id: str) -> Response:
        """Oldest first."""
        thread = queries.thread_of(self.message(message_id))
        return self.page(queries.message_rows(thread), output=outputs.MESSAGE, total=queries.bounded_total(thread))

    @schema.thread_summary
    @action(detail=True, url_path="thread/summary", url_name="thread-summary")
    def thread_summary(self, request: Request, message_id: str) -> Response:
        return chatapi.ok(outputs.THREAD.of(queries.thread_summary(self.message(message_id))))

    @schema.search
    @action(detail=False)
    def search(self, request: Request) -> Response:
        """Messages with the words ``q`` in the caller's rooms, newest first."""
        query = self.query(serializers.SearchQuery)
        found = queries.found_messages(
            self.caller,
            words=query["q"],
            conversation_ids=_room_ids(query.get("room_ids")),
            sender_ids=query["sender_ids"],
            message_types=query["message_types"],
            date_from=query.get("date_from"),
            date_to=query.get("date_to"),
        )
        return self.page(queries.message_rows(found), output=outputs.MESSAGE, total=queries.bounded_total(found))

    def optional_body(self) -> dict[str, Any]:
        """The body of a call that needs none: at most ``user_id``."""
        values: dict[str, Any] = self.body(serializers.Acting).validated_data
        return values

    def acting_as(self, named: str | None) -> str | None:
        """Who changes the message: the user itself, the one named in body or query, or the tenant as such."""
        own = self.caller.own_user_id
        if own is not None:
            return own
        in_query = self.query(serializers.ActingQuery).get("user_id")
        if named is not None and in_query is not None and named != in_query:
            raise FieldInvalid("user_id in the body and in the query must be the same.", field="user_id")
        return named or in_query

    def message(self, message_id: str) -> Message:
        """A message of one of the caller's rooms. Raises ``MessageNotFound``."""
        found = (
            Message.objects.filter(pk=message_id_of(message_id), conversation__in=self.caller.conversations())
            .select_related("conversation__client")
            .first()
        )
        if found is None:
            raise MessageNotFound
        if found.is_deleted:
            rank = self.caller.rank(found.conversation_id, acting_as=self.caller.own_user_id)
            if rank < Rank.MODERATOR:
                raise MessageNotFound
        return found


def _room_ids(texts: list[str] | None) -> list[uuid.UUID] | None:
    """Ids to search in; text that is no id names no room, and a search in no room finds nothing."""
    if texts is None:
        return None
    ids = []
    for text in texts:
        try:
            ids.append(uuid.UUID(text))
        except ValueError:
            continue
    return ids
