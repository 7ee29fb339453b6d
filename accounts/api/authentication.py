"""The access token, and a client's key of one scope, behind DRF's interface."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts import login_guard
from accounts.api_keys import find_key
from accounts.authentication import user_of
from accounts.credentials import AccessToken
from accounts.errors import InvalidToken
from accounts.models import ApiKey
from core.db import clock
from core.errors import DomainError

KEY_START = "gp_"


class PlatformJWTAuthentication(JWTAuthentication):
    """``Authorization: Bearer <access token>``; one SELECT a request. ``request.auth`` is the token."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        scheme, _, raw = header.partition(b" ")
        return raw.strip(b" ") if scheme.lower() == b"bearer" else None

    def get_validated_token(self, raw_token: bytes) -> AccessToken:
        try:
            return AccessToken.read(raw_token, now=clock.now())
        except InvalidToken as error:
            raise AuthenticationFailed from error

    def get_user(self, validated_token: Any) -> Any:
        try:
            return user_of(validated_token)
        except InvalidToken as error:
            raise AuthenticationFailed from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


@contextmanager
def guarded(request: Request, name: str, *, wrong: type[DomainError]) -> Iterator[None]:
    """A try of ``name``'s password: ``wrong`` counts towards the lock-out. Raises ``Throttled`` while locked out."""
    until = login_guard.locked_until(request._request, name)
    if until is not None:
        raise Throttled(wait=(until - timezone.now()).total_seconds())
    try:
        yield
    except wrong:
        login_guard.failed(request._request, name)
        raise
    login_guard.succeeded(request._request, name)


class ClientKeyAuthentication(BaseAuthentication):
    """``X-API-Key: <key>`` or ``Authorization: Bearer <key>``; one SELECT a request. ``request.auth`` is the key.

    The key must have the ``scope`` of the subclass. Where users may call too, this comes first.
    """

    scope: ApiKey.Scope

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        text = request.headers.get("X-API-Key")
        if text is None:
            scheme, _, text = request.headers.get("Authorization", "").partition(" ")
            text = text.strip(" ")
            if scheme.lower() != "bearer" or not text.startswith(KEY_START):
                return None
        key = find_key(text=text, scope=self.scope, now=clock.now())
        if key is None:
            raise AuthenticationFailed
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PlatformJWTScheme(OpenApiAuthenticationExtension):
    target_class = PlatformJWTAuthentication
    name = "bearerJWT"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        scheme: dict[str, str] = build_bearer_security_scheme_object(
            header_name="Authorization", token_prefix="Bearer", bearer_format="JWT"
        )
        return scheme


class ClientKeyScheme(OpenApiAuthenticationExtension):
    target_class = ClientKeyAuthentication
    match_subclasses = True
    name = "clientKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The key of an API client."}
