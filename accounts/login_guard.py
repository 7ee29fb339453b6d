"""Who guesses passwords is locked out: a name from one address, at every door together (django-axes keeps the count).

The back-office's login goes through axes by itself (``AUTHENTICATION_BACKENDS``); other doors ask here. By name *and*
address, so that nobody can lock somebody else out, and a shared address locks nobody but the guessed name.
"""

import ipaddress
import math
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_failure_limit
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from core.redis import ratelimit
from core.security.client_address import UNKNOWN, client_address

NAME_LENGTH_MAX = 255


def address_of(request: HttpRequest) -> str | None:
    """The caller's address as axes keeps it: without what a caller can forge, an IPv6 subscriber's by its network."""
    address = client_address(request.META.get("REMOTE_ADDR"), request.META.get("HTTP_X_FORWARDED_FOR", ""))
    return None if address == UNKNOWN else str(ipaddress.ip_interface(address).ip)


def name_of(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The name that is tried, however it is spelled: the same spellings as the users' own rule."""
    given = (credentials or request.POST).get("username") or ""
    return unicodedata.normalize("NFKC", str(given)).replace("\0", "").casefold()[:NAME_LENGTH_MAX]


def locked_until(request: HttpRequest, name: str) -> datetime | None:
    """When this name may be tried from this address again; ``None``: now."""
    if not settings.AXES_ENABLED:
        return None
    credentials = {"username": name}
    wait: timedelta = settings.AXES_COOLOFF_TIME
    failures = (
        AccessAttempt.objects.filter(
            username=name_of(request, credentials),
            ip_address=address_of(request),
            attempt_time__gte=timezone.now() - wait,
        )
        .order_by("attempt_time")
        .values_list("attempt_time", "failures_since_start")
    )
    left, limit = sum(count for _, count in failures), get_failure_limit(request, credentials)
    ends: datetime | None = None
    for at, count in failures:
        if left < limit:
            break
        left, ends = left - count, at + wait
    return ends


def seconds_to_wait(request: HttpRequest, name: str) -> int | None:
    """Count a try by the limits of the API's log-in; whole seconds until it may pass, ``None``: it passes now."""
    address = client_address(request.META.get("REMOTE_ADDR"), request.META.get("HTTP_X_FORWARDED_FOR", ""))
    buckets = (ratelimit.bucket("auth", f"{address}|{name}"), ratelimit.bucket("auth_ip", address))
    decision = ratelimit.check(*buckets, fail_open=True)
    return None if decision.allowed else max(1, math.ceil(decision.retry_after_seconds))


def failed(request: HttpRequest, name: str) -> None:
    """Count a wrong password or code."""
    AxesProxyHandler.user_login_failed(sender=__name__, credentials={"username": name}, request=request)


def succeeded(request: HttpRequest, name: str) -> None:
    """The right password makes earlier mistakes forgotten."""
    if settings.AXES_ENABLED:
        AxesProxyHandler.update_request(request)
        AxesProxyHandler.get_implementation().reset_user_attempts(request, {"username": name})
