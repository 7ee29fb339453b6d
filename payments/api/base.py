"""What the signed routes share: who calls, what was sent, and the same answer to the same request."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from rest_framework.response import Response

from accounts.models import ApiClient, ApiKey, Game
from core import idempotency
from core.json_text import loads_strict
from core.security.secrets import decrypt, encrypt
from core.wire import plyr
from core.wire.rendering import OrjsonRenderer
from core.wire.throttles import request_address
from payments.api.authentication import SignedRequestAuthentication
from payments.api.signatures import signature_digest
from payments.otp import Guesser

# A part of a path.
SEGMENT = "[^/]{1,200}"


class SignedViewSet(plyr.PlyrViewSet):
    """A resource for game servers, which sign each request."""

    authentication_classes = [SignedRequestAuthentication]

    @property
    def client(self) -> ApiClient:
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return key.client

    @property
    def game(self) -> Game:
        game = self.client.game
        assert game is not None
        return game

    @property
    def guesser(self) -> Guesser:
        """Through whom a one-time password comes."""
        return Guesser(game_id=self.game.pk, client_id=self.client.pk, address=request_address(self.request))

    @property
    def request_digest(self) -> bytes:
        """What makes the same request of the same key the same one again."""
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return signature_digest(self.request, key_id=key.pk)

    def body(self) -> dict[str, Any]:
        """The members of the JSON object that was sent; an empty body is an empty object. Unknown ones are ignored."""
        # The signature covers the bytes, so the bytes are read, whatever the content type says of them.
        value = loads_strict(self.request.body or plyr.EMPTY_BODY)
        if not isinstance(value, dict):
            raise plyr.bad_input("The body must be a JSON object")
        return value

    def once(self, act: Callable[[dict[str, Any]], dict[str, Any]]) -> HttpResponse:
        """Act at once, without a job: ``act`` reads the body and says what is answered with 200.

        The same signed request again gets the first answer, and acts no more. Answers hold session tokens, so they are
        stored encrypted.
        """
        request = self.request
        claim = idempotency.begin(
            caller=f"api-client:{self.client.pk}",
            endpoint="signed POST",
            key=self.request_digest.hex(),
            request_hash=hashlib.sha256(request.path.rstrip("/").encode()).digest(),
            now=self.now,
        )
        if isinstance(claim, idempotency.Replay):
            return HttpResponse(decrypt(claim.body), status=claim.status, content_type=OrjsonRenderer.media_type)
        try:
            response = Response(act(self.body()))
        except Exception as error:
            response = self.handle_exception(error)
        if response.status_code < 500:
            stored = encrypt(OrjsonRenderer().render(response.data))
            idempotency.finish(claim, status=response.status_code, body=stored)
        else:
            idempotency.abandon(claim)
        return response
