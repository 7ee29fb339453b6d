"""What machines ask: `/livez`, `/readyz`, and `/metrics` with counters of here and readings of the whole platform."""

from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.db import clock
from core.observability import health, metrics, metrics_server
from core.observability.metrics import Reading
from payments import metrics as payments_metrics
from rooms import metrics as rooms_metrics
from webhooks import metrics as webhooks_metrics


@never_cache
@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    """Prometheus' text; 404 without the credentials."""
    if not metrics_server.is_allowed(request.headers.get("Authorization", "")):
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    return HttpResponse(metrics.exposition(_readings()), content_type=metrics.CONTENT_TYPE)


def _readings() -> Iterator[Reading]:
    try:
        now = clock.now()
        found = [*rooms_metrics.readings(now), *payments_metrics.readings(now), *webhooks_metrics.readings(now)]
    except Error:
        connection.close()
        found = []
    is_up = bool(found)
    yield Reading(name="gameplatform_database_up", meaning="Whether the database answers.", values={"": is_up})
    yield from found
    age_seconds = health.tick_age_seconds(now) if is_up else None
    yield Reading(
        name="gameplatform_tick_age_seconds",
        meaning="Since beat and a worker last gave a sign of life; absent when nobody knows.",
        values={} if age_seconds is None else {"": age_seconds},
    )


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/livez": health.livez,
    "/readyz": health.readyz,
    "/metrics": metrics_view,
}


class ProbesMiddleware:
    """Answers probes before anything looks at host or scheme: they come by address, from inside, without TLS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path_info, self._get_response)(request)
