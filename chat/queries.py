"""Reading conversations, members and messages as plain rows (no locks, no writes)."""

import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, F, Min, Q, QuerySet

from chat.access import Caller
from chat.models import (
    NO_CLIENT_KEY,
    SEARCH_CONFIGURATION,
    Conversation,
    Member,
    Message,
    Report,
    Sanction,
    search_vector,
)

Row = Mapping[str, Any]

# An exact total over millions of rows costs more than the page; beyond this it is reported as this.
TOTAL_MAX = 10_000

CONVERSATION_FIELDS = (
    "id",
    "name",
    "description",
    "client__public_id",
    "is_active",
    "meta",
    "created_at",
    "updated_at",
    "participant_count",
    "message_count",
)
MEMBER_FIELDS = ("user_id", "user_name", "joined_at", "meta")
MESSAGE_FIELDS = (
    "id",
    "conversation_id",
    "sender_id",
    "sender_name",
    "content",
    "message_type",
    "meta",
    "created_at",
    "updated_at",
    "edited_at",
    "is_deleted",
    "seq",
)
_CLIENT = {"client_public_id": F("conversation__client__public_id")}


def conversation_row(conversation: Conversation, *, caller: Caller) -> Row:
    """The row of a conversation that is at hand."""
    row = {name: getattr(conversation, name) for name in CONVERSATION_FIELDS if "__" not in name}
    return {**row, "client__public_id": None if caller.client is None else caller.client.public_id}


def conversation_rows(chosen: QuerySet[Conversation]) -> QuerySet[Any]:
    """Conversations as rows."""
    rows: QuerySet[Any] = chosen.values(*CONVERSATION_FIELDS)
    return rows


def member_rows(conversation_id: uuid.UUID) -> QuerySet[Any]:
    """Members in the order of joining."""
    members = Member.objects.filter(conversation_id=conversation_id).order_by("joined_at", "id")
    rows: QuerySet[Any] = members.values(*MEMBER_FIELDS)
    return rows


def member(conversation_id: uuid.UUID, user_id: str) -> Member | None:
    """One member, or ``None``."""
    return Member.objects.filter(conversation_id=conversation_id, user_id=user_id).first()


def messages_of(conversation_id: uuid.UUID, *, include_deleted: bool) -> QuerySet[Message]:
    """The messages of one conversation, oldest first."""
    messages = Message.objects.filter(conversation_id=conversation_id).order_by("seq")
    return messages if include_deleted else messages.filter(is_deleted=False)


def with_words(messages: QuerySet[Message], words: str) -> QuerySet[Message]:
    """Those that hold all the words, accents and case apart; ``"…"``, ``or`` and ``-`` as in a web search.

    Uses the search index, which holds the tenant's id beside the words.
    """
    query = SearchQuery(unicodedata.normalize("NFC", words), config=SEARCH_CONFIGURATION, search_type="websearch")
    return messages.annotate(words=search_vector()).filter(words=query)


def message_rows(messages: QuerySet[Message]) -> QuerySet[Any]:
    """Messages as rows."""
    rows: QuerySet[Any] = messages.values(*MESSAGE_FIELDS, **_CLIENT)
    return rows


def message_row(message_id: uuid.UUID) -> Row | None:
    """One message as a row, or ``None``."""
    row: Row | None = Message.objects.filter(pk=message_id).values(*MESSAGE_FIELDS, **_CLIENT).first()
    return row


def row_of(message: Message) -> Row:
    """The row of a message that is at hand, its conversation and client too."""
    client = message.conversation.client
    row = {name: getattr(message, name) for name in MESSAGE_FIELDS}
    return {**row, "client_public_id": None if client is None else client.public_id}


def last_seq(conversation_id: uuid.UUID) -> int:
    """The number of the newest message; 0 when there is none or no such conversation."""
    return Conversation.objects.filter(pk=conversation_id).values_list("last_seq", flat=True).first() or 0


def messages_after(conversation_id: uuid.UUID, seq: int, limit: int, *, up_to: int | None = None) -> Sequence[Row]:
    """The next messages in order, deleted ones too: the numbers have no gaps."""
    following = messages_of(conversation_id, include_deleted=True).filter(seq__gt=seq)
    if up_to is not None:
        following = following.filter(seq__lte=up_to)
    return list(message_rows(following[:limit]))


def names_of(conversation_id: uuid.UUID, user_ids: Iterable[str]) -> Mapping[str, str]:
    """The names of these members."""
    members = Member.objects.filter(conversation_id=conversation_id, user_id__in=list(user_ids))
    return dict(members.values_list("user_id", "user_name"))


def thread_of(message: Message) -> QuerySet[Message]:
    """The thread that a message begins or belongs to, oldest first, without deleted messages."""
    key = message.thread_key or str(message.pk)
    in_thread = Q(thread_key=key)
    root = _uuid_or_none(key)
    if root is not None:
        in_thread |= Q(pk=root)
    return messages_of(message.conversation_id, include_deleted=False).filter(in_thread)


def thread_summary(message: Message) -> Row:
    """What a thread amounts to: its size, who wrote in it, its first time and its last message."""
    thread = thread_of(message)
    totals = thread.order_by().aggregate(
        message_count=Count("id"),
        first_at=Min("created_at"),
        sender_ids=ArrayAgg("sender_id", distinct=True, default=[]),
    )
    key = message.thread_key or str(message.pk)
    root = _uuid_or_none(key)
    begins_here = root is not None and thread.filter(pk=root).exists()
    newest = thread.order_by("-seq").values(*MESSAGE_FIELDS, **_CLIENT).first()
    reply_count = totals["message_count"] - (1 if begins_here else 0)
    return {**totals, "key": key, "reply_count": reply_count, "last": newest}


def found_messages(
    caller: Caller,
    *,
    words: str,
    conversation_ids: Iterable[uuid.UUID] | None,
    sender_ids: Sequence[str],
    message_types: Sequence[str],
    date_from: datetime | None,
    date_to: datetime | None,
) -> QuerySet[Message]:
    """The caller's messages with the words, newest first, without deleted ones."""
    messages = with_words(Message.objects.filter(is_deleted=False), words)
    if caller.client is not None:
        messages = messages.filter(client_key=caller.client.pk)
    else:
        messages = messages.filter(client_key=NO_CLIENT_KEY, conversation__in=caller.conversations())
    if conversation_ids is not None:
        messages = messages.filter(conversation_id__in=list(conversation_ids))
    if sender_ids:
        messages = messages.filter(sender_id__in=sender_ids)
    if message_types:
        messages = messages.filter(message_type__in=message_types)
    if date_from is not None:
        messages = messages.filter(created_at__gte=date_from)
    if date_to is not None:
        messages = messages.filter(created_at__lte=date_to)
    return messages.order_by("-created_at", "-seq")


def sanctions_in_force(conversation_id: uuid.UUID, *, now: datetime) -> QuerySet[Sanction]:
    """Mutes and bans that are neither lifted nor over, newest first."""
    unlifted = Sanction.objects.filter(conversation_id=conversation_id, lifted_at__isnull=True)
    return unlifted.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now)).order_by("-created_at", "-id")


def posted_since(since: datetime) -> int:
    """How many messages were posted since then, counting no further than ``TOTAL_MAX``; along an index."""
    return bounded_total(Message.objects.filter(created_at__gte=since))


def open_reports() -> int:
    """How many reports wait for a moderator, counting no further than ``TOTAL_MAX``; along an index."""
    return bounded_total(Report.objects.filter(resolved_at__isnull=True))


def bounded_total(rows: QuerySet[Any]) -> int:
    """How many rows there are, counting no further than ``TOTAL_MAX``."""
    return rows.order_by()[:TOTAL_MAX].count()


def _uuid_or_none(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
