"""One definition makes the JSON of a row and its schema."""

from typing import Any

import pytest
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from core.wire.outputs import ABSENT, FLAG, TEXT, Output, nested, same, value

OWNER = Output("OwnerOutput", id=value({"type": "integer"}, "owner_id"), username=value(TEXT, "owner__username"))
SEAT = Output("SeatOutput", number=value({"type": "integer"}))
ROOM = Output(
    "RoomOutput",
    name=value(TEXT),
    owner=nested(OWNER, same),
    seats=nested(SEAT, many=True),
    is_open=value(FLAG, lambda row: row["count"] < row["limit"]),
    note=value(TEXT, write=str.upper, nullable=True),
    pending=value(TEXT, lambda row: row.get("pending", ABSENT), required=False),
)
ROW: dict[str, Any] = {
    "name": "Lantern night",
    "owner_id": 7,
    "owner__username": "master",
    "seats": [{"number": 1}, {"number": 2}],
    "count": 2,
    "limit": 2,
    "note": None,
}


def test_row_becomes_object() -> None:
    assert ROOM.of(ROW) == {
        "name": "Lantern night",
        "owner": {"id": 7, "username": "master"},
        "seats": [{"number": 1}, {"number": 2}],
        "is_open": False,
        "note": None,
    }


def test_members_keep_their_order() -> None:
    assert [*ROOM.of(ROW | {"pending": "x"})] == ["name", "owner", "seats", "is_open", "note", "pending"]


def test_writer_is_not_called_with_null() -> None:
    assert ROOM.of(ROW | {"note": "open late"})["note"] == "OPEN LATE"


def test_extension_replaces_and_adds_members() -> None:
    longer = OWNER.extended("LongOwnerOutput", id=value(TEXT, lambda row: str(row["owner_id"])), is_staff=value(FLAG))

    assert longer.of(ROW | {"is_staff": True}) == {"id": "7", "username": "master", "is_staff": True}
    assert OWNER.of(ROW) == {"id": 7, "username": "master"}


def test_missing_key_of_a_row_is_an_error() -> None:
    with pytest.raises(KeyError):
        SEAT.of({})


def test_schema_states_each_member_once() -> None:
    fields = ROOM.serializer().fields

    assert [*fields] == ["name", "owner", "seats", "is_open", "note", "pending"]
    assert isinstance(fields["seats"], serializers.ListSerializer)
    assert (fields["note"].allow_null, fields["pending"].required) == (True, False)
    assert AutoSchema()._map_serializer_field(fields["is_open"], "response") == FLAG
