"""One signature is one POST: it is bound to the first route and body that it came with (contract payments, "Signing").

Redis remembers a signature for as long as its timestamp is fresh. Without Redis no signed request is served: a GET
signs the same text as an empty POST, so a signature that is not remembered could be used for another request later.
Jobs and stored answers keep the signature's digest in the database too (``request_digest``).
"""

import hashlib
import math

from rest_framework.request import Request

from core.errors import Unavailable
from core.redis import connection as redis_connection
from core.redis.connection import RedisAway
from core.wire import plyr

# Clocks of the platform's servers differ by less.
_MARGIN_SECONDS = 60
_READS = ("GET", "HEAD", "OPTIONS")
_READ = b"read"


def claim(request: Request, *, key_id: int, now_ms: float) -> None:
    """Bind the signature of a genuine, fresh request to it.

    A read is allowed under any signature. Raises ``Refused`` for another use of a signature, ``Unavailable`` without
    Redis.
    """
    name = f"signature:{signature_digest(request, key_id=key_id).hex()}"
    mine = _READ if request.method in _READS else _use(request)
    left_ms = int(request.headers["timestamp"]) + plyr.SIGNATURE_WINDOW_MS - now_ms
    seconds = max(1, math.ceil(left_ms / 1000)) + _MARGIN_SECONDS
    try:
        _, bound = redis_connection.run(
            lambda client: client.pipeline().set(name, mine, nx=True, ex=seconds).get(name).execute()
        )
    except RedisAway:
        raise Unavailable from None
    if mine != _READ and bound != mine:
        raise plyr.signature_used()


def signature_digest(request: Request, *, key_id: int) -> bytes:
    """What makes a signed request the same one again. The signature stands for the text that was signed."""
    headers = request.headers
    return hashlib.sha256(f"{key_id}\n{headers['timestamp']}\n{headers['signature']}".encode()).digest()


def _use(request: Request) -> bytes:
    """The route and the exact body: another spelling of the same JSON is another body."""
    head = f"{request.method} {request.path.rstrip('/')}\n"
    return hashlib.sha256(head.encode() + request.body).digest()
