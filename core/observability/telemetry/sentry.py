"""Errors to Sentry: what failed and where, and nothing of what people sent."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.types import Event

from core.observability import logs

# What an event may keep of a request. GameFuse's clients send passwords in the query, the sockets' send tokens.
_REQUEST_KEPT = ("method", "url")
_DROPPED = ("user", "extra", "modules", "breadcrumbs")


def start(part: str) -> None:
    """Report every line that is logged at level ERROR, and every exception that nobody caught."""
    sentry_sdk.init(
        settings.SENTRY_DSN,
        environment=settings.SENTRY_ENVIRONMENT,
        release=settings.SENTRY_RELEASE or None,
        send_default_pii=False,
        max_request_body_size="never",
        # The locals of a failing function may be a password, a key, a seed.
        include_local_variables=False,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), CeleryIntegration(propagate_traces=False)],
        disabled_integrations=[ArgvIntegration()],
        auto_session_tracking=False,
        propagate_traces=False,
        max_breadcrumbs=0,
        before_send=cleaned,
    )
    sentry_sdk.set_tag("part", part)


def cleaned(event: Event, _hint: Mapping[str, Any]) -> Event:
    """The event with the id of its request, without what people sent, and with every text looked through."""
    tags = {**dict(event.get("tags") or {}), "request_id": logs.current_request_id()}
    whole: dict[str, Any] = {key: value for key, value in event.items() if key not in _DROPPED}
    if "request" in whole:
        whole["request"] = {key: whole["request"][key] for key in _REQUEST_KEPT if key in whole["request"]}
        whole["request"]["url"] = urlsplit(whole["request"].get("url", ""))._replace(query="", fragment="").geturl()
    if "logentry" in whole:
        # Apart from the words around them, the parts of a message cannot be told from secrets.
        entry = whole["logentry"]
        whole["logentry"] = {"message": entry.get("formatted") or entry.get("message", "")}
    answer: Event = _without_secrets({**whole, "tags": tags})
    return answer


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return logs.without_secrets(value)
    if isinstance(value, Mapping):
        return {key: _without_secrets(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(part) for part in value]
    return value
