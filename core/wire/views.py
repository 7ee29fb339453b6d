"""The base of every view of the API. A subclass per contract gives the style; a resource is a ViewSet."""

from typing import Any, ClassVar

from rest_framework.metadata import SimpleMetadata
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.db import clock
from core.wire.rendering import OnlyRendererNegotiation, OrjsonRenderer
from core.wire.strict_json import StrictJSONParser
from core.wire.styles import Style
from core.wire.throttles import throttle_for


class Metadata(SimpleMetadata):
    """What OPTIONS answers. Fields stand in the OpenAPI document: a resource has no single serializer to list here."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        return {}


class StyledView(APIView):
    """A view, open to all callers until a subclass names who may call.

    ``self.now`` is the one time of the whole request. Without ``throttle_classes`` a call counts as a read or a write,
    by its method; one that moves money names a ``write_throttle`` that fails closed.
    """

    style: ClassVar[Style]
    read_throttle: ClassVar[type[BaseThrottle]] = throttle_for("reads")
    write_throttle: ClassVar[type[BaseThrottle]] = throttle_for("writes")

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    metadata_class = Metadata
    parser_classes = [StrictJSONParser]
    renderer_classes = [OrjsonRenderer]
    content_negotiation_class = OnlyRendererNegotiation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = clock.now()
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        # Tokens, wallets and other answers to one caller must not stay in a cache.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def get_throttles(self) -> list[BaseThrottle]:
        if self.throttle_classes:
            return super().get_throttles()
        return [self.read_throttle() if self.request.method in SAFE_METHODS else self.write_throttle()]

    def get_exception_handler(self) -> Any:
        return self.style.answer


class StyledViewSet(StyledView, GenericViewSet[Any]):
    """A resource: one page of rows by ``pagination_class``, filtered by ``filter_backends`` where it names some."""
