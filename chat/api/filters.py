"""Filters of the chat's lists. A value is read by the same fields as a body's."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from chat import queries
from chat.api.serializers import (
    SEARCH_LENGTH_MAX,
    QueryBooleanField,
    QueryTimeField,
    UserIdField,
)
from chat.models import Conversation, Message
from core.wire.fields import TextField, first_message
from core.wire.filtering import StrictFilterSet


class WireFormField(forms.Field):
    """A form's field that reads as a serializer's field does."""

    def __init__(self, *, wire: serializers.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wire = wire

    def to_python(self, value: str | None) -> Any:
        if value is None:
            return None
        try:
            return self.wire.run_validation(value)
        except serializers.ValidationError as error:
            raise forms.ValidationError(first_message(error.detail)) from error


class WireFilter(filters.Filter):
    """A filter whose value a serializer's field reads."""

    field_class = WireFormField

    def __init__(self, wire: serializers.Field, field_name: str, lookup_expr: str = "exact", **kwargs: Any) -> None:
        super().__init__(field_name, lookup_expr, wire=wire, **kwargs)


class RoomFilter(StrictFilterSet):
    """Of ``GET /rooms``."""

    search = WireFilter(TextField(max_length=SEARCH_LENGTH_MAX), "name", method="named")
    is_active = WireFilter(QueryBooleanField(), "is_active")

    def named(self, rooms: QuerySet[Conversation], name: str, text: str) -> QuerySet[Conversation]:
        return rooms.filter(Q(name__icontains=text) | Q(description__icontains=text))


class MessageFilter(StrictFilterSet):
    """Of ``GET /rooms/{id}/messages``."""

    sender_id = WireFilter(UserIdField(), "sender_id")
    message_type = WireFilter(TextField(max_length=50), "message_type")
    created_after = WireFilter(QueryTimeField(), "created_at", "gt")
    created_before = WireFilter(QueryTimeField(), "created_at", "lt")
    search = WireFilter(TextField(max_length=SEARCH_LENGTH_MAX), "content", method="holding")

    def holding(self, messages: QuerySet[Message], name: str, words: str) -> QuerySet[Message]:
        return queries.with_words(messages, words)
