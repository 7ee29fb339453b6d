"""One attempt: a POST to an address that was checked, in five seconds whatever the other side does."""

import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any

import httpcore
from django.utils.translation import gettext_noop

from webhooks.addresses import Resolver, Target, look_up, public_addresses_within, target_of
from webhooks.errors import UrlRefused

TIMEOUT_SECONDS = 5.0
RESPONSE_BYTES_MAX = 64 * 1024
# A host with many addresses gets few chances: each takes its part of the five seconds.
ADDRESSES_TRIED_MAX = 3
USER_AGENT = "gameplatform-webhooks/1"
NO_ANSWER = gettext_noop("No answer within %(seconds)s s")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt ended: the status that came back, or else the error, in words without anything secret."""

    status: int | None = None
    error: str = ""
    retry_after_seconds: float | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def send(
    *,
    url: str,
    headers: dict[str, str],
    body: bytes,
    now: datetime,
    resolve: Resolver = look_up,
    tls: ssl.SSLContext | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Outcome:
    """POST ``body`` as JSON. No redirect is followed, no proxy asked, and nothing of the answer kept but its status."""
    deadline = time.monotonic() + timeout_seconds
    own = {"content-type": "application/json", "user-agent": USER_AGENT, "accept": "*/*"}
    sent = [*own.items(), *headers.items()]
    try:
        # The rules may have changed since the endpoint was made.
        target = target_of(url)
        network = _CheckedNetwork(target=target, resolve=resolve, deadline=deadline)
        with (
            httpcore.ConnectionPool(ssl_context=tls or _tls(), network_backend=network, http1=True) as pool,
            pool.stream("POST", url, headers=sent, content=body, extensions=_timeouts(timeout_seconds)) as response,
        ):
            _drain(response)
            after = next((value for name, value in response.headers if name.lower() == b"retry-after"), None)
            return _answered(response.status, None if after is None else after.decode("latin-1"), now)
    except UrlRefused as refusal:
        return Outcome(error=refusal.message)
    except _TlsFailed as failure:
        return Outcome(error=str(failure))
    except httpcore.TimeoutException:
        return Outcome(error=NO_ANSWER % {"seconds": f"{timeout_seconds:g}"})
    except (httpcore.NetworkError, OSError) as error:
        return Outcome(error=_told(error))
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        return Outcome(error=gettext_noop("The answer was no valid HTTP"))


def _answered(status: int, retry_after: str | None, now: datetime) -> Outcome:
    outcome = Outcome(status=status, retry_after_seconds=seconds_after(retry_after, now))
    if outcome.is_delivered:
        return outcome
    why = "redirects are not followed" if 300 <= status < 400 else HTTPStatus(status).phrase if _known(status) else ""
    return Outcome(status=status, error=f"{status} {why}".strip(), retry_after_seconds=outcome.retry_after_seconds)


def seconds_after(text: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, by number or by date; ``None`` for anything else."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _known(status: int) -> bool:
    return status in {known.value for known in HTTPStatus}


def _told(error: Exception) -> str:
    """What went wrong with a connection, in our words: a library's may hold addresses of the network inside."""
    if isinstance(error, httpcore.ConnectError):
        return gettext_noop("No connection could be made")
    return gettext_noop("The connection broke")


def _drain(response: httpcore.Response) -> None:
    """Read the answer, as far as it is worth reading: a receiver may not like a connection that is cut off."""
    read = 0
    for part in response.iter_stream():
        read += len(part)
        if read > RESPONSE_BYTES_MAX:
            return


def _timeouts(seconds: float) -> dict[str, Any]:
    return {"timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}}


@cache
def _tls() -> ssl.SSLContext:
    # Reading all authorities takes longer than a request.
    return httpcore.default_ssl_context()


class _TlsFailed(Exception):
    """The two sides did not come to a connection that can be trusted."""


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects to checked addresses only. Name and certificate stay the URL's: TLS is verified above this."""

    def __init__(self, *, target: Target, resolve: Resolver, deadline: float) -> None:
        self._target = target
        self._resolve = resolve
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        # The library reads the URL once more: it must have come to the same.
        if (host.strip("[]").lower(), port) != (self._target.host, self._target.port):
            raise UrlRefused(gettext_noop("The URL cannot be read"))
        addresses = self._addresses()[:ADDRESSES_TRIED_MAX]
        for tries_left in range(len(addresses), 0, -1):
            try:
                stream = self._plain.connect_tcp(
                    addresses[-tries_left], port, timeout=_left(self._deadline) / tries_left
                )
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tries_left == 1:
                    raise
        raise UrlRefused()

    def _addresses(self) -> Sequence[str]:
        try:
            return public_addresses_within(_left(self._deadline), self._target, resolve=self._resolve)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None


class _TimedStream(httpcore.NetworkStream):
    """A connection with one deadline for all it does: a receiver that sends a byte a second gains nothing."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=_left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            secured = self._stream.start_tls(ssl_context, server_hostname, timeout=_left(self._deadline))
        except httpcore.ConnectError as error:
            is_untrusted = isinstance(error.__cause__, ssl.SSLCertVerificationError)
            why = "The certificate is not valid for this host" if is_untrusted else "No TLS connection could be made"
            raise _TlsFailed(why) from None
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """The seconds until the deadline. Raises ``httpcore.ReadTimeout`` when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
