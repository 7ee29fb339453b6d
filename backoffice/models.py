"""The records of the back-office: exported lists."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """A list as a file, asked for by one person under its permissions and its filters.

    requested → running → done, or failed. ``claim`` names the worker's run that may write it and ``heard_at`` is that
    run's last sign of life: one that fell silent is begun again (``backoffice.export_jobs``).
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("Waits for a worker")
        RUNNING = "running", _("Being written")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Failed")

    class Format(models.TextChoices):
        CSV = "csv", _("CSV")
        XLSX = "xlsx", _("XLSX")

    UNFINISHED = (State.REQUESTED, State.RUNNING)

    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("requester")
    )
    # The form's own key: one that is sent twice is one export.
    request_key = models.CharField(max_length=64)
    # "payments.transfer": whose list it is.
    list_label = models.CharField(_("list"), max_length=64)
    # What stood behind the question mark of the list's address.
    filters = models.CharField(_("filters"), max_length=2000, blank=True)
    format = models.CharField(_("format"), max_length=4, choices=Format)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.REQUESTED)
    rows_done = models.PositiveBigIntegerField(default=0)
    rows_estimated = models.PositiveBigIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, editable=False)
    heard_at = models.DateTimeField(null=True, editable=False)
    error = models.CharField(_("error"), max_length=200, blank=True, default="")
    # Random, below settings.EXPORT_DIR.
    file_name = models.CharField(max_length=64, blank=True, default="", editable=False)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        constraints = [
            models.UniqueConstraint(fields=["requester", "request_key"], name="export_once_per_form"),
            models.CheckConstraint(
                name="export_done_has_file",
                condition=~Q(state="done") | (~Q(file_name="") & Q(finished_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["requester", "-id"], name="export_requester"),
            models.Index(fields=["id"], condition=Q(state__in=["requested", "running"]), name="export_unfinished"),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.list_label} ({self.format.upper()})"
