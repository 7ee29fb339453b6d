"""docker/compose.yaml as the tests read it: what a service runs, with what, and how long it may take to stop."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from django.conf import settings

FOLDER = settings.BASE_DIR / "docker"
# The services that run this repository's own Python.
PLATFORM = ("migrate", "rest", "sockets", "worker", "beat")
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")


@cache
def document() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return content


def variables() -> set[str]:
    """What a person may or must set in docker/.env."""
    return {name for name, _, _ in _VARIABLE.findall((FOLDER / "compose.yaml").read_text())}


def filled(text: str, values: dict[str, str]) -> str:
    """``${NAME:-default}`` and ``${NAME:?why}`` as compose fills them in; one that must be set and is not raises."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if values.get(name):
            return values[name]
        if kind == "?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    return _VARIABLE.sub(value, text)


@dataclass(frozen=True, kw_only=True)
class Service:
    command: list[str]
    environment: dict[str, str]
    stop_seconds: int


def service(name: str, values: dict[str, str]) -> Service:
    """A service with a person's ``values`` filled in."""
    found = document()["services"][name]
    return Service(
        command=found["command"],
        environment={key: filled(value, values) for key, value in found.get("environment", {}).items()},
        stop_seconds=int(found.get("stop_grace_period", "10s").removesuffix("s")),
    )


def expressions() -> list[str]:
    """What the dashboard and the alerts ask Prometheus."""
    dashboard = json.loads((FOLDER / "observability/dashboard.json").read_text())
    alerts = yaml.safe_load((FOLDER / "observability/alerts.yaml").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return asked + [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]


def asked_metrics() -> set[str]:
    """The metrics in them."""
    return {name for expression in expressions() for name in re.findall(r"gameplatform_\w+", expression)}
