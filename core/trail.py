"""The audit trail: each act of a person leaves its entry in the act's own transaction (building block)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.utils import translation

from core.db.transactions import require_atomic
from core.models import AuditEntry, AuditSeal
from core.sealing import Chain

REASON_LENGTH_MAX = 200
NAME_LENGTH_MAX = 200

# Every column of an entry: one that is added later is added to a row_hash of a new version.
CHAIN = Chain(
    name="trail",
    noun="audit entry",
    noun_plural="audit entries",
    seals=AuditSeal,
    rows=AuditEntry,
    row_hash="""encode(sha256(convert_to(jsonb_build_array((extract(epoch FROM t.at) * 1000000)::bigint, t.actor_id,
        t.by_platform, t.action, t.object_type, t.object_id, t.object_name, t.reason, t.before, t.after, t.ip)::text,
        'UTF8')), 'hex')""",
    lock=0x74726169,
)

# Where a request came from is a fact of the edge that no rule asks for: it need not travel through every signature.
_address: ContextVar[str] = ContextVar("address", default="")


@contextmanager
def acting_from(address: str) -> Iterator[None]:
    """What is recorded inside the block is noted as coming from this network address."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def record(
    *,
    actor: AbstractBaseUser | None,
    action: str,
    target: models.Model,
    now: datetime,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    by_platform: bool = False,
) -> AuditEntry:
    """Leave the entry of one act on ``target``; ``before`` and ``after`` hold what the act changed, JSON types only.

    ``actor`` is ``None`` for the operator at a command line and, ``by_platform``, for what the platform did by itself
    (a freeze after a breach) or a program by its key (``reason`` says which). Amounts are in minor units, as everywhere
    in the domain.
    """
    require_atomic()
    # The trail is English, whatever language the act's page speaks.
    with translation.override(None):
        name = str(target)
    return AuditEntry.objects.create(
        at=now,
        actor_id=None if actor is None else actor.pk,
        by_platform=by_platform,
        action=action,
        object_type=target._meta.label_lower,
        object_id=str(target.pk),
        object_name=name[:NAME_LENGTH_MAX],
        reason=reason[:REASON_LENGTH_MAX],
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        ip=_address.get(),
    )
