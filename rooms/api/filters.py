"""The documented filters of the lists; a value that cannot be one is a 400, never ignored."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError

from gameplatform.wire.fields import ID_MAX
from rooms.models import Participant, Room


class IdFormField(forms.IntegerField):
    """An id as the database can hold it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=ID_MAX, **kwargs)


class IdFilter(filters.Filter):
    """Equality with an id."""

    field_class = IdFormField


class RoomFilter(filters.FilterSet):
    """Filters of GET /game-rooms (contract: rooms, endpoints)."""

    room_id = IdFilter(field_name="id")
    host_id = IdFilter(field_name="owner_id")
    game_type_id = IdFilter(field_name="game_id")
    host = filters.CharFilter(field_name="owner__username", lookup_expr="icontains", max_length=64)

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
