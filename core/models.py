"""What core keeps in the database: answers given under an idempotency key, the trail of acts, and its seals."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class IdempotencyRecord(models.Model):
    """One (caller, endpoint, key): the request it first came with, and the answer that was given.

    Written only by ``core.idempotency``; pruned after a day or so, because the money rules below it have unique
    business keys of their own and need no record to be safe.
    """

    class State(models.TextChoices):
        IN_FLIGHT = "in_flight", "In flight"
        DONE = "done", "Done"

    caller = models.CharField(max_length=100)
    endpoint = models.CharField(max_length=300)
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    state = models.CharField(max_length=9, choices=State)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    # When the run that now holds the record began: also the holder's proof that the record is still its own.
    locked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("idempotency record")
        constraints = [
            models.UniqueConstraint(fields=["caller", "endpoint", "key"], name="core_idempotency_unique"),
            models.CheckConstraint(
                name="core_idempotency_done_has_answer",
                condition=models.Q(state="in_flight", response_status__isnull=True, response_body__isnull=True)
                | models.Q(state="done", response_status__isnull=False, response_body__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="core_idempotency_age")]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.key}"


class AuditEntry(models.Model):
    """One act of a person: when, who, what, on which object, why, and the values before and after.

    Written only by ``core.trail``, in the transaction of the act; the database refuses to change or remove an entry
    (``core/sql/audit_guard.sql``). Without an actor it was the operator, by a command, or the platform itself.
    """

    at = models.DateTimeField(_("at"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    by_platform = models.BooleanField(default=False, db_default=False)
    action = models.CharField(max_length=64)
    # "rooms.room": the model's label, so that an entry outlives any table of types.
    object_type = models.CharField(_("object type"), max_length=64)
    object_id = models.CharField(_("object id"), max_length=64)
    object_name = models.CharField(_("recorded name"), max_length=200)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    before = models.JSONField(_("before"), null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), null=True, blank=True, encoder=DjangoJSONEncoder)
    ip = models.CharField(_("address"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["object_type", "object_id", "-id"], name="core_audit_object"),
            models.Index(fields=["actor", "-id"], name="core_audit_actor"),
        ]

    def __str__(self) -> str:
        return gettext("audit entry %(number)s") % {"number": self.pk}

    def who(self) -> str:
        """Who did it, for people; the actor must be loaded."""
        if self.actor is not None:
            return self.actor.get_username()
        return gettext("the platform") if self.by_platform else gettext("the operator")


class Seal(models.Model):
    """One link of a hash chain over a table (``core.sealing``). Never changed, never deleted; ranges follow on.

    It covers all ids from ``first_id`` to ``last_id``: ``count`` rows, and the id ranges in ``gaps`` ([[first, last],
    …]) that no row has, because what drew them was rolled back. ``content_digest`` is a SHA-256 of these rows,
    ``digest`` an HMAC of that with the key ``key_id``; ``previous_digest`` is the digest before, 64 zeros at first. A
    seal of version 1 has no key: its ``digest`` is the SHA-256.
    """

    first_id = models.BigIntegerField(unique=True)
    last_id = models.BigIntegerField(unique=True)
    count = models.PositiveIntegerField()
    gaps = ArrayField(ArrayField(models.BigIntegerField(), size=2), default=list)
    # The defaults in the database are those of the release that knew version 1 only.
    version = models.PositiveSmallIntegerField(default=2, db_default=1)
    key_id = models.CharField(max_length=16, blank=True, db_default="")
    content_digest = models.CharField(max_length=64, blank=True, db_default="")
    digest = models.CharField(max_length=64)
    # Unique: a chain does not fork.
    previous_digest = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"seal {self.pk} ({self.first_id} to {self.last_id})"


class AuditSeal(Seal):
    """A seal over the audit trail."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_id__gte=1, first_id__lte=models.F("last_id")),
                name="core_audit_seal_range_in_order",
            ),
        ]
