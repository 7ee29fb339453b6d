"""The Celery application. Celery carries hints only: what is owed stands in the database and the tick finds it."""

import logging.config
import os
from contextlib import ExitStack
from typing import Any

from celery import Celery, Task, signals
from django.conf import settings

from core.observability import health, logs, metrics_server, telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")

app = Celery("gameplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# The task whose run is the sign of life of worker and beat together (core.observability.health).
TICK = "rooms.tasks.advance"
REQUEST_ID_HEADER = "request_id"
# What ends with each task that is being worked on.
_working: dict[str, ExitStack] = {}


@signals.celeryd_init.connect
def watch_worker(**_: Any) -> None:
    """Before the tasks are put together, which is where errors and spans are looked for."""
    telemetry.start("worker")


@signals.beat_init.connect
def watch_beat(**_: Any) -> None:
    """Beat does nothing but say "look", and may fail at that."""
    telemetry.start("beat")
    signals.after_task_publish.connect(show_beat_lives, sender=TICK)


def show_beat_lives(**_: Any) -> None:
    """Each second, with the tick that was sent."""
    health.show_life(health.BEAT_KEY)


@signals.heartbeat_sent.connect
def show_worker_lives(**_: Any) -> None:
    """Every two seconds, whether or not there is anything to do."""
    health.show_life(health.WORKER_KEY)


@signals.worker_ready.connect
def serve_metrics(**_: Any) -> None:
    """The worker has no web server of its own to be scraped by."""
    if settings.WORKER_METRICS_PORT:
        metrics_server.serve(settings.WORKER_METRICS_PORT)


# Celery's hooks are its signals: there is no other place to change these.
@signals.setup_logging.connect
def log_as_the_settings_say(loglevel: int | str | None = None, **_: Any) -> None:
    """The log of worker and beat is that of every other process; ``--loglevel`` is for Celery's own lines."""
    logging.config.dictConfig(settings.LOGGING)
    if loglevel is not None:
        logging.getLogger("celery").setLevel(loglevel)


@signals.before_task_publish.connect
def send_request_id(headers: dict[str, Any], **_: Any) -> None:
    """A task that a request asks for belongs to that request."""
    if logs.current_request_id() != logs.NO_REQUEST:
        headers[REQUEST_ID_HEADER] = logs.current_request_id()


@signals.task_prerun.connect
def take_request_id(task_id: str, task: Task[Any, Any], **_: Any) -> None:
    """What a task logs has the id of its request, or else its own."""
    stack = ExitStack()
    stack.enter_context(logs.request(getattr(task.request, REQUEST_ID_HEADER, None) or task_id))
    _working[task_id] = stack


@signals.task_postrun.connect
def drop_request_id(task_id: str, **_: Any) -> None:
    """The thread goes on to the next task."""
    _working.pop(task_id).close()
