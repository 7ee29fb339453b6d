"""Requests that a game's server signs with its key (style: nest).

Headers: ``X-Api-Key`` the key, ``X-Timestamp`` epoch milliseconds, ``X-Signature`` lower-case hex HMAC-SHA256 with the
key's signing secret over method, path, timestamp and the SHA-256 of the body, joined by newlines. A request is good for
five minutes; the routes that use this are idempotent, so a repetition inside them does no harm.
"""

import hashlib
import hmac
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import api_keys
from accounts.models import ApiKey
from core.db import clock

WINDOW = timedelta(minutes=5)


def signature(*, secret: str, method: str, path: str, timestamp: str, body: bytes) -> str:
    """The ``X-Signature`` of a request."""
    content = "\n".join([method.upper(), path, timestamp, hashlib.sha256(body).hexdigest()])
    return hmac.new(secret.encode(), content.encode(), hashlib.sha256).hexdigest()


class SignedKeyAuthentication(BaseAuthentication):
    """Base of the scopes' classes; ``request.auth`` is the key."""

    scope: str

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey]:
        now = clock.now()
        key = api_keys.find_key(text=request.headers.get("X-Api-Key", ""), scope=self.scope, now=now)
        timestamp = request.headers.get("X-Timestamp", "")
        if key is None or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
            raise AuthenticationFailed
        expected = signature(
            secret=api_keys.signing_secret(key),
            method=request.method or "",
            path=request.path,
            timestamp=timestamp,
            body=request.body,
        )
        given = request.headers.get("X-Signature", "")
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise AuthenticationFailed
        if abs(int(now.timestamp() * 1000) - int(timestamp)) > WINDOW.total_seconds() * 1000:
            raise AuthenticationFailed
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return "Signature"


class IsKey(BasePermission):
    """Only requests that a key has signed."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, ApiKey)


class ResultsKeyAuthentication(SignedKeyAuthentication):
    """A game server's key with the scope ``results``."""

    scope = ApiKey.Scope.RESULTS
