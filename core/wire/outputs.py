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


class _Part:
    """The keys of a flat row that begin with ``prefix``, without it; any other key is looked up in the row itself."""

    __slots__ = ("prefix", "row")

    def __init__(self, row: Any, prefix: str) -> None:
        self.row, self.prefix = row, prefix

    def __getitem__(self, key: str) -> Any:
        try:
            return self.row[self.prefix + key]
        except KeyError:
            return self.row[key]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member of an object: where its value is found, how it is written, what it looks like."""

    source: Source | None
    write: Callable[[Any], Any] | None
    describe: Callable[..., serializers.Field]
    is_nullable: bool
    is_required: bool

    def reader(self, name: str, prefix: str = "") -> Callable[[Any], Any]:
        """The function from a row to the member's value; ``prefix`` starts the keys of the row."""
        source = self.source
        if not callable(source):
            read: Callable[[Any], Any] = itemgetter(prefix + (source or name))
        else:
            compute = source
            read = (lambda row: compute(_Part(row, prefix))) if prefix else compute
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
    prefix: str = "",
    many: bool = False,
    nullable: bool = False,
    required: bool = True,
) -> Member:
    """An object, or with ``many`` a list of them. ``source=same`` makes it of the same row, and ``prefix`` of the keys
    of the same row that begin with it: ``nested(USER, prefix="owner__")``."""
    return Member(
        source=same if prefix and source is None else source,
        write=output.many if many else output.reader(prefix),
        describe=lambda **options: output.serializer(many=many, **options),
        is_nullable=nullable,
        is_required=required,
    )


def same(row: Any) -> Any:
    """The row itself: a source for objects whose members stand flat in it."""
    return row


class Output:
    """A JSON object by the name that the document gives it; ``about`` is what the document says of it."""

    # ``of(row)`` makes the object of one row.
    of: Callable[[Any], dict[str, Any]]

    def __init__(self, name: str, about: str = "", /, **members: Member) -> None:
        self.name = name
        self.about = about
        self.members = members
        self.of = self.reader("")

    def reader(self, prefix: str) -> Callable[[Any], dict[str, Any]]:
        """The function that makes the object of the keys of a row that begin with ``prefix``."""
        readers = [(key, member.reader(key, prefix)) for key, member in self.members.items()]
        if all(member.is_required for member in self.members.values()):
            return lambda row: {key: read(row) for key, read in readers}

        def made(row: Any) -> dict[str, Any]:
            return {key: found for key, read in readers if (found := read(row)) is not ABSENT}

        return made

    def many(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """The objects of some rows."""
        return [self.of(row) for row in rows]

    def extended(self, name: str, about: str = "", /, **members: Member) -> "Output":
        """This object with more members, or with others of the same name."""
        return Output(name, about, **{**self.members, **members})

    @cached_property
    def serializer(self) -> type[serializers.Serializer[Any]]:
        """The class that describes the object to drf-spectacular."""
        fields = {
            key: member.describe(allow_null=member.is_nullable, required=member.is_required)
            for key, member in self.members.items()
        }
        return type(self.name, (serializers.Serializer,), {"__doc__": self.about or None, **fields})
