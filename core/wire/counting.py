"""Counts what every style refuses, and what fails. An answer without a view is an example for the documentation."""

from collections.abc import Mapping
from typing import Any

from core.errors import DomainError
from core.observability import metrics


def count_refusal(error: DomainError, context: Mapping[str, Any]) -> None:
    """A rule said no to a request of ``context["view"]``."""
    if "view" in context:
        metrics.REFUSALS.labels(type(context["view"]).__name__, error.code).inc()


def count_failure(context: Mapping[str, Any]) -> None:
    """A request of ``context["view"]`` failed by no rule."""
    if "view" in context:
        metrics.FAILURES.labels(type(context["view"]).__name__).inc()
