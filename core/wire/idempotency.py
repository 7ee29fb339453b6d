"""The ``Idempotency-Key`` header on DRF views: ``@idempotent`` above a handler method of an ``APIView``."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import idempotency
from core.db import clock
from core.db.transactions import one_transaction
from core.wire.callers import caller_of

H = TypeVar("H", bound=Callable[..., HttpResponse])


def idempotent(handler: H) -> H:
    """Give the same answer to the same request with the same key; without the header nothing changes.

    A request is its method, path, query and body; keys belong to their caller and route. The handler calls one use
    case, which commits together with its answer. Answers below 500, refusals included, are stored as the view's own
    renderer and exception handler wrote them and come again with ``Idempotency-Replayed: true``. A 5xx undoes
    everything: the key is free. The refusals of ``core.idempotency`` go to the view's exception handler like any other.
    The caller must be signed in: without one a key is ignored.
    """

    @functools.wraps(handler)
    def handle(view: APIView, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers.get("Idempotency-Key")
        caller = caller_of(request)
        if key is None or caller is None:
            return handler(view, request, *args, **kwargs)
        keyed = idempotency.Request(
            caller=caller, endpoint=_endpoint(request), key=key, request_hash=_request_hash(request)
        )
        now = clock.now()
        with one_transaction():
            answer = idempotency.claim(keyed, now=now)
            if answer is not None:
                return _replayed(answer)
            try:
                response: HttpResponseBase = handler(view, request, *args, **kwargs)
            except Exception as error:
                response = view.handle_exception(error)
            rendered = _rendered(view, request, response, *args, **kwargs)
            if rendered.status_code < 500:
                idempotency.keep(keyed, status=rendered.status_code, body=rendered.content, now=now)
            else:
                transaction.set_rollback(True)
            return rendered

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


def _rendered(view: APIView, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> HttpResponse:
    """The response with its bytes, which DRF otherwise makes after the view has returned."""
    final = view.finalize_response(request, cast(Response, response), *args, **kwargs)
    if isinstance(final, Response):
        final.render()
    assert isinstance(final, HttpResponse)
    return final


def _replayed(answer: idempotency.Replay) -> HttpResponse:
    return HttpResponse(
        answer.body,
        status=answer.status,
        content_type="application/json",
        headers={"Idempotency-Replayed": "true"},
    )
