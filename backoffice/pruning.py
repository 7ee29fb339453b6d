"""What the door of the back-office keeps longer than anybody needs it."""

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

LOGINS_KEPT = timedelta(days=90)


def ended_sessions(*, now: datetime) -> QuerySet[Session]:
    """Sessions that open nothing any more."""
    return Session.objects.filter(expire_date__lt=now).order_by("expire_date")


def forgiven_failures(*, now: datetime) -> QuerySet[AccessAttempt]:
    """Wrong passwords that count towards no lock-out any more."""
    return AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).order_by("pk")


def old_logins(*, now: datetime) -> QuerySet[AccessLog]:
    """Who came in, after ``LOGINS_KEPT``."""
    return AccessLog.objects.filter(attempt_time__lt=now - LOGINS_KEPT).order_by("pk")
