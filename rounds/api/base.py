"""The base of the resources for game users. Contract: rounds, "Transport"."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.models import GameUser
from core.db import clock
from core.json_text import INTEGER_MAX
from core.wire.gamefuse import GameFuseViewSet, Unauthenticated
from rounds.actors import Actor, actor_by_service_key, actor_by_token
from rounds.errors import GameUserNotFound, OtherGame
from rounds.queries import game_user

USER_ID_DIGITS_MAX = 18


class GameUserAuthentication(BaseAuthentication):
    """A game user's token, or the game's service key with the user it acts for.

    ``request.auth`` is the game user, so that rate limits count each on its own.
    """

    def authenticate(self, request: Request) -> tuple[Actor, GameUser]:
        token = request.headers.get("authentication-token")
        actor = self._by_token(token) if token else self._by_service_key(request)
        return actor, actor.user

    def _by_token(self, token: str) -> Actor:
        actor = actor_by_token(token, now=clock.now())
        if actor is None:
            raise Unauthenticated("Invalid user authentication token")
        return actor

    def _by_service_key(self, request: Request) -> Actor:
        name, key = request.headers.get("service-key-name"), request.headers.get("service-key-token")
        if not name or not key:
            raise Unauthenticated()
        user_id = request.headers.get("current-user-id", "")
        actor = None
        if user_id.isascii() and user_id.isdigit() and len(user_id) <= USER_ID_DIGITS_MAX:
            actor = actor_by_service_key(name=name, token=key, game_user_id=int(user_id), now=clock.now())
        if actor is None:
            raise Unauthenticated("Invalid service key, or no user of its game with the current user id")
        return actor


class ActorViewSet(GameFuseViewSet):
    """A resource for game users. An id in its routes is a number."""

    authentication_classes = [GameUserAuthentication]
    # The authentication lets in actors only.
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        assert isinstance(request.user, Actor)
        self.actor = request.user

    def same_game_user(self, game_user_id: int) -> GameUser:
        """A player of the actor's game. Raises ``GameUserNotFound`` or ``OtherGame``."""
        if game_user_id == self.actor.user.pk:
            return self.actor.user
        user = game_user(game_user_id)
        if user is None:
            raise GameUserNotFound()
        if user.game_id != self.actor.user.game_id:
            raise OtherGame("You cannot view users from another game")
        return user


def path_id(text: str) -> int:
    """The id in a route; one that cannot exist is 0, which never does."""
    value = int(text) if len(text) <= 19 else 0
    return value if value <= INTEGER_MAX else 0
