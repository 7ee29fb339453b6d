from collections.abc import Mapping
from typing import Any

from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import schema
from accounts.api.authentication import PlatformJWTAuthentication, guarded
from accounts.api.base import KnowsCaller
from accounts.api.outputs import GAME, SIGNED_IN, STEP_UP, USER
from accounts.api.serializers import (
    GameQuery,
    LoginInput,
    ProfileInput,
    RefreshInput,
    RegisterInput,
    StepUpInput,
)
from accounts.catalogue import active_games, find_game
from accounts.errors import InvalidCredentials
from accounts.models import User
from accounts.profile import update_profile
from accounts.registration import register_user
from accounts.second_factor import WrongCode
from accounts.sign_in import log_in, log_out, refresh, sign_out_everywhere, step_up
from core.wire.fields import checked
from core.wire.nest import NestViewSet, ok
from core.wire.throttles import throttle_for


def named_user(request: Request) -> str | None:
    """Whose password is being guessed: the limit counts per address and name, however the name is spelled."""
    name = request.data.get("username") if isinstance(request.data, Mapping) else None
    return User.normalize_username(name).casefold() if isinstance(name, str) else None


# Limited, because strangers may guess and each password costs a hash.
GUESSES: dict[str, Any] = {"throttle_classes": [throttle_for("auth", identity=named_user)]}
SIGNED_IN_ONLY: dict[str, Any] = {
    "authentication_classes": [PlatformJWTAuthentication],
    "permission_classes": [IsAuthenticated],
}


class AuthViewSet(KnowsCaller, NestViewSet):
    """Signing in and out, and the signed-in user."""

    @schema.register
    @action(detail=False, methods=["post"], **GUESSES)
    def register(self, request: Request) -> Response:
        values = checked(RegisterInput, request.data)
        signed_in = register_user(**values, now=self.now)
        return ok("User registered successfully", data=SIGNED_IN.of(signed_in), status=201)

    @schema.log_in
    @action(detail=False, methods=["post"], **GUESSES)
    def login(self, request: Request) -> Response:
        """Guesses count together with those at the back-office's login."""
        values = checked(LoginInput, request.data)
        with guarded(request, values["username"], wrong=InvalidCredentials):
            signed_in = log_in(**values, now=self.now)
        return ok("Logged in successfully", data=SIGNED_IN.of(signed_in))

    @schema.refresh
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        signed_in = refresh(raw=checked(RefreshInput, request.data)["refresh"], now=self.now)
        return ok("Token refreshed successfully", data=SIGNED_IN.of(signed_in))

    @schema.log_out
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Response:
        log_out(raw=checked(RefreshInput, request.data)["refresh"], now=self.now)
        return ok("Logged out successfully")

    @schema.step_up
    @action(detail=False, methods=["post"], url_path="step-up", **GUESSES, **SIGNED_IN_ONLY)
    def step_up(self, request: Request) -> Response:
        """Guesses count together with those at the log-in."""
        code = checked(StepUpInput, request.data)["code"]
        with guarded(request, self.caller.username, wrong=WrongCode):
            access, ends_at = step_up(user_id=self.caller.pk, code=code, now=self.now)
        return ok("Stepped up successfully", data=STEP_UP.of({"access": access, "ends_at": ends_at}))

    @schema.log_out_everywhere
    @action(detail=False, methods=["post"], url_path="logout-everywhere", **SIGNED_IN_ONLY)
    def logout_everywhere(self, request: Request) -> Response:
        """End everything that the user, or a thief, is signed in with: on every device, at once."""
        sign_out_everywhere(user_id=self.caller.pk)
        return ok("Logged out everywhere")

    @schema.own_user
    @action(detail=False, **SIGNED_IN_ONLY)
    def me(self, request: Request) -> Response:
        return ok("User retrieved successfully", data=USER.of(self.caller))

    @schema.edit_own_user
    @me.mapping.patch
    def edit_me(self, request: Request) -> Response:
        """A wallet is connected here."""
        changes = checked(ProfileInput, request.data)
        user = update_profile(user_id=self.caller.pk, changes=changes)  # type: ignore[arg-type]
        return ok("User updated successfully", data=USER.of(user))


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
