"""Bodies and queries of the chat. Members that a body does not know are ignored (contract: chat)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chat.models import NAME_LENGTH_MAX, USER_ID_LENGTH_MAX
from core.json_text import plain
from core.security.names import has_hidden_characters
from core.wire.fields import ID_MAX, NameField, RFC3339Field, TextField

LIST_ITEMS_MAX = 100
SEARCH_LENGTH_MAX = 200
DURATION_SECONDS_MAX = 10 * 365 * 86400

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class UserIdField(TextField):
    """The application's own id of a user: 1 to 128 characters, none of them invisible, no space around."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=USER_ID_LENGTH_MAX, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text.strip() != text or has_hidden_characters(text):
            raise serializers.ValidationError("An id without spaces around it and without hidden characters is needed.")
        return text


@extend_schema_field({"type": "object", "additionalProperties": {}})
class MetaField(serializers.Field):
    """A JSON object; its size is the domain's to judge."""

    default_error_messages = {"invalid": "A JSON object is required."}

    def to_internal_value(self, data: Any) -> Mapping[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        value: Mapping[str, Any] = plain(data)
        return value

    def to_representation(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return value


class ContentField(TextField):
    """A message's text as it was typed; how long it may be is the domain's to say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **kwargs)


class MessageTypeField(TextField):
    """A word: ``text``, ``image``, ``file``, ``system`` or the application's own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=50, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not re.fullmatch(r"[A-Za-z0-9_.:-]+", text, re.ASCII):
            raise serializers.ValidationError("A word of letters, digits and _ . : - is required.")
        return text


# --- Bodies ------------------------------------------------------------------------------------------------------


class RoomCreation(serializers.Serializer):
    name = NameField(max_length=NAME_LENGTH_MAX)
    description = TextField(max_length=2000, allow_blank=True, default="")
    meta = MetaField(default=dict)


class RoomChange(serializers.Serializer):
    name = NameField(max_length=NAME_LENGTH_MAX, required=False)
    description = TextField(max_length=2000, allow_blank=True, required=False)
    meta = MetaField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Give at least one of name, description and meta.")
        return attrs


class Joining(serializers.Serializer):
    user_id = UserIdField()
    user_name = NameField(max_length=NAME_LENGTH_MAX)
    meta = MetaField(default=dict)


class Leaving(serializers.Serializer):
    user_id = UserIdField()


class TicketRequest(serializers.Serializer):
    user_id = UserIdField(required=False)
    user_name = NameField(max_length=NAME_LENGTH_MAX, required=False)


class MessageCreation(serializers.Serializer):
    sender_id = UserIdField(required=False)
    sender_name = NameField(max_length=NAME_LENGTH_MAX, required=False)
    content = ContentField()
    message_type = MessageTypeField(default="text")
    meta = MetaField(default=dict)
    client_msg_id = UserIdField(required=False, allow_null=True)


class MessageChange(serializers.Serializer):
    user_id = UserIdField(required=False)
    content = ContentField(required=False)
    meta = MetaField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "content" not in attrs and "meta" not in attrs:
            raise serializers.ValidationError("Give content, meta or both.")
        return attrs


class Acting(serializers.Serializer):
    user_id = UserIdField(required=False)


class Reporting(serializers.Serializer):
    user_id = UserIdField(required=False)
    reason = TextField(max_length=500)


class ModeratingOnce(serializers.Serializer):
    user_id = UserIdField()
    moderator_id = UserIdField(required=False)
    reason = TextField(max_length=500, allow_blank=True, default="")


class Moderating(ModeratingOnce):
    """``expires_at`` or ``duration_seconds``; neither: for good."""

    expires_at = RFC3339Field(required=False)
    duration_seconds = serializers.IntegerField(min_value=1, max_value=DURATION_SECONDS_MAX, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "expires_at" in attrs and "duration_seconds" in attrs:
            raise serializers.ValidationError("Give expires_at or duration_seconds, not both.")
        return attrs

    def expiry(self, now: datetime) -> datetime | None:
        """When the sanction ends, ``None`` for never."""
        seconds = self.validated_data.get("duration_seconds")
        if seconds is not None:
            return now + timedelta(seconds=seconds)
        until: datetime | None = self.validated_data.get("expires_at")
        return until


# --- Queries -----------------------------------------------------------------------------------------------------


class QueryNumberField(serializers.Field):
    """A number in a query: ASCII digits."""

    def __init__(self, *, minimum: int, maximum: int, **kwargs: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _NUMBER.fullmatch(data) or not self.minimum <= int(data) <= self.maximum:
            raise serializers.ValidationError(f"A number from {self.minimum} to {self.maximum} is required.")
        return int(data)


class QueryBooleanField(serializers.Field):
    """``true`` or ``false``."""

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            raise serializers.ValidationError("true or false is required.")
        return bool(data == "true")


class QueryListField(serializers.Field):
    """Words with commas between them; the parameter may also be repeated."""

    def get_value(self, dictionary: Any) -> Any:
        values = dictionary.getlist(self.field_name)
        return ",".join(values) if values else serializers.empty

    def to_internal_value(self, data: str) -> list[str]:
        items = [item for item in data.split(",") if item]
        if len(items) > LIST_ITEMS_MAX:
            raise serializers.ValidationError(f"At most {LIST_ITEMS_MAX} values are allowed.")
        if any("\0" in item for item in items):
            raise serializers.ValidationError("Null characters are not allowed.")
        return items


class QueryTimeField(RFC3339Field):
    """A time with its offset, or a day: then its beginning in UTC, or its end with ``is_end``."""

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        self.is_end = is_end
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> datetime:
        if isinstance(data, str) and _DATE.fullmatch(data):
            data = f"{data}T{time.max if self.is_end else time.min:%H:%M:%S}{'.999999' if self.is_end else ''}Z"
        return super().to_internal_value(data).astimezone(UTC)


class ActingQuery(serializers.Serializer):
    user_id = UserIdField(required=False)


class RoomsQuery(serializers.Serializer):
    sort = serializers.ChoiceField(choices=["name", "created_at", "-created_at"], default="-created_at")


class MessagesQuery(serializers.Serializer):
    include_deleted = QueryBooleanField(default=False)
    sort = serializers.ChoiceField(choices=["created_at", "-created_at"], required=False)
    after_seq = QueryNumberField(minimum=0, maximum=ID_MAX, required=False)
    before_seq = QueryNumberField(minimum=0, maximum=ID_MAX, required=False)


class SearchQuery(serializers.Serializer):
    q = TextField(max_length=SEARCH_LENGTH_MAX)
    room_ids = QueryListField(required=False)
    sender_ids = QueryListField(default=list)
    message_types = QueryListField(default=list)
    date_from = QueryTimeField(required=False)
    date_to = QueryTimeField(is_end=True, required=False)


# --- The socket --------------------------------------------------------------------------------------------------


class SocketQuery(serializers.Serializer):
    token = TextField(max_length=200, allow_blank=True, default="")
    user_id = UserIdField(required=False)
    user_name = NameField(max_length=NAME_LENGTH_MAX, required=False)
    since = QueryNumberField(minimum=0, maximum=ID_MAX, required=False)
    epoch = TextField(max_length=20, required=False)


class SocketMessage(serializers.Serializer):
    content = ContentField()
    message_type = MessageTypeField(default="text")
    meta = MetaField(default=dict)
    client_msg_id = UserIdField(required=False, allow_null=True)


class SocketTyping(serializers.Serializer):
    is_typing = serializers.BooleanField()
