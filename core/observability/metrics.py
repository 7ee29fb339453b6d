"""What operators count, in this process; the one module that knows the metrics library.

Prometheus adds up what the processes say. What each name means to an operator: docs/operations.md, "Watching".
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_here = CollectorRegistry()

JOINS = Counter("gameplatform_joins", "Joins that were answered with a paid place.", registry=_here)
REFUSALS = Counter("gameplatform_refusals", "Requests that a rule refused.", ["view", "code"], registry=_here)
FAILURES = Counter("gameplatform_failures", "Requests that failed by no rule.", ["view"], registry=_here)
STEP_SECONDS = Histogram(
    "gameplatform_session_step_seconds",
    "How long it took to start or settle one session.",
    ["step"],
    buckets=SECONDS,
    registry=_here,
)
LATENESS_SECONDS = Histogram(
    "gameplatform_session_lateness_seconds",
    "How long after its time a session was started or settled.",
    ["step"],
    buckets=SECONDS,
    registry=_here,
)
STEP_FAILURES = Counter(
    "gameplatform_session_step_failures", "Starts and settlements that failed.", ["step"], registry=_here
)
JOBS = Counter("gameplatform_jobs", "Tries of jobs of pots, by how they ended.", ["outcome"], registry=_here)
SOCKETS = Gauge("gameplatform_sockets", "Open WebSockets.", registry=_here, multiprocess_mode="livesum")
DELIVERIES = Counter("gameplatform_deliveries", "Events handed to sockets.", ["stream"], registry=_here)
SLOW_SOCKETS = Counter(
    "gameplatform_slow_sockets_dropped", "Sockets closed because their client read too slowly.", registry=_here
)
WEBHOOK_ATTEMPTS = Counter(
    "gameplatform_webhook_attempts",
    "Attempts to deliver a webhook: delivered, failed (tried again), dead (given up), lost (another worker took over).",
    ["result"],
    registry=_here,
)
REDIS_OUTAGES = Counter("gameplatform_redis_outages", "Times that Redis was found away.", registry=_here)

# From the start at 0: Prometheus sees no increase in a counter that appears with its first count, and an alert on one
# failure would miss the first.
for _step in ("start", "settle"):
    STEP_FAILURES.labels(_step)
for _outcome in ("done", "refused", "fault"):
    JOBS.labels(_outcome)
for _result in ("delivered", "failed", "dead", "lost"):
    WEBHOOK_ATTEMPTS.labels(_result)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A value of the whole platform, read when asked for. ``values`` are by the text of ``label``, if it has one."""

    name: str
    meaning: str
    values: Mapping[str, float] = field(default_factory=dict)
    label: str | None = None


class _Readings(Collector):
    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for reading in self._readings:
            labels = [] if reading.label is None else [reading.label]
            family = GaugeMetricFamily(reading.name, reading.meaning, labels=labels)
            for text, value in reading.values.items():
                family.add_metric([text] if labels else [], value)
            yield family


def exposition(readings: Iterable[Reading]) -> bytes:
    """Prometheus' text: the counters of this process, or of all that share PROMETHEUS_MULTIPROC_DIR; then readings."""
    counters = _here
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counters = CollectorRegistry()
        MultiProcessCollector(counters)  # type: ignore[no-untyped-call]
    whole = CollectorRegistry()
    whole.register(_Readings(readings))
    return generate_latest(counters) + generate_latest(whole)
