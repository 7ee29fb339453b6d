"""Throw-away games for the test suites of client libraries: off unless the settings switch them on.

Contract: rounds, "Endpoints".
"""

from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from core.errors import Invalid
from core.wire.gamefuse import GameFuseViewSet, Unauthenticated
from rounds import access, players
from rounds.actors import find_service_key
from rounds.api import outputs

INPUT_MAX = 300


@extend_schema(exclude=True)
class SuiteViewSet(GameFuseViewSet):
    """For service keys of the system only."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not settings.GAMEFUSE_TEST_SUITE:
            raise Http404
        super().initial(request, *args, **kwargs)
        name, token = request.headers.get("service-key-name", ""), request.headers.get("service-key-token", "")
        if find_service_key(name=name, token=token, scope=ApiKey.Scope.SYSTEM, now=self.now) is None:
            raise Unauthenticated("Invalid service key")

    def game_id(self) -> int:
        game_id = self.parameters.id("game_id")
        if game_id is None:
            raise Invalid("Game id is required")
        return game_id

    @action(detail=False, methods=["post"], url_path="create_game")
    def create_game(self, request: Request) -> Response:
        made = access.create_test_game(now=self.now)
        return Response({"id": made.pk, "name": made.game.name, "token": made.token}, status=201)

    @action(detail=False, methods=["post"], url_path="create_user")
    def create_user(self, request: Request) -> Response:
        signed_in = players.create_test_user(
            game_id=self.game_id(),
            email=self.parameters.required_text("email", max_length=INPUT_MAX),
            username=self.parameters.required_text("username", max_length=INPUT_MAX),
            now=self.now,
        )
        seen = outputs.Seen(user=signed_in.user, is_self=True, token=signed_in.token, now=self.now)
        return Response(outputs.USER.of(seen), status=201)

    @action(detail=False, methods=["delete"], url_path="clean_up_test")
    def clean_up_test(self, request: Request) -> Response:
        access.delete_test_game(game_id=self.game_id())
        return Response({"message": "everything should have been destroyed!"})
