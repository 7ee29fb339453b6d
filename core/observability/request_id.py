"""Django's middleware that gives each request its id (``core.observability.logs``)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.observability import logs

HEADER = "X-Request-ID"


class RequestIdMiddleware:
    """Takes the proxy's id, or makes one, and answers with it; first in the list, so that every line has it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with logs.request(request.headers.get(HEADER)) as request_id:
            response = self._get_response(request)
        response[HEADER] = request_id
        return response
