"""What an answer is made of: one definition makes the JSON of a row and describes it in the OpenAPI document.

``ROOM = Output("RoomOutput", id=value(ID), owner=nested(USER, "owner"), is_live=value(FLAG, lambda row: …))`` and then
``ROOM.of(row)``. Rows are mappings (``QuerySet.values``), so lists stay as quick as plain dictionaries; what depends on
the caller or on the time is put into the row before: ``ROOM.of(row | {"now": now})``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

Row = Mapping[str, Any]
Schema = dict[str, Any]
Source = str | Callable[[Any], Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}

# What a source answers when the member is left out of the object.
ABSENT: Any = object()


class Described(serializers.Field):
    """A field of an answer that is known by its JSON Schema."""

    def __init__(self, schema: Schema, **kwargs: Any) -> None:
        self.schema = dict(schema)
        super().__init__(**kwargs)


class DescribedField(OpenApiSerializerFieldExtension):
    target_class = Described

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = dict(self.target.schema)
        if self.target.allow_null and "enum" in schema:
            # The type's null is added by the generator, the enumeration's is not.
            schema["enum"] = [*schema["enum"], None]
        return schema


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member of an object: where its value is found, how it is written, what it looks like."""

    source: Source | None
    write: Callable[[Any], Any] | None
    describe: Callable[..., serializers.Field]
    is_nullable: bool
    is_required: bool

    def reader(self, name: str) -> Callable[[Any], Any]:
        """The function from a row to the member's value."""
        read = self.source if callable(self.source) else itemgetter(self.source or name)
        write = self.write
        if write is None:
            return read
        if not self.is_nullable and self.is_required:
            return lambda row: write(read(row))

        def written(row: Any) -> Any:
            found = read(row)
            return found if found is None or found is ABSENT else write(found)

        return written


def value(
    schema: Schema,
    source: Source | None = None,
    *,
    write: Callable[[Any], Any] | None = None,
    nullable: bool = False,
    required: bool = True,
) -> Member:
    """A value of this JSON Schema. ``source`` is a key of the row (default: the member's name) or a function of it;
    ``write`` makes JSON of what was found. ``required=False``: absent when the source answers ``ABSENT``."""
    return Member(
        source=source,
        write=write,
        describe=lambda **options: Described(schema, **options),
        is_nullable=nullable,
        is_required=required,
    )


def nested(
    output: "Output",
    source: Source | None = None,
    *,
    many: bool = False,
    nullable: bool = False,
    required: bool = True,
) -> Member:
    """An object, or with ``many`` a list of them. ``source=same`` makes it of the same row."""
    return Member(
        source=source,
        write=output.many if many else output.of,
        describe=lambda **options: output.serializer(many=many, **options),
        is_nullable=nullable,
        is_required=required,
    )


def same(row: Any) -> Any:
    """The row itself: a source for objects whose members stand flat in it."""
    return row


class Output:
    """A JSON object by the name that the document gives it."""

    def __init__(self, name: str, /, **members: Member) -> None:
        self.name = name
        self.members = members
        self._readers = [(key, member.reader(key)) for key, member in members.items()]
        self._may_lack = any(not member.is_required for member in members.values())

    def of(self, row: Any) -> dict[str, Any]:
        """The object of one row."""
        made = {key: read(row) for key, read in self._readers}
        return {key: found for key, found in made.items() if found is not ABSENT} if self._may_lack else made

    def many(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """The objects of some rows."""
        return [self.of(row) for row in rows]

    def extended(self, name: str, /, **members: Member) -> "Output":
        """This object with more members, or with others of the same name."""
        return Output(name, **{**self.members, **members})

    @cached_property
    def serializer(self) -> type[serializers.Serializer[Any]]:
        """The class that describes the object to drf-spectacular."""
        fields = {
            key: member.describe(allow_null=member.is_nullable, required=member.is_required)
            for key, member in self.members.items()
        }
        return type(self.name, (serializers.Serializer,), fields)
