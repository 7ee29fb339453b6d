"""A tenant's key, for the chat's views."""

from gameplatform.accounts.api.authentication import ClientKeyAuthentication
from gameplatform.accounts.models import ApiKey


class ChatKeyAuthentication(ClientKeyAuthentication):
    """A client's key with the scope ``chat``."""

    scope = ApiKey.Scope.CHAT
