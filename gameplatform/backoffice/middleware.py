"""What the back-office asks of every request: where it came from, and that its pages load nothing from elsewhere."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from gameplatform.core.client_address import client_address
from gameplatform.core.trail import acting_from

Handler = Callable[[HttpRequest], HttpResponse]

PATH = "/admin/"
# The theme's Alpine evaluates expressions in attributes and the theme writes its colours into the page; a script or a
# form of anybody else's stays out all the same.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def where_from(handler: Handler) -> Handler:
    """The audit trail notes the caller's address with whatever the request does."""

    def handle(request: HttpRequest) -> HttpResponse:
        address = client_address(request.META.get("REMOTE_ADDR"), request.META.get("HTTP_X_FORWARDED_FOR", ""))
        with acting_from(address):
            return handler(request)

    return handle


def own_content_only(handler: Handler) -> Handler:
    """Pages of the back-office come with a content security policy and are kept by no cache."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        if request.path.startswith(PATH):
            response.headers.setdefault("Content-Security-Policy", POLICY)
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return handle
