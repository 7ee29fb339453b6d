"""Sessions, failed and successful logins that can be pruned."""

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

LOGINS_KEPT = timedelta(days=90)


def ended_sessions(*, now: datetime) -> QuerySet[Session]:
    """Expired sessions."""
    return Session.objects.filter(expire_date__lt=now).order_by("expire_date")


def forgiven_failures(*, now: datetime) -> QuerySet[AccessAttempt]:
    """Wrong passwords that no longer count towards a lock-out."""
    return AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).order_by("pk")


def old_logins(*, now: datetime) -> QuerySet[AccessLog]:
    """Logins older than ``LOGINS_KEPT``."""
    return AccessLog.objects.filter(attempt_time__lt=now - LOGINS_KEPT).order_by("pk")
