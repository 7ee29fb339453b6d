"""Players and their games over HTTP. Contract: rounds, "Endpoints"."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import PlatformJWTAuthentication, guarded
from accounts.models import User
from core.json_text import MalformedJSON, loads_strict
from core.wire.gamefuse import GameFuseViewSet, Unauthenticated, named_email
from core.wire.throttles import throttle_for
from rounds import access, attributes, players, queries
from rounds.api import outputs
from rounds.api.base import ActorViewSet, path_id
from rounds.api.schema import USER_SCORE, documented
from rounds.errors import GameNotFound, GameNotVerified, MissingParameter, WrongPassword
from rounds.models import GameAccess

EMAIL_INPUT_MAX = 300
NAME_INPUT_MAX = 300
PASSWORD_INPUT_MAX = 1000
NAMES_GAME = ["game_id", "game_token"]
PAIR_NEEDED = "Each attribute needs a 'key' and a 'value' parameter"


class GameViewSet(GameFuseViewSet):
    """A game, for a client that knows its token."""

    def find_access(self) -> GameAccess | None:
        return access.find_access(
            game_id=self.parameters.id_or_none("game_id"), token=self.parameters.text("game_token", max_length=100)
        )

    @documented("Verify a game", query=NAMES_GAME, required=NAMES_GAME, answer=outputs.GAME, errors=[401])
    @action(detail=False)
    def verify(self, request: Request) -> Response:
        return self.game_answer()

    def game_answer(self) -> Response:
        """The game with its variables."""
        found = self.find_access()
        if found is None:
            raise GameNotVerified()
        return Response(
            outputs.GAME.of(
                {
                    "id": found.pk,
                    "name": found.game.name,
                    "token": found.token,
                    "description": found.description,
                    "game_variables": queries.variables_of(found.pk),
                }
            )
        )

    @documented("Fetch a game's variables", query=NAMES_GAME, required=NAMES_GAME, answer=outputs.GAME, errors=[401])
    @action(detail=False, url_path="fetch_game_variables")
    def fetch_game_variables(self, request: Request) -> Response:
        """The same answer by the other name that clients know."""
        return self.game_answer()

    @documented(
        "List a game's store items: none",
        query=NAMES_GAME,
        required=NAMES_GAME,
        answer=outputs.STORE_ITEMS,
        errors=[404],
    )
    @action(detail=False, url_path="store_items")
    def store_items(self, request: Request) -> Response:
        """The platform has no store; clients ask for its items when they start."""
        if self.find_access() is None:
            raise GameNotFound()
        return Response(outputs.STORE_ITEMS.of({}))


AuthThrottle = throttle_for("auth", identity=named_email)


class SignUpViewSet(GameFuseViewSet):
    """New players of a game."""

    throttle_classes = [AuthThrottle]

    @documented(
        "Sign up",
        body=["email", "password", "password_confirmation", "username", "game_id", "game_token"],
        required=["email", "password", "password_confirmation", "username", "game_id", "game_token"],
        answer=outputs.USER,
        errors=[402],
    )
    def create(self, request: Request) -> Response:
        given = self.parameters
        signed_in = players.sign_up(
            game_id=given.id_or_none("game_id"),
            game_token=given.text("game_token", max_length=100),
            email=given.required_text("email", max_length=EMAIL_INPUT_MAX),
            username=given.required_text("username", max_length=NAME_INPUT_MAX),
            password=given.required_text("password", max_length=PASSWORD_INPUT_MAX),
            password_confirmation=given.text("password_confirmation", max_length=PASSWORD_INPUT_MAX) or "",
            now=self.now,
        )
        seen = outputs.Seen(user=signed_in.user, is_self=True, token=signed_in.token, now=self.now)
        return Response(outputs.USER.of(seen))


class SessionViewSet(GameFuseViewSet):
    """Signing in at a game."""

    throttle_classes = [AuthThrottle]

    @documented(
        "Sign in",
        body=["email", "password", "game_id", "game_token"],
        required=["game_id"],
        answer=outputs.FULL_USER,
        errors=[401, 402],
    )
    def create(self, request: Request) -> Response:
        """By email and password; a player of the platform instead with ``Authorization: Bearer <access token>``."""
        given = self.parameters
        game_id = given.id_or_none("game_id")
        if request.headers.get("Authorization"):
            authenticated = PlatformJWTAuthentication().authenticate(request)
            if authenticated is None:
                raise Unauthenticated("Invalid access token")
            player = authenticated[0]
            assert isinstance(player, User)
            signed_in = players.sign_in_player(game_id=game_id, user=player, now=self.now)
        else:
            email = given.text("email", max_length=EMAIL_INPUT_MAX) or ""
            # Each game has players of its own.
            with guarded(request, f"game {game_id}: {email.strip(' ')}", wrong=WrongPassword):
                signed_in = players.sign_in(
                    game_id=game_id,
                    game_token=given.text("game_token", max_length=100),
                    email=email,
                    password=given.text("password", max_length=PASSWORD_INPUT_MAX) or "",
                    now=self.now,
                )
        user = signed_in.user
        return Response(outputs.full_user(user, caller=user, token=signed_in.token, now=self.now))


def _changes_number(summary: str, name: str) -> Callable[[Any], Any]:
    return documented(
        summary,
        of="caller",
        body=[name],
        required=[name],
        schemas={"score": USER_SCORE},
        answer=outputs.USER,
        errors=[400, 401],
    )


class UserViewSet(ActorViewSet):
    """A player: shown to players of the same game, changed by itself."""

    @documented("Show a player of the same game", of="player", answer=outputs.FULL_USER, errors=[401])
    def retrieve(self, request: Request, id: str) -> Response:
        user = self.same_game_user(path_id(id))
        token = self.actor.token if user.pk == self.actor.user.pk else None
        return Response(outputs.full_user(user, caller=self.actor.user, token=token, now=self.now))

    @_changes_number("Add to the caller's credits", "credits")
    @action(detail=True, methods=["post"], url_path="add_credits")
    def add_credits(self, request: Request, id: str) -> Response:
        return self._change_number(id, "credits", is_relative=True)

    @_changes_number("Set the caller's credits", "credits")
    @action(detail=True, methods=["post"], url_path="set_credits")
    def set_credits(self, request: Request, id: str) -> Response:
        return self._change_number(id, "credits", is_relative=False)

    @_changes_number("Add to the caller's score", "score")
    @action(detail=True, methods=["post"], url_path="add_score")
    def add_score(self, request: Request, id: str) -> Response:
        return self._change_number(id, "score", is_relative=True)

    @_changes_number("Set the caller's score", "score")
    @action(detail=True, methods=["post"], url_path="set_score")
    def set_score(self, request: Request, id: str) -> Response:
        return self._change_number(id, "score", is_relative=False)

    def _change_number(self, id: str, name: Literal["credits", "score"], *, is_relative: bool) -> Response:
        amount = self.parameters.whole(name)
        if amount is None:
            raise MissingParameter(f"Please include a {name} param")
        user = players.change_number(
            actor=self.actor,
            game_user_id=path_id(id),
            name=name,
            amount=amount,
            is_relative=is_relative,
            now=self.now,
        )
        return Response(outputs.USER.of(outputs.Seen(user=user, is_self=True, token=self.actor.token, now=self.now)))

    @documented("List a player's attributes", of="player", answer=outputs.ATTRIBUTES, errors=[401])
    @action(detail=True, url_path="game_user_attributes")
    def game_user_attributes(self, request: Request, id: str) -> Response:
        return self._attributes_of(self.same_game_user(path_id(id)).pk)

    @documented(
        "Set attributes of the caller",
        of="caller",
        body=["key", "value", "attributes"],
        answer=outputs.ATTRIBUTES,
        errors=[400, 401],
    )
    @action(detail=True, methods=["post"], url_path="add_game_user_attribute")
    def add_game_user_attribute(self, request: Request, id: str) -> Response:
        attributes.set_attributes(
            actor=self.actor, game_user_id=path_id(id), attributes=self._attributes(), now=self.now
        )
        return self._attributes_of(self.actor.user.pk)

    def _attributes_of(self, game_user_id: int) -> Response:
        return Response(outputs.ATTRIBUTES.of({"game_user_attributes": queries.attributes_of(game_user_id)}))

    def _attributes(self) -> list[tuple[str, str]]:
        """One ``key`` and ``value``, or a list of them in ``attributes``, or both."""
        given = self.parameters.raw("attributes")
        if isinstance(given, str):
            try:
                given = loads_strict(given.encode())
            except MalformedJSON:
                raise MissingParameter() from None
        items = list(given.values()) if isinstance(given, Mapping) else given or []
        if not isinstance(items, list):
            raise MissingParameter(PAIR_NEEDED)
        if "key" in self.parameters:
            items = [{name: self.parameters.raw(name) for name in ("key", "value")}, *items]
        if not items:
            raise MissingParameter(PAIR_NEEDED)
        return [(self._text(item, "key"), self._text(item, "value")) for item in items]

    def _text(self, item: Any, name: str) -> str:
        value = item.get(name) if isinstance(item, Mapping) else None
        if isinstance(value, bool):
            return str(value).lower()
        if name == "value" and value is None and isinstance(item, Mapping) and name in item:
            return ""
        if value is None or isinstance(value, Mapping | list):
            raise MissingParameter(PAIR_NEEDED)
        return str(value)

    @documented(
        "Remove an attribute of the caller",
        of="caller",
        query=["game_user_attribute_key"],
        required=["game_user_attribute_key"],
        answer=outputs.ATTRIBUTES,
        errors=[400, 401],
    )
    @action(detail=True, methods=["get", "post", "delete"], url_path="remove_game_user_attributes?")
    def remove_game_user_attributes(self, request: Request, id: str) -> Response:
        """By GET, as GameFuse's clients do; by POST and DELETE too."""
        key = self.parameters.text("game_user_attribute_key", max_length=1000)
        if key is None:
            key = self.parameters.text("key", max_length=1000)
        if key is None:
            raise MissingParameter("Please include a game_user_attribute_key param")
        attributes.remove_attribute(actor=self.actor, game_user_id=path_id(id), key=key, now=self.now)
        return self._attributes_of(self.actor.user.pk)

    @documented("List a player's store items: none", of="player", answer=outputs.USER_STORE_ITEMS, errors=[401])
    @action(detail=True, url_path="game_user_store_items")
    def game_user_store_items(self, request: Request, id: str) -> Response:
        self.same_game_user(path_id(id))
        return Response(outputs.USER_STORE_ITEMS.of({}))
