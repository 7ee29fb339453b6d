"""A tenant's key or a platform user's access token, for the chat's views and sockets alike."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gameplatform.accounts.api_keys import find_key
from gameplatform.accounts.authentication import authenticate_access_token
from gameplatform.accounts.errors import InvalidToken
from gameplatform.accounts.models import ApiKey, User
from gameplatform.core import clock

KEY_START = "gp_"


class ChatAuthentication(BaseAuthentication):
    """``X-API-Key: <key>``, ``Authorization: Bearer <key>``, or ``Bearer <access token>`` of a user. One SELECT."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser | User, ApiKey | None] | None:
        key_text = request.headers.get("X-API-Key")
        if key_text is None:
            scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                return None
            bearer = bearer.strip(" ")
            if not bearer.startswith(KEY_START):
                return self._user(bearer, clock.now()), None
            key_text = bearer
        key = find_key(text=key_text, scope=ApiKey.Scope.CHAT, now=clock.now())
        if key is None:
            raise AuthenticationFailed
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    @staticmethod
    def _user(token: str, now: datetime) -> User:
        try:
            return authenticate_access_token(token, now)
        except InvalidToken as error:
            raise AuthenticationFailed from error
