"""Middleware of the back-office: client address, content security policy, language and time zone."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from core.errors import Unavailable
from core.security.client_address import client_address
from core.trail import acting_from

Handler = Callable[[HttpRequest], HttpResponse]

PATH = "/admin/"
# The theme's Alpine evaluates expressions in attributes and the theme writes its colours into the page; foreign scripts
# and forms stay out all the same.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def record_client_address(handler: Handler) -> Handler:
    """Record the client's address with every act of the request."""

    def handle(request: HttpRequest) -> HttpResponse:
        address = client_address(request.META.get("REMOTE_ADDR"), request.META.get("HTTP_X_FORWARDED_FOR", ""))
        with acting_from(address):
            return handler(request)

    return handle


def content_security_policy(handler: Handler) -> Handler:
    """Send a content security policy with the back-office's pages, and keep them out of caches."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        if request.path.startswith(PATH):
            response.headers.setdefault("Content-Security-Policy", POLICY)
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return handle


def localize(handler: Handler) -> Handler:
    """Show the back-office in the user's language and time zone.

    APIs answer in English whatever a request asks for: their sentences are part of the contract.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PATH):
            return handler(request)
        # Settings of a user that was made before a language or zone was taken away must not break its pages.
        language = getattr(request.user, "language", "")
        if language not in dict(settings.LANGUAGES):
            language = translation.get_language_from_request(request)
        with translation.override(language), timezone.override(_zone(getattr(request.user, "time_zone", ""))):
            response = handler(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response

    return handle


class UnavailablePageMiddleware:
    """What a page needs is busy or away: answer 503 and when to try again. The API's views answer for themselves."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._handler(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return try_again_page(request, status=503, seconds=1) if isinstance(exception, Unavailable) else None


def try_again_page(request: HttpRequest, *, status: int, seconds: int) -> HttpResponse:
    """The page of a request that may pass after some seconds."""
    context = {**admin.site.each_context(request), "title": _("Log in"), "login_link": reverse("admin:login")}
    response = render(request, "backoffice/try_again.html", context, status=status)
    response["Retry-After"] = str(seconds)
    return response


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name or settings.TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)
