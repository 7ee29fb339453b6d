"""The ``Idempotency-Key`` header on DRF views: ``@idempotent`` above a handler method of an ``APIView``."""

import functools
import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpResponse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import idempotency
from core.db import clock
from core.wire.callers import caller_of

logger = logging.getLogger(__name__)

H = TypeVar("H", bound=Callable[..., HttpResponse])


def idempotent(handler: H) -> H:
    """Give the same answer to the same request with the same key; without the header nothing changes.

    A request is its method, path, query and body; keys belong to their caller and route. Answers below 500,
    refusals included, are stored as the view's own renderer and exception handler wrote them and come again
    with ``Idempotency-Replayed: true``. After a 5xx the key is free. The refusals of ``core.idempotency`` go
    to the view's exception handler like any other. The caller must be signed in: a key of nobody is ignored.
    """

    @functools.wraps(handler)
    def handle(view: APIView, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        caller = caller_of(request)
        if key is None or caller is None:
            return handler(view, request, *args, **kwargs)
        claim = idempotency.begin(
            caller=caller,
            endpoint=_endpoint(request),
            key=key,
            request_hash=_request_hash(request),
            now=clock.now(),
        )
        if isinstance(claim, idempotency.Replay):
            return _replayed(claim)
        try:
            response = handler(view, request, *args, **kwargs)
        except Exception as error:
            response = _refusal(view, error, claim)
        _store_when_rendered(response, claim)
        return response

    return cast(H, handle)


def _endpoint(request: Request) -> str:
    """Method and route pattern; the ids in the path belong to the hash, so a key moved to another id is refused."""
    match = request.resolver_match
    return f"{request.method} {match.route if match else request.path}"[:300]


def _request_hash(request: Request) -> bytes:
    try:
        body = request.body
    except RequestDataTooBig:
        raise ParseError("The body is too large") from None
    # The trailing slash is optional on every route, so it makes no other request.
    target = f"{request.method} {request.path.rstrip('/')}?{request.META.get('QUERY_STRING', '')}"
    return hashlib.sha256(target.encode() + b"\n" + body).digest()


def _refusal(view: APIView, error: Exception, claim: idempotency.Fresh) -> Response:
    """What the view's exception handler makes of the error; one it does not know is raised again, and is a 5xx."""
    try:
        return view.handle_exception(error)
    except Exception:
        _settle(claim, status=500, body=b"")
        raise


def _store_when_rendered(response: HttpResponse, claim: idempotency.Fresh) -> None:
    def store(rendered: HttpResponse) -> None:
        _settle(claim, status=rendered.status_code, body=rendered.content)

    if isinstance(response, Response):
        # DRF renders after the view returned: only then are there bytes.
        response.add_post_render_callback(store)
    else:
        store(response)


def _settle(claim: idempotency.Fresh, *, status: int, body: bytes) -> None:
    try:
        if status < 500:
            idempotency.finish(claim, status=status, body=body)
        else:
            idempotency.abandon(claim)
    except DatabaseError:
        # The use case has committed: its answer must go out. The key is taken over later, and runs into the
        # business keys.
        logger.exception("The answer to an idempotent request could not be stored")


def _replayed(answer: idempotency.Replay) -> HttpResponse:
    return HttpResponse(
        answer.body,
        status=answer.status,
        content_type="application/json",
        headers={"Idempotency-Replayed": "true"},
    )
