"""``/api/v1/rooms/{id}/messages`` and ``/api/v1/messages`` (contract: chat, "Messages")."""

import uuid
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from chat import messages, queries
from chat.access import Rank
from chat.api import serializers
from chat.api.base import ChatView, message_id_of, room_id_of
from chat.errors import FieldInvalid, MessageNotFound
from chat.models import Conversation, Message
from chat.posting import Draft
from core.wire import chatapi


class RoomMessagesView(ChatView):
    parser_classes = [chatapi.MessageParser]

    def get(self, request: Request, room_id: str) -> Response:
        """The room's messages, newest first unless ``sort`` says otherwise or ``after_seq`` begins at a place."""
        query = self.query(serializers.MessagesQuery)
        room = self.caller.conversation(room_id_of(room_id))
        include_deleted = query["include_deleted"] and self.sees_deleted(room.pk)
        chosen = _filtered(queries.messages_of(room.pk, include_deleted=include_deleted), room, query)
        total = self._total(room, chosen, query, include_deleted)
        if "after_seq" in query:
            chosen = chosen.filter(seq__gt=query["after_seq"])
        if "before_seq" in query:
            chosen = chosen.filter(seq__lt=query["before_seq"])
        default = "created_at" if "after_seq" in query else "-created_at"
        # seq is the order of time too: the clock of a room never goes back.
        order = "seq" if query.get("sort", default) == "created_at" else "-seq"
        skip, limit = query["skip"], query["limit"]
        rows = queries.message_rows(chosen.order_by(order)[skip : skip + limit + 1])
        return chatapi.ok(
            [chatapi.message(row) for row in rows[:limit]],
            pagination=chatapi.pagination(skip=skip, limit=limit, total=total, has_more=len(rows) > limit),
        )

    def _total(
        self, room: Conversation, chosen: QuerySet[Message], query: dict[str, Any], include_deleted: bool
    ) -> int:
        """Of all that match, wherever the page begins; kept on the room when nothing is filtered."""
        filters = {"sender_id", "message_type", "created_after", "created_before", "search"}
        if include_deleted or filters & query.keys():
            return queries.bounded_total(chosen)
        return room.message_count

    def post(self, request: Request, room_id: str) -> Response:
        """Post a message; the same ``client_msg_id`` again answers the first one, with 200."""
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
        return chatapi.ok(chatapi.message(posted.row), status=201 if posted.is_new else 200)

    def sees_deleted(self, room_id: uuid.UUID) -> bool:
        """Deleted messages are shown to the tenant's server and to moderators."""
        return self.caller.rank(room_id, acting_as=self.caller.own_user_id) >= Rank.MODERATOR


def _filtered(messages_: QuerySet[Message], room: Conversation, query: dict[str, Any]) -> QuerySet[Message]:
    if "sender_id" in query:
        messages_ = messages_.filter(sender_id=query["sender_id"])
    if "message_type" in query:
        messages_ = messages_.filter(message_type=query["message_type"])
    if "created_after" in query:
        messages_ = messages_.filter(created_at__gt=query["created_after"])
    if "created_before" in query:
        messages_ = messages_.filter(created_at__lt=query["created_before"])
    if "search" in query:
        messages_ = queries.with_words(messages_, query["search"])
    return messages_


class _OneMessageView(ChatView):
    """What the views of one message share; it handles no method itself."""

    parser_classes = [chatapi.MessageParser]

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


class MessageView(_OneMessageView):
    def get(self, request: Request, message_id: str) -> Response:
        """One message; a deleted one only for those who may see it."""
        return chatapi.ok(chatapi.message(queries.row_of(self.message(message_id))))

    def put(self, request: Request, message_id: str) -> Response:
        """Change content or meta, as the sender or a moderator."""
        body = self.body(serializers.MessageChange).validated_data
        row = messages.edit_message(
            caller=self.caller,
            message_id=message_id_of(message_id),
            acting_as=self.acting_as(body.get("user_id")),
            content=body.get("content"),
            meta=body.get("meta"),
            now=self.now,
        )
        return chatapi.ok(chatapi.message(row))

    def delete(self, request: Request, message_id: str) -> Response:
        """Take the message out of sight, as the sender or a moderator."""
        acting_as = self.acting_as(self.optional_body().get("user_id"))
        messages.delete_message(
            caller=self.caller, message_id=message_id_of(message_id), acting_as=acting_as, now=self.now
        )
        return chatapi.ok(message="Message deleted successfully")


class RestorationView(_OneMessageView):
    def post(self, request: Request, message_id: str) -> Response:
        """Bring a deleted message back."""
        row = messages.restore_message(
            caller=self.caller,
            message_id=message_id_of(message_id),
            acting_as=self.acting_as(self.optional_body().get("user_id")),
            now=self.now,
        )
        shape = chatapi.message(row)
        return chatapi.ok(
            {name: shape[name] for name in ("id", "is_deleted", "updated_at")}, message="Message restored successfully"
        )


class ThreadView(_OneMessageView):
    def get(self, request: Request, message_id: str) -> Response:
        """The thread that the message begins or belongs to, oldest first."""
        query = self.query(serializers.PageQuery)
        skip, limit = query["skip"], query["limit"]
        thread = queries.thread_of(self.message(message_id))
        rows = queries.message_rows(thread[skip : skip + limit])
        total = queries.bounded_total(thread)
        return chatapi.ok(
            [chatapi.message(row) for row in rows],
            pagination=chatapi.pagination(skip=skip, limit=limit, total=total, has_more=skip + len(rows) < total),
        )


class ThreadSummaryView(_OneMessageView):
    def get(self, request: Request, message_id: str) -> Response:
        """How large the thread is, who takes part, and its last message."""
        message = self.message(message_id)
        summary = queries.thread_summary(message)
        last = summary["last"]
        return chatapi.ok(
            {
                "thread_id": summary["key"],
                "message_count": summary["message_count"],
                "reply_count": summary["reply_count"],
                "participants": summary["sender_ids"],
                "first_message_at": chatapi.wire_time(summary["first_at"]),
                "last_message_at": chatapi.wire_time(None if last is None else last["created_at"]),
                "last_message": None if last is None else chatapi.message(last),
            }
        )


class SearchView(ChatView):
    def get(self, request: Request) -> Response:
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
        skip, limit = query["skip"], query["limit"]
        rows = queries.message_rows(found[skip : skip + limit])
        total = queries.bounded_total(found)
        return chatapi.ok(
            [chatapi.message(row) for row in rows],
            pagination=chatapi.pagination(skip=skip, limit=limit, total=total, has_more=skip + len(rows) < total),
        )


def _room_ids(texts: list[str] | None) -> list[uuid.UUID] | None:
    """Ids to search in; what cannot be an id is nobody's room, and a search in nothing finds nothing."""
    if texts is None:
        return None
    ids = []
    for text in texts:
        try:
            ids.append(uuid.UUID(text))
        except ValueError:
            continue
    return ids
