"""Endpoints and deliveries as their owners get them."""

from operator import attrgetter

from core.wire.fields import iso_ms
from core.wire.openapi import ID, TIME, Schema
from core.wire.outputs import FLAG, TEXT, Member, Output, value
from webhooks.catalogue import TEST, EventType
from webhooks.models import Delivery

UUID: Schema = {"type": "string", "format": "uuid"}
SECRET: Schema = {"type": "string", "pattern": "^whsec_", "description": "Shown this once."}
STATE: Schema = {"type": "string", "enum": Delivery.State.values}
TYPES: Schema = {"type": "array", "items": {"type": "string", "enum": EventType.values}}
SENT_TYPE: Schema = {"type": "string", "enum": [*EventType.values, TEST]}
FAILING_SINCE: Schema = TIME | {
    "description": "When the first attempt after the last success failed; UTC with milliseconds."
}
NEXT_ATTEMPT_AT: Schema = TIME | {
    "description": "Null while an attempt is under way, and when none is to come; UTC with milliseconds."
}
MESSAGE_ID: Schema = {"type": "string", "description": "The `webhook-id` of each attempt."}


def _time(source: str, schema: Schema = TIME) -> Member:
    return value(schema, attrgetter(source), write=iso_ms, nullable=True)


def _endpoint(of: str) -> dict[str, Member]:
    """An endpoint's members, without what signs; ``of`` leads from the row to it."""
    return {
        "id": value(UUID, attrgetter(f"{of}public_id"), write=str),
        "name": value(TEXT, attrgetter(f"{of}name")),
        "url": value(TEXT, attrgetter(f"{of}url")),
        "types": value(TYPES, attrgetter(f"{of}types")),
        "enabled": value(FLAG, lambda row: attrgetter(f"{of}disabled_at")(row) is None),
        "disabled_at": _time(f"{of}disabled_at"),
        "disabled_reason": value(TEXT, attrgetter(f"{of}disabled_reason")),
        "failing_since": _time(f"{of}failing_since", FAILING_SINCE),
        "old_secret_ends_at": _time(f"{of}old_secret_ends_at"),
        "created_at": value(TIME, attrgetter(f"{of}created_at"), write=iso_ms),
    }


ENDPOINT = Output("EndpointOutput", **_endpoint(""))

# Rows of `endpoints.Issued`: an endpoint with the secret that signs from now on.
ISSUED = Output("IssuedOutput", **_endpoint("endpoint."), secret=value(SECRET, attrgetter("secret")))


def _next_attempt_at(row: Delivery) -> object:
    return row.next_attempt_at if row.state == Delivery.State.PENDING and row.claim is None else None


DELIVERY = Output(
    "DeliveryOutput",
    id=value(ID, attrgetter("pk")),
    message_id=value(MESSAGE_ID, attrgetter("event.public_id")),
    type=value(SENT_TYPE, attrgetter("event.type")),
    state=value(STATE, attrgetter("state")),
    attempts=value({"type": "integer", "minimum": 0}, attrgetter("attempts")),
    next_attempt_at=value(NEXT_ATTEMPT_AT, _next_attempt_at, write=iso_ms, nullable=True),
    last_status=value({"type": "integer"}, attrgetter("last_status"), nullable=True),
    last_error=value(TEXT, attrgetter("last_error")),
    created_at=value(TIME, attrgetter("created_at"), write=iso_ms),
    finished_at=_time("finished_at"),
)

COUNT = Output("CountOutput", count=value({"type": "integer", "minimum": 0}))
