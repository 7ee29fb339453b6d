"""The base of the webhooks API: whose endpoints a caller reaches."""

import uuid
from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.api.authentication import ClientKeyAuthentication, PlatformJWTAuthentication
from accounts.models import ApiClient, ApiKey, User
from core.wire.nest import NestViewSet
from core.wire.throttles import throttle_for
from webhooks import endpoints
from webhooks.errors import EndpointNotFound
from webhooks.models import Endpoint


class WebhooksKeyAuthentication(ClientKeyAuthentication):
    """A client's key with the scope ``webhooks``."""

    scope = ApiKey.Scope.WEBHOOKS


class OwnerViewSet(NestViewSet):
    """A resource of API clients and masters, each with its own endpoints. Raises ``NotAnOwner`` for other users."""

    authentication_classes = [WebhooksKeyAuthentication, PlatformJWTAuthentication]
    write_throttle = throttle_for("webhooks")

    client: ApiClient | None = None
    user: User | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, ApiKey):
            self.client = request.auth.client
            self.among = endpoints.owned_by(client=self.client)
            self.reason = endpoints.BY_KEY % {"key": request.auth.prefix}
        elif isinstance(request.user, User):
            self.user = request.user
            self.among = endpoints.masters_own(self.user)
            self.reason = endpoints.BY_OWNER
        else:
            raise NotAuthenticated

    def find(self, endpoint_id: str) -> Endpoint:
        """The caller's endpoint of this id. Raises ``EndpointNotFound``, for what is no id too."""
        try:
            public_id = uuid.UUID(endpoint_id)
        except ValueError:
            raise EndpointNotFound from None
        return endpoints.find(public_id, among=self.among)

    def by(self) -> dict[str, Any]:
        """Who acts, why and when, and on whose endpoints, as the use cases want it."""
        return {"among": self.among, "actor": self.user, "reason": self.reason, "now": self.now}
