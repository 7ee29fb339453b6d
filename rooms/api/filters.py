"""The documented filters of the lists; a value that cannot be one is a 400, never ignored."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError

from core.wire.fields import QueryIdField, first_message
from rooms.models import Participant, Room

HOST_LENGTH_MAX = 64


class IdFormField(forms.Field):
    """An id in a query, as every other route reads one: present means digits, an empty text is no wish for all."""

    def to_python(self, value: str | None) -> int | None:
        if value is None:
            return None
        try:
            return QueryIdField().to_internal_value(value)
        except ValidationError as error:
            raise forms.ValidationError(first_message(error.detail)) from error


class IdFilter(filters.Filter):
    """Equality with an id."""

    field_class = IdFormField


class RoomFilter(filters.FilterSet):
    """Filters of GET /game-rooms (contract: rooms, "Endpoints")."""

    room_id = IdFilter(field_name="id")
    host_id = IdFilter(field_name="owner_id")
    game_type_id = IdFilter(field_name="game_id")
    host = filters.CharFilter(field_name="owner__username", lookup_expr="icontains", max_length=HOST_LENGTH_MAX)

    class Meta:
        model = Room
        fields: list[str] = []


class ParticipantFilter(filters.FilterSet):
    """Filters of the participation lists."""

    session_id = IdFilter(field_name="session_id")
    room_id = IdFilter(field_name="room_id")

    class Meta:
        model = Participant
        fields: list[str] = []


def filtered(filterset: type[filters.FilterSet], query: QueryDict, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that the query's documented filters leave. Raises ``ValidationError``."""
    bound = filterset(data=query, queryset=rows)
    if not bound.is_valid():
        name, messages = next(iter(bound.errors.get_json_data().items()))
        raise ValidationError({name: [messages[0]["message"]]})
    chosen: QuerySet[Any] = bound.qs
    return chosen
