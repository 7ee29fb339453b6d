"""Encrypting every stored secret anew with the first of ``FIELD_ENCRYPTION_KEYS`` (use case: a batch at a time).

Stopped anywhere it can be started again: what is done already is recognised by its key and left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db.models import BinaryField, Model, QuerySet

from core.db.transactions import use_case
from core.security import secrets

BATCH_ROWS = 200
# By convention a column that holds a secret ends so.
_SUFFIX = "_encrypted"


@dataclass(frozen=True, kw_only=True)
class SecretColumn:
    """A column of encrypted secrets."""

    model: type[Model]
    name: str

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.name}"

    def rows(self) -> QuerySet[Model]:
        """The rows that have a secret there, by primary key."""
        return self.model._default_manager.filter(**{f"{self.name}__isnull": False}).order_by("pk")


@dataclass(kw_only=True)
class Batch:
    """What one batch did. ``last_pk`` is where the next one goes on; ``unreadable`` are rows that no key opens."""

    looked_at: int = 0
    rotated: int = 0
    unreadable: list[object] = field(default_factory=list)
    last_pk: object = None


def secret_columns() -> list[SecretColumn]:
    """Every column of every model that holds encrypted secrets."""
    return [
        SecretColumn(model=model, name=column.name)
        for model in apps.get_models()
        for column in model._meta.local_concrete_fields
        if isinstance(column, BinaryField) and column.name.endswith(_SUFFIX)
    ]


def rotate_column(column: SecretColumn, *, dry_run: bool = False) -> Iterator[Batch]:
    """Work through a column; gives each batch when it is committed. With ``dry_run`` nothing is written."""
    last_pk: object = None
    while (batch := _rotate_batch(column=column, after_pk=last_pk, dry_run=dry_run)).looked_at:
        yield batch
        last_pk = batch.last_pk


@use_case
def _rotate_batch(*, column: SecretColumn, after_pk: object, dry_run: bool) -> Batch:
    rows = column.rows() if after_pk is None else column.rows().filter(pk__gt=after_pk)
    batch = Batch()
    for pk, stored in rows.values_list("pk", column.name)[:BATCH_ROWS]:
        batch.looked_at += 1
        batch.last_pk = pk
        sealed = bytes(stored)
        if secrets.is_current(sealed):
            continue
        try:
            renewed = secrets.rotate(sealed)
        except InvalidToken:
            batch.unreadable.append(pk)
            continue
        # A secret that somebody replaced meanwhile is encrypted with the first key already.
        same = column.model._default_manager.filter(pk=pk, **{column.name: sealed})
        batch.rotated += 1 if dry_run else same.update(**{column.name: renewed})
    return batch
