"""Signed requests: the key, the signature, the time and its first use, in this order (payments, "Signing")."""

import re

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.api_keys import find_key, signing_secret
from accounts.models import ApiKey, Game
from core.db import clock
from core.wire import plyr
from payments.api import signatures

_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)


class SignedRequestAuthentication(BaseAuthentication):
    """``apikey``, ``signature``, ``timestamp``; the caller is the key's client, which acts for its game."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey]:
        text, given, timestamp = (request.headers.get(name, "") for name in ("apikey", "signature", "timestamp"))
        if not (text and given and timestamp):
            raise plyr.missing_headers()
        now = clock.now()
        key = find_key(text=text, scope=ApiKey.Scope.POTS, now=now) if _is_plain(text) else None
        if key is None:
            raise plyr.invalid_key()
        body = plyr.EMPTY_BODY if request.method in ("GET", "HEAD", "OPTIONS") else request.body
        if not plyr.is_signed(secret=signing_secret(key), given=given, timestamp=timestamp, body=body):
            raise plyr.invalid_signature()
        if not _is_fresh(timestamp, now_ms=now.timestamp() * 1000):
            raise plyr.request_expired()
        if key.client.game is None or key.client.game.status != Game.Status.ACTIVE:
            raise plyr.Refused(403, "Insufficient permissions", code="FORBIDDEN")
        signatures.claim(request, key_id=key.pk, now_ms=now.timestamp() * 1000)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return "HMAC-SHA256"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_fresh(timestamp: str, *, now_ms: float) -> bool:
    return bool(_TIMESTAMP.fullmatch(timestamp)) and abs(now_ms - int(timestamp)) <= plyr.SIGNATURE_WINDOW_MS


class SignedRequestScheme(OpenApiAuthenticationExtension):
    """All three headers together."""

    target_class = SignedRequestAuthentication
    name = ["potKey", "potTimestamp", "potSignature"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        headers = {
            "apikey": "The key of a game's server, with the scope `pots`.",
            "timestamp": "Epoch milliseconds; a request is good for five minutes.",
            "signature": "Lower-case hex HMAC-SHA256 with the key's signing secret over the timestamp and the body, its"
            " exact bytes or its compact JSON; a GET and an empty body sign `{}`.",
        }
        return [{"type": "apiKey", "in": "header", "name": name, "description": text} for name, text in headers.items()]
