"""A tenant's key, for the chat's views."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from accounts.api.authentication import ClientKeyAuthentication
from accounts.models import ApiKey


class ChatKeyAuthentication(ClientKeyAuthentication):
    """A client's key with the scope ``chat``."""

    scope = ApiKey.Scope.CHAT


class ChatKeyScheme(OpenApiAuthenticationExtension):
    target_class = ChatKeyAuthentication
    name = "chatKey"
    # Before the scheme of all clients' keys.
    priority = 1

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "The tenant's key, with the scope `chat`; `Authorization: Bearer <key>` counts too.",
        }
