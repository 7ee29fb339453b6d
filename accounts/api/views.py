from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import login_guard
from accounts.api import schema
from accounts.api.base import AuthedNestView
from accounts.api.outputs import GAME
from accounts.api.serializers import (
    GameQuery,
    LoginInput,
    ProfileInput,
    RefreshInput,
    RegisterInput,
    SignedInOutput,
    UserOutput,
)
from accounts.catalogue import active_games, find_game
from accounts.errors import InvalidCredentials
from accounts.models import User
from accounts.profile import update_profile
from accounts.registration import register_user
from accounts.sign_in import log_in, log_out, refresh, sign_out_everywhere
from core.wire.fields import StrictSerializer
from core.wire.nest import NestView, NestViewSet, ok
from core.wire.throttles import throttle_for


def checked(serializer: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """The validated values of ``data``. Raises ``ValidationError``."""
    bound = serializer(data=data)
    bound.is_valid(raise_exception=True)
    values: dict[str, Any] = bound.validated_data
    return values


def named_user(request: Request) -> str | None:
    """Whose password is being guessed: the limit counts per address and name, however the name is spelled."""
    name = request.data.get("username") if isinstance(request.data, Mapping) else None
    return User.normalize_username(name).casefold() if isinstance(name, str) else None


class AuthView(NestView):
    """What strangers may do; limited, because they may guess and each password costs a hash."""

    throttle_classes = [throttle_for("auth", identity=named_user)]


class RegisterView(AuthView):
    """Create a player and sign it in."""

    @schema.register
    def post(self, request: Request) -> Response:
        values = checked(RegisterInput, request.data)
        signed_in = register_user(**values, now=self.now)
        return ok("User registered successfully", data=SignedInOutput(signed_in).data, status=201)


class LoginView(AuthView):
    """Sign in with a username and its password; guesses count together with those at the back-office's login."""

    @schema.log_in
    def post(self, request: Request) -> Response:
        values = checked(LoginInput, request.data)
        until = login_guard.locked_until(request._request, values["username"])
        if until is not None:
            raise Throttled(wait=(until - timezone.now()).total_seconds())
        try:
            signed_in = log_in(**values, now=self.now)
        except InvalidCredentials:
            login_guard.failed(request._request, values["username"])
            raise
        login_guard.succeeded(request._request, values["username"])
        return ok("Logged in successfully", data=SignedInOutput(signed_in).data)


class RefreshView(NestView):
    """A new pair of tokens for a refresh token, which is used up by it."""

    @schema.refresh
    def post(self, request: Request) -> Response:
        raw = checked(RefreshInput, request.data)["refresh"]
        return ok("Token refreshed successfully", data=SignedInOutput(refresh(raw=raw, now=self.now)).data)


class LogoutView(NestView):
    """Use up a refresh token; safe to repeat."""

    @schema.log_out
    def post(self, request: Request) -> Response:
        log_out(raw=checked(RefreshInput, request.data)["refresh"], now=self.now)
        return ok("Logged out successfully")


class LogoutEverywhereView(AuthedNestView):
    """End everything that the signed-in user, or a thief, is signed in with: on every device, at once."""

    @schema.log_out_everywhere
    def post(self, request: Request) -> Response:
        sign_out_everywhere(user_id=self.caller.pk)
        return ok("Logged out everywhere")


class MeView(AuthedNestView):
    """The signed-in user itself; a wallet is connected here."""

    @schema.own_user
    def get(self, request: Request) -> Response:
        return ok("User retrieved successfully", data=UserOutput(self.caller).data)

    @schema.edit_own_user
    def patch(self, request: Request) -> Response:
        changes = checked(ProfileInput, request.data)
        user = update_profile(user_id=self.caller.pk, changes=changes)  # type: ignore[arg-type]
        return ok("User updated successfully", data=UserOutput(user).data)


class GameListViewSet(NestViewSet):
    """The games that can be played."""

    @schema.games
    def list(self, request: Request) -> Response:
        return ok("Game lists retrieved successfully", data=GAME.many(active_games()))

    @schema.game
    @action(detail=False, url_path="find-by-id")
    def find_by_id(self, request: Request) -> Response:
        game_id = checked(GameQuery, request.query_params)["id"]
        return ok("Game list retrieved successfully", data=GAME.of(find_game(game_id)))
