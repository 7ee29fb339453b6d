"""What the webhooks routes accept. What they answer is in `outputs`."""

from typing import Any

from rest_framework import serializers

from core.wire.fields import CountField, NameField, QueryIdField, StrictSerializer, TextField, TruthField
from webhooks.catalogue import EventType
from webhooks.endpoints import OLD_SECRET_MAX
from webhooks.models import NAME_LENGTH_MAX, URL_LENGTH_MAX, Delivery

DELIVERIES_MAX = 100
OLD_SECRET_SECONDS_MAX = int(OLD_SECRET_MAX.total_seconds())
OLD_SECRET_SECONDS = 24 * 60 * 60


class TypesField(serializers.ListField):
    """Names of event types; whether the owner has such events is a rule of the domain's."""

    child = serializers.ChoiceField(
        choices=EventType.values, error_messages={"invalid_choice": "There is no such event type."}
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=1, max_length=len(EventType), **kwargs)


class CreateInput(StrictSerializer):
    """Body of POST /webhook-endpoints."""

    name = NameField(max_length=NAME_LENGTH_MAX)
    url = TextField(max_length=URL_LENGTH_MAX, trim_whitespace=False)
    types = TypesField()


class ChangeInput(StrictSerializer):
    """Body of PATCH /webhook-endpoints/{id}; what is not given stays."""

    name = NameField(max_length=NAME_LENGTH_MAX, required=False)
    url = TextField(max_length=URL_LENGTH_MAX, trim_whitespace=False, required=False)
    types = TypesField(required=False)
    enabled = TruthField(required=False)


class RotateInput(StrictSerializer):
    """Body of POST /webhook-endpoints/{id}/rotate-secret: how long the old secret signs beside the new one."""

    old_secret_seconds = CountField(minimum=0, maximum=OLD_SECRET_SECONDS_MAX, default=OLD_SECRET_SECONDS)


class DeliveriesQuery(serializers.Serializer[Any]):
    """Query of GET /webhook-endpoints/{id}/deliveries; ``before`` is the id of the last delivery already seen."""

    state = serializers.ChoiceField(choices=Delivery.State.choices, required=False)
    before = QueryIdField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=DELIVERIES_MAX, default=20)
