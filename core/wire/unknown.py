"""Answers outside any view, in the style of the contract whose prefix the path has."""

from collections.abc import Callable, Sequence

import orjson
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults

from core.wire.styles import TEXT, Style


class Prefixes:
    """Django's ``handler404`` and ``handler500``. The first prefix that fits counts; a page gets Django's answer."""

    def __init__(self, styles: Sequence[tuple[str, Style]]) -> None:
        self._styles = styles

    def page_not_found(self, request: HttpRequest, exception: Exception) -> HttpResponseBase:
        """No such route."""
        return self._answer(request, Http404(), lambda: defaults.page_not_found(request, exception))

    def server_error(self, request: HttpRequest) -> HttpResponseBase:
        """What fails outside a view's own handler."""
        return self._answer(request, Exception(), lambda: defaults.server_error(request))

    def _answer(
        self, request: HttpRequest, exception: Exception, page: Callable[[], HttpResponseBase]
    ) -> HttpResponseBase:
        for prefix, style in self._styles:
            if request.path.startswith(prefix):
                fault = style.fault(exception)
                body = style.body(fault)
                content = body if style.media_type == TEXT else orjson.dumps(body)
                return HttpResponse(content, status=fault.status, content_type=style.media_type)
        return page()
