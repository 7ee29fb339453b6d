"""Endpoints that listen, events that were told of, and the delivery of each to each.

Written by `webhooks.outbox`, `webhooks.endpoints` and `webhooks.deliveries` only.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiClient, refuse_hidden_characters
from webhooks.catalogue import GAME, MASTER, PLATFORM, TENANT

NAME_LENGTH_MAX = 100
URL_LENGTH_MAX = 2_000
REASON_LENGTH_MAX = 200
ERROR_LENGTH_MAX = 200
TYPE_LENGTH_MAX = 40


class Endpoint(models.Model):
    """An address of somebody's that wants to be told: of an API client's (a tenant, a game's server), a master's, or,
    with neither, the platform's own.

    Never deleted, because a payment that is being told of at this moment must not fail for it: ``deleted_at`` hides it,
    and what is deleted is disabled. ``old_secret`` signs beside the new one until ``old_secret_ends_at``; secrets
    older than that are ``OldSecret``s.
    """

    public_id = models.UUIDField(_("public id"), unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=NAME_LENGTH_MAX, validators=[refuse_hidden_characters])
    client = models.ForeignKey(ApiClient, models.PROTECT, null=True, blank=True, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="master"
    )
    url = models.CharField(_("URL"), max_length=URL_LENGTH_MAX)
    types = ArrayField(models.CharField(max_length=TYPE_LENGTH_MAX), verbose_name=_("types"))
    secret_encrypted = models.BinaryField(editable=False)
    old_secret_encrypted = models.BinaryField(null=True, editable=False)
    old_secret_ends_at = models.DateTimeField(_("old secret ends at"), null=True, blank=True, editable=False)
    # Since the first failure after the last success.
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        constraints = [
            models.CheckConstraint(
                condition=Q(client__isnull=True) | Q(user__isnull=True), name="webhook_endpoint_one_owner"
            ),
            models.CheckConstraint(condition=Q(types__len__gte=1), name="webhook_endpoint_wants_something"),
            models.CheckConstraint(
                condition=Q(disabled_at__isnull=False) | Q(disabled_reason="", deleted_at__isnull=True),
                name="webhook_endpoint_disabled_says_when",
            ),
            models.CheckConstraint(
                condition=Q(old_secret_encrypted__isnull=True, old_secret_ends_at__isnull=True)
                | Q(old_secret_encrypted__isnull=False, old_secret_ends_at__isnull=False),
                name="webhook_endpoint_old_secret_ends",
            ),
        ]
        indexes = [
            # What is looked into for each event: who listens to this type.
            GinIndex(fields=["types"], name="webhook_endpoint_hears", condition=Q(disabled_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owner_kind(self) -> str:
        """Who it belongs to: a key of `catalogue.ALLOWED`."""
        if self.user_id is not None:
            return MASTER
        if self.client is None:
            return PLATFORM
        return TENANT if self.client.game_id is None else GAME


class OldSecret(models.Model):
    """A secret that signs beside two newer ones, until the end that it was promised."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="older_secrets")
    secret_encrypted = models.BinaryField(editable=False)
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"old secret {self.pk}"


class Event(models.Model):
    """Something that happened, as it is told: written in its own transaction, and never changed (a trigger).

    ``public_id`` is the ``webhook-id`` of every delivery: receivers know a repetition by it.
    """

    public_id = models.CharField(_("public id"), max_length=36, unique=True)
    type = models.CharField(_("type"), max_length=TYPE_LENGTH_MAX)
    data = models.JSONField(_("data"))
    occurred_at = models.DateTimeField(_("occurred at"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["occurred_at"], name="webhook_event_age")]

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"


class Delivery(models.Model):
    """One event on its way to one endpoint: pending → delivered | dead; back to pending when it is replayed.

    While a worker has it, ``claim`` is that worker's alone and ``next_attempt_at`` is when the claim ends: of a worker
    that died, the next one takes over then. ``attempts`` counts those begun.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Dead")

    event = models.ForeignKey(Event, models.CASCADE, db_index=False, related_name="deliveries", verbose_name=_("event"))
    endpoint = models.ForeignKey(
        Endpoint, models.PROTECT, db_index=False, related_name="deliveries", verbose_name=_("endpoint")
    )
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField()
    claim = models.UUIDField(null=True, editable=False)
    last_status = models.PositiveSmallIntegerField(_("last status"), null=True)
    last_error = models.CharField(_("last error"), max_length=ERROR_LENGTH_MAX, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state="pending", finished_at__isnull=True)
                | Q(state__in=["delivered", "dead"], finished_at__isnull=False, claim__isnull=True),
                name="webhook_delivery_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at", "id"], condition=Q(state="pending"), name="webhook_delivery_due"
            ),
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="webhook_delivery_oldest"),
            models.Index(fields=["endpoint", "id"], condition=Q(state="dead"), name="webhook_delivery_dead"),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_newest"),
        ]

    def __str__(self) -> str:
        return gettext("delivery %(number)s (%(state)s)") % {
            "number": self.pk,
            "state": self.get_state_display().lower(),
        }
