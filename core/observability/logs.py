"""What a log line looks like, and which request it belongs to. Imports no Django: servers log before there is any."""

import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

import orjson

NO_REQUEST = "-"
_request_id: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)

# A second net: nothing should log these in the first place. Access tokens and tickets, what follows a scheme of
# Authorization, two parameters of queries, and the row that PostgreSQL quotes when it refuses one.
_SECRET = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+"
    r"|ticket_[\w-]{16,}"
    r"|(?<=Bearer )[^\s\"',]+|(?<=token=)[^\s\"'&]+|(?<=password=)[^\s\"'&]+"
    r"|(?<=DETAIL:  ).*"
)
HIDDEN = "[hidden]"


def current_request_id() -> str:
    """The id of the request or task that is being worked on; ``"-"`` outside of any."""
    return _request_id.get()


@contextmanager
def request(given: str | None) -> Iterator[str]:
    """Everything logged inside belongs to this request. An id that is missing or odd is replaced by a new one."""
    request_id = given if given is not None and _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
    token = _request_id.set(request_id)
    try:
        yield request_id
    finally:
        _request_id.reset(token)


def without_secrets(text: str) -> str:
    """``text`` with everything that looks like a secret taken out."""
    return _SECRET.sub(HIDDEN, text)


def is_unforeseen(record: logging.LogRecord) -> bool:
    """Whether an exception comes with the line: a filter for Django's, which has a line for every answer of 5xx.

    An answer that a view made itself was logged by who made it, or is a refusal that is counted (503).
    """
    return bool(record.exc_info)


class LineFormatter(logging.Formatter):
    """One line for people."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {request_id}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = current_request_id()
        return without_secrets(super().format(record))


class JSONFormatter(logging.Formatter):
    """One JSON object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": current_request_id(),
            "process": record.process,
            "message": without_secrets(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = without_secrets(self.formatException(record.exc_info))
        return orjson.dumps(line).decode(errors="replace")
