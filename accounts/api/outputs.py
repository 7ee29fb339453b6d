"""The objects of the accounts' answers."""

from operator import attrgetter

from core.wire.fields import iso_ms
from core.wire.openapi import ID, TIME
from core.wire.outputs import FLAG, TEXT, Output, nested, value

GAME = Output("GameOutput", id=value(ID), name=value(TEXT), symbol=value(TEXT))

# A user as that user sees itself.
USER = Output(
    "UserOutput",
    id=value(ID, attrgetter("pk")),
    username=value(TEXT, attrgetter("username")),
    email=value(TEXT, attrgetter("email"), nullable=True),
    fullname=value(TEXT, attrgetter("fullname")),
    avatar=value(TEXT, attrgetter("avatar")),
    wallet_address=value(TEXT, attrgetter("wallet_address"), nullable=True),
    is_master=value(FLAG, attrgetter("is_master")),
)

SIGNED_IN = Output(
    "SignedInOutput",
    access=value(TEXT, attrgetter("access")),
    refresh=value(TEXT, attrgetter("refresh")),
    user=nested(USER, attrgetter("user")),
)

STEP_UP = Output("StepUpOutput", access=value(TEXT), ends_at=value(TIME, write=iso_ms))
