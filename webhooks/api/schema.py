"""The webhooks operations as the OpenAPI document shows them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions

from core.wire.openapi import ID, Refusals, documented, envelope, in_path, query
from core.wire.outputs import Described
from webhooks.api import outputs
from webhooks.api.outputs import STATE, UUID
from webhooks.api.serializers import DELIVERIES_MAX, ChangeInput, CreateInput, RotateInput
from webhooks.catalogue import TEST
from webhooks.endpoints import ENDPOINTS_EACH_MAX
from webhooks.errors import (
    DeliveryNotFound,
    DeliveryPending,
    EndpointDisabled,
    EndpointInvalid,
    EndpointNotFound,
    NotAnOwner,
    TooManyEndpoints,
    TooManySecrets,
    UrlRefused,
)

ENDPOINT_ID = "0b6f1a52-6f0e-4f43-9a53-1c1f6f1d2a77"
ENDPOINT: dict[str, Any] = {
    "id": ENDPOINT_ID,
    "name": "Bookkeeping",
    "url": "https://hooks.example.com/gameplatform",
    "types": ["session.ended", "session.refunded"],
    "enabled": True,
    "disabled_at": None,
    "disabled_reason": "",
    "failing_since": None,
    "old_secret_ends_at": None,
    "created_at": "2026-03-01T12:00:00.000Z",
}
ISSUED: dict[str, Any] = ENDPOINT | {"secret": "whsec_bGFudGVybnMgb3ZlciB0aGUgcml2ZXIgYXQgbmlnaHQ="}
FAILING: dict[str, Any] = ENDPOINT | {
    "enabled": False,
    "disabled_at": "2026-03-06T12:05:05.000Z",
    "disabled_reason": "Every attempt of 5 days has failed",
    "failing_since": "2026-03-01T12:04:00.000Z",
}
DELIVERY: dict[str, Any] = {
    "id": 9012,
    "message_id": "msg_1f0e8c2d4b6a4c0e9f7d5b3a1c2e4f60",
    "type": "session.ended",
    "state": "dead",
    "attempts": 10,
    "next_attempt_at": None,
    "last_status": 503,
    "last_error": "503 Service Unavailable",
    "created_at": "2026-03-01T12:04:00.000Z",
    "finished_at": "2026-03-04T15:40:35.000Z",
}
ON_ITS_WAY: dict[str, Any] = DELIVERY | {
    "state": "pending",
    "attempts": 0,
    "next_attempt_at": "2026-03-05T08:00:00.000Z",
    "finished_at": None,
}
TESTED: dict[str, Any] = ON_ITS_WAY | {
    "type": TEST,
    "last_status": None,
    "last_error": "",
    "created_at": "2026-03-05T08:00:00.000Z",
}


_ID: list[OpenApiParameter] = [in_path("endpoint_id", UUID, example=ENDPOINT_ID)]
_OF_ANY: Refusals = [NotAnOwner]
_OF_ONE: Refusals = [NotAnOwner, EndpointNotFound]
_OF_TERMS: Refusals = [
    UrlRefused("The URL must begin with https://"),
    UrlRefused("The URL's host is not on the public internet"),
    EndpointInvalid("Event types that this owner has none of: wallet.deposited"),
    exceptions.ValidationError({"types": ["There is no such event type."]}),
]

list_endpoints = documented(
    "listWebhookEndpoints",
    tag="webhooks",
    summary="The caller's endpoints",
    answer=envelope(
        "WebhookEndpointsAnswer", "Webhook endpoints fetched successfully", data=outputs.ENDPOINT.serializer(many=True)
    ),
    examples={"one": {"message": "Webhook endpoints fetched successfully", "data": [ENDPOINT]}},
    refusals=_OF_ANY,
)

create_endpoint = documented(
    "createWebhookEndpoint",
    tag="webhooks",
    summary=f"A new endpoint with its secret; {ENDPOINTS_EACH_MAX} at most",
    status=201,
    body=CreateInput,
    bodies={"results": {name: ENDPOINT[name] for name in ("name", "url", "types")}},
    answer=envelope(
        "WebhookEndpointCreated", "Webhook endpoint created successfully", data=outputs.ISSUED.serializer()
    ),
    examples={"created": {"message": "Webhook endpoint created successfully", "data": ISSUED}},
    refusals=[*_OF_ANY, *_OF_TERMS, TooManyEndpoints],
)

get_endpoint = documented(
    "getWebhookEndpoint",
    tag="webhooks",
    summary="One endpoint",
    parameters=_ID,
    answer=envelope(
        "WebhookEndpointAnswer", "Webhook endpoint fetched successfully", data=outputs.ENDPOINT.serializer()
    ),
    examples={"given up": {"message": "Webhook endpoint fetched successfully", "data": FAILING}},
    refusals=_OF_ONE,
)

change_endpoint = documented(
    "changeWebhookEndpoint",
    tag="webhooks",
    summary="Change an endpoint, disable or enable it; what is on its way goes to the new URL",
    parameters=_ID,
    body=ChangeInput,
    bodies={"enable": {"enabled": True}, "move": {"url": ENDPOINT["url"]}},
    answer=envelope(
        "WebhookEndpointChanged", "Webhook endpoint updated successfully", data=outputs.ENDPOINT.serializer()
    ),
    examples={"enabled": {"message": "Webhook endpoint updated successfully", "data": ENDPOINT}},
    refusals=[*_OF_ONE, *_OF_TERMS],
)

delete_endpoint = documented(
    "deleteWebhookEndpoint",
    tag="webhooks",
    summary="Send nothing more to an endpoint, and forget it",
    parameters=_ID,
    answer=envelope("WebhookEndpointDeleted", "Webhook endpoint deleted successfully"),
    examples={"deleted": {"message": "Webhook endpoint deleted successfully"}},
    refusals=_OF_ONE,
)

rotate_secret = documented(
    "rotateWebhookSecret",
    tag="webhooks",
    summary="A new secret; the old one signs beside it for a while, a day when nothing is said",
    parameters=_ID,
    body=RotateInput,
    bodies={"an hour": {"old_secret_seconds": 3600}},
    answer=envelope("WebhookSecretRotated", "Webhook secret rotated successfully", data=outputs.ISSUED.serializer()),
    examples={
        "rotated": {
            "message": "Webhook secret rotated successfully",
            "data": ISSUED | {"old_secret_ends_at": "2026-03-02T09:00:00.000Z"},
        }
    },
    refusals=[
        *_OF_ONE,
        TooManySecrets,
        exceptions.ValidationError({"old_secret_seconds": ["A whole number is required."]}),
    ],
)

send_test = documented(
    "sendTestWebhook",
    tag="webhooks",
    summary="Send a webhook.test to an endpoint, whatever it asks for",
    status=201,
    parameters=_ID,
    answer=envelope("WebhookTestSent", "Test event is on its way", data=outputs.DELIVERY.serializer()),
    examples={"sent": {"message": "Test event is on its way", "data": TESTED}},
    refusals=[*_OF_ONE, EndpointDisabled],
)

list_deliveries = documented(
    "listWebhookDeliveries",
    tag="webhooks",
    summary="What was sent to an endpoint, newest first",
    parameters=[
        *_ID,
        query("state", STATE),
        query("before", ID),
        query("limit", {"type": "integer", "minimum": 1, "maximum": DELIVERIES_MAX, "default": 20}),
    ],
    answer=envelope(
        "WebhookDeliveriesAnswer",
        "Webhook deliveries fetched successfully",
        data=outputs.DELIVERY.serializer(many=True),
        next=Described(ID | {"description": "The next page's `before`."}, allow_null=True),
    ),
    examples={"the last one": {"message": "Webhook deliveries fetched successfully", "data": [DELIVERY], "next": None}},
    refusals=[*_OF_ONE, exceptions.ValidationError({"state": ['"lost" is not a valid choice.']})],
)

replay = documented(
    "replayWebhookDelivery",
    tag="webhooks",
    summary="Deliver once more, under the same message id, with all its attempts again",
    parameters=[*_ID, in_path("delivery_id", ID, example=9012)],
    answer=envelope("WebhookReplayed", "Webhook delivery is on its way", data=outputs.DELIVERY.serializer()),
    examples={"replayed": {"message": "Webhook delivery is on its way", "data": ON_ITS_WAY}},
    refusals=[*_OF_ONE, DeliveryNotFound, DeliveryPending, EndpointDisabled],
)

replay_dead = documented(
    "replayDeadWebhooks",
    tag="webhooks",
    summary="Deliver all that was given up once more",
    parameters=_ID,
    answer=envelope("DeadWebhooksReplayed", "Webhook deliveries are on their way", data=outputs.COUNT.serializer()),
    examples={"three": {"message": "Webhook deliveries are on their way", "data": {"count": 3}}},
    refusals=[*_OF_ONE, EndpointDisabled],
)
