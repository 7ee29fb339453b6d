"""The views of the rounds API that ask who is calling. Contract: rounds, "Transport"."""

from typing import Any

from rest_framework.request import Request

from gameplatform.accounts.models import GameUser
from gameplatform.core.json_text import INTEGER_MAX
from gameplatform.wire.gamefuse import GameFuseView, Unauthenticated
from rounds.actors import Actor, actor_by_service_key, actor_by_token
from rounds.errors import GameUserNotFound, OtherGame
from rounds.queries import game_user


class ActorView(GameFuseView):
    """A view for game users, by their token or through the game's service key."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.actor = self._authenticate(request)

    def _authenticate(self, request: Request) -> Actor:
        token = request.headers.get("authentication-token")
        if token:
            actor = actor_by_token(token)
            if actor is None:
                raise Unauthenticated("Invalid user authentication token")
            return actor
        name, key = request.headers.get("service-key-name"), request.headers.get("service-key-token")
        if not name or not key:
            raise Unauthenticated()
        user_id = request.headers.get("current-user-id", "")
        actor = None
        if user_id.isascii() and user_id.isdigit() and len(user_id) <= 18:
            actor = actor_by_service_key(name=name, token=key, game_user_id=int(user_id), now=self.now)
        if actor is None:
            raise Unauthenticated("Invalid service key, or no user of its game with the current user id")
        return actor

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
