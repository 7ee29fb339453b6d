"""What leaves for a service of the operator's: errors to Sentry, traces to an OpenTelemetry collector.

Both are off until a setting names where to. Their packages are those of ``requirements-production.txt``, imported only
then: a platform without them neither needs nor loads them.
"""

import importlib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_INSTALL = "pip install --require-hashes -r requirements-production.txt (the images of docker/ have it)"


def start(part: str) -> None:
    """Begin in this process: ``rest``, ``sockets``, ``worker`` or ``beat``. Raises ``ImproperlyConfigured``."""
    if settings.SENTRY_DSN:
        _load("sentry", "SENTRY_DSN").start(part)
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _load("tracing", "OTEL_EXPORTER_OTLP_ENDPOINT").start(part)


def traced(application: Callable[..., Any]) -> Callable[..., Any]:
    """The ASGI application with a span for each connection, when traces are on."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return application
    wrapped: Callable[..., Any] = _load("tracing", "OTEL_EXPORTER_OTLP_ENDPOINT").traced(application)
    return wrapped


def _load(name: str, setting: str) -> Any:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as missing:
        raise ImproperlyConfigured(
            f"{setting} is set, but the package {missing.name} is not installed: {_INSTALL}, or unset {setting}."
        ) from None
