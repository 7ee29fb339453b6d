"""What the rooms routes accept. What they answer is in `shapes`."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.wire.fields import (
    AmountField,
    CountField,
    IdField,
    NameField,
    QueryIdField,
    StrictSerializer,
    TextField,
)
from rooms.errors import RoomInvalid
from rooms.prizes import PRIZES_MAX
from rooms.terms import AMOUNT_DECIMALS, COUNT_TERMS

NAME_LENGTH_MAX = 120
SYMBOL_LENGTH_MAX = 255
COUNT_MAX = 1_000_000
RANKING_MAX = 10_000
# Far beyond what the prize table allows, so that its own sentence can say so.
PERCENT_MAX = 1_000


@extend_schema_field({"type": "number", "minimum": -PERCENT_MAX, "maximum": PERCENT_MAX})
class PercentField(serializers.Field):
    """A JSON number; its rules are those of the prize table (`rooms.prizes`)."""

    default_error_messages = {"invalid": "A number is required."}

    def to_internal_value(self, data: Any) -> Decimal:
        if type(data) is int:
            data = Decimal(data)
        if not isinstance(data, Decimal) or not data.is_finite() or abs(data) > PERCENT_MAX:
            self.fail("invalid")
        return data


class PrizeInput(StrictSerializer):
    """One row of a prize table."""

    rank = CountField(minimum=-COUNT_MAX, maximum=COUNT_MAX)
    percent = PercentField()


class RoomTermsInput(StrictSerializer):
    """The room itself in create and in the second form of PATCH."""

    name = NameField(max_length=NAME_LENGTH_MAX, required=False)
    symbol = TextField(max_length=SYMBOL_LENGTH_MAX, required=False)
    participation_amount = AmountField(decimals=AMOUNT_DECIMALS, required=False)
    prizes_num = CountField(minimum=1, maximum=PRIZES_MAX, required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {
            name: CountField(minimum=term.minimum, maximum=term.maximum, required=False)
            for name, term in COUNT_TERMS.items()
        }


class CreateRoomInput(StrictSerializer):
    """Body of POST /game-rooms."""

    game_room = RoomTermsInput()
    game_set_prizes = serializers.ListField(child=PrizeInput(), max_length=100)
    game_type_id = IdField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        room = attrs["game_room"]
        if "participation_amount" not in room or "prizes_num" not in room:
            raise RoomInvalid("Game room participation amount and prizes number are required")
        return attrs


class EditRoomInput(StrictSerializer):
    """Body of PATCH /game-rooms, in both of its documented forms."""

    name_new = NameField(max_length=NAME_LENGTH_MAX, required=False)
    symbol = TextField(max_length=SYMBOL_LENGTH_MAX, required=False)
    participation_amount_new = AmountField(decimals=AMOUNT_DECIMALS, required=False)
    game_room = RoomTermsInput(required=False)
    game_set_prizes = serializers.ListField(child=PrizeInput(), max_length=100, required=False)


class JoinInput(StrictSerializer):
    """Body of POST /game-join-rooms."""

    session_id = IdField()
    room_id = IdField()
    amount = AmountField(decimals=AMOUNT_DECIMALS)


@extend_schema_field({"type": "number"})
class ScoreField(serializers.Field):
    """A JSON number, exact."""

    default_error_messages = {"invalid": "A number is required."}

    def to_internal_value(self, data: Any) -> Decimal:
        if type(data) is int:
            data = Decimal(data)
        if not isinstance(data, Decimal):
            self.fail("invalid")
        return data


class ScoreInput(StrictSerializer):
    """Body of POST /game-rooms/sessions/{id}/score."""

    score = ScoreField()


class LeaveInput(StrictSerializer):
    """Body of POST /game-join-rooms/leave."""

    session_id = IdField()


class ResultInput(StrictSerializer):
    """``ranking``: the participants' ids (`id` of a join), best first."""

    ranking = serializers.ListField(child=IdField(), min_length=1, max_length=RANKING_MAX)


class IdQuery(serializers.Serializer[Any]):
    """Query of PATCH and DELETE /game-rooms."""

    id = QueryIdField()


class RoomQuery(serializers.Serializer[Any]):
    """Query with a required room."""

    room_id = QueryIdField()


class SessionQuery(serializers.Serializer[Any]):
    """Query with a required session."""

    session_id = QueryIdField()


class JoinQuery(serializers.Serializer[Any]):
    """Query of GET /game-join-rooms/joiner."""

    join_id = QueryIdField()
