"""The documented filters of the lists (contract: rooms, "Endpoints")."""

from django_filters import rest_framework as filters

from core.wire.filtering import IdFilter, StrictFilterSet
from rooms.models import Participant, Room

HOST_LENGTH_MAX = 64


class RoomFilter(StrictFilterSet):
    """Filters of GET /game-rooms."""

    room_id = IdFilter(field_name="id")
    host_id = IdFilter(field_name="owner_id")
    game_type_id = IdFilter(field_name="game_id")
    host = filters.CharFilter(field_name="owner__username", lookup_expr="icontains", max_length=HOST_LENGTH_MAX)

    class Meta:
        model = Room
        fields: list[str] = []


class ParticipantFilter(StrictFilterSet):
    """Filters of the participation lists."""

    session_id = IdFilter(field_name="session_id")
    room_id = IdFilter(field_name="room_id")

    class Meta:
        model = Participant
        fields: list[str] = []
