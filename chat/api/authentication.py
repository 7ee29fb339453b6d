"""A tenant's key, for the chat's views."""

from accounts.api.authentication import ClientKeyAuthentication
from accounts.models import ApiKey


class ChatKeyAuthentication(ClientKeyAuthentication):
    """A client's key with the scope ``chat``."""

    scope = ApiKey.Scope.CHAT
