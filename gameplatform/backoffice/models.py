"""What proves, beside the password, who somebody is: an authenticator app, and codes for when it is lost."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_otp.models import Device, ThrottlingMixin


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
