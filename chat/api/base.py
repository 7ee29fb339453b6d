"""What the chat's resources share: who calls, and the small readings of path and query."""

import uuid
from typing import Any, TypeVar

from django.db.models import QuerySet
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.authentication import PlatformJWTAuthentication
from accounts.models import ApiClient, ApiKey, User
from chat.access import Caller
from chat.api.authentication import ChatKeyAuthentication
from chat.errors import FieldInvalid, MessageNotFound, RoomAccessDenied, RoomNotFound
from core.errors import NotFound
from core.wire.chatapi import ChatAPIViewSet, SkipPagination
from core.wire.outputs import Output
from core.wire.throttles import throttle_for

S = TypeVar("S", bound=Serializer)

# A part of a path.
SEGMENT = "[^/]+"


class ChatViewSet(ChatAPIViewSet):
    """A resource for tenants' keys and signed-in users."""

    authentication_classes = [ChatKeyAuthentication, PlatformJWTAuthentication]
    throttle_classes = [throttle_for("chat")]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, ApiKey):
            self.caller = Caller(client=request.auth.client)
        elif isinstance(request.user, User):
            self.caller = Caller(user=request.user)
        else:
            raise NotAuthenticated

    @property
    def client(self) -> ApiClient:
        """The tenant. Raises ``RoomAccessDenied`` for a user of the platform: game rooms are not theirs to manage."""
        if self.caller.client is None:
            raise RoomAccessDenied
        return self.caller.client

    def body(self, serializer: type[S]) -> S:
        """The request's body, checked. Raises DRF's ``ValidationError``."""
        checked = serializer(data=self.request.data)
        checked.is_valid(raise_exception=True)
        return checked

    def query(self, serializer: type[Serializer]) -> dict[str, Any]:
        """The request's query, checked. Raises DRF's ``ValidationError``."""
        checked = serializer(data=self.request.query_params)
        checked.is_valid(raise_exception=True)
        values: dict[str, Any] = checked.validated_data
        return values

    def page(self, rows: QuerySet[Any], *, output: Output, total: int) -> Response:
        """One page of plain rows."""
        pages = self.paginator
        assert isinstance(pages, SkipPagination)
        return pages.answer(output.many(pages.paginate_queryset(rows, self.request, self)), total=total)

    def speaker(self, named: str | None, *, field: str) -> str:
        """The user that the caller speaks as: itself, or the one a tenant names. Raises ``FieldInvalid``."""
        user_id = self.caller.own_user_id or named
        if user_id is None:
            raise FieldInvalid("This field is required.", field=field)
        return user_id


def room_id_of(text: str) -> uuid.UUID:
    """The id of a room in a path. Raises ``RoomNotFound`` for anything that cannot be one."""
    return _uuid(text, RoomNotFound)


def message_id_of(text: str) -> uuid.UUID:
    """The id of a message in a path. Raises ``MessageNotFound`` for anything that cannot be one."""
    return _uuid(text, MessageNotFound)


def _uuid(text: str, refusal: type[NotFound]) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise refusal from None
