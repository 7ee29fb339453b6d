"""The back-office's own records: what proves, beside the password, who somebody is, and lists that became files."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_otp.models import Device, ThrottlingMixin


class Export(models.Model):
    """A list as a file, asked for by one person under its permissions and its filters.

    requested → running → done, or failed. ``claim`` names the worker's run that may write it and ``heard_at`` is that
    run's last sign of life: one that fell silent is begun again (``backoffice.export_jobs``).
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "Waits for a worker"
        RUNNING = "running", "Being written"
        DONE = "done", "Ready"
        FAILED = "failed", "Failed"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    UNFINISHED = (State.REQUESTED, State.RUNNING)

    requester = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # The form's own key: one that is sent twice is one export.
    request_key = models.CharField(max_length=64)
    # "payments.transfer": whose list it is.
    list_label = models.CharField("list", max_length=64)
    # What stood behind the question mark of the list's address.
    filters = models.CharField(max_length=2000, blank=True)
    format = models.CharField(max_length=4, choices=Format)
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    rows_done = models.PositiveBigIntegerField(default=0)
    rows_estimated = models.PositiveBigIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, editable=False)
    heard_at = models.DateTimeField(null=True, editable=False)
    error = models.CharField(max_length=200, blank=True, default="")
    # Random, below settings.EXPORT_DIR.
    file_name = models.CharField(max_length=64, blank=True, default="", editable=False)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
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
        return f"{self.list_label} as {self.format.upper()}"


class Authenticator(ThrottlingMixin, Device):
    """An app that makes codes of one use (RFC 6238) for a user; at most one that counts and one being set up.

    Device and throttling are django-otp's: after n wrong codes in a row it answers to none for 2^(n-1) seconds. The
    secret is kept encrypted, as every secret of the platform. ``last_step`` is the 30-second step of the last code that
    was accepted: that code and older ones are not accepted again.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    secret_encrypted = models.BinaryField(editable=False)
    drift = models.SmallIntegerField(default=0)
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "confirmed"], name="backoffice_authenticator_one_of_each"),
        ]

    def __str__(self) -> str:
        return f"authenticator {self.pk}"

    def get_throttle_factor(self) -> int:
        return 1


class RecoveryCode(models.Model):
    """A code of one use for who has lost the app. It is 80 random bits and only its SHA-256 is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    code_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(code_sha256=""), name="backoffice_recoverycode_not_empty")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"
