"""Traces to an OpenTelemetry collector: requests, sockets, tasks and SQL statements, without what was in them.

Sampling, batches and headers are set by OpenTelemetry's own variables (``OTEL_TRACES_SAMPLER``, …).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from core.observability import logs

PROBES = "livez,readyz,metrics"


def start(part: str) -> None:
    """Trace this process. Before Django builds its middleware, whose first one the tracing becomes."""
    given = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or f"gameplatform-{part}"}
    provider = TracerProvider(resource=Resource.create(given))
    endpoint = f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(Cleaning(OTLPSpanExporter(endpoint=endpoint))))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(tracer_provider=provider, excluded_urls=PROBES)
    PsycopgInstrumentor().instrument(tracer_provider=provider)
    CeleryInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]


def traced(application: Callable[..., Any]) -> Callable[..., Any]:
    """One span for each connection of an ASGI application, none for each message."""
    return OpenTelemetryMiddleware(application, exclude_spans=["receive", "send"])


class Cleaning(SpanExporter):
    """Takes query strings and secrets out of spans on their way to another exporter."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    description = span.status.description
    return ReadableSpan(
        name=logs.without_secrets(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_cleaned_attributes(span.attributes),
        events=[Event(event.name, _cleaned_attributes(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, description and logs.without_secrets(description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _cleaned_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _cleaned_value(name, value) for name, value in (attributes or {}).items() if name != "url.query"}


def _cleaned_value(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # GameFuse's clients send passwords in the query, the sockets' send tokens.
    return logs.without_secrets(value.partition("?")[0] if name.startswith(("http.", "url.")) else value)
