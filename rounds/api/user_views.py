"""Players and their games over HTTP. Contract: rounds, "Endpoints"."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import PlatformJWTAuthentication
from accounts.models import GameUser
from core.json_text import MalformedJSON, loads_strict
from core.wire.gamefuse import GameFuseView, Unauthenticated, named_email
from core.wire.throttles import throttle_for
from rounds import access, attributes, players, queries
from rounds.api import shapes
from rounds.api.base import ActorView, path_id
from rounds.api.schema import documented
from rounds.errors import GameNotFound, GameNotVerified, MissingParameter

EMAIL_INPUT_MAX = 300
NAME_INPUT_MAX = 300
PASSWORD_INPUT_MAX = 1000
PAIR_NEEDED = "Each attribute needs a 'key' and a 'value' parameter"


class GameView(GameFuseView):
    """A game with its variables, for a client that knows its token."""

    @documented("Verify a game", query=["game_id", "game_token"], errors=[401])
    def get(self, request: Request) -> Response:
        found = access.find_access(
            game_id=self.parameters.id_or_none("game_id"), token=self.parameters.text("game_token", max_length=100)
        )
        if found is None:
            raise GameNotVerified()
        return Response(shapes.game_body(found, variables=queries.variables_of(found.pk)))


class StoreItemsView(GameFuseView):
    """The platform has no store; clients ask for its items when they start."""

    @documented("List a game's store items: none", query=["game_id", "game_token"], errors=[404])
    def get(self, request: Request) -> Response:
        found = access.find_access(
            game_id=self.parameters.id_or_none("game_id"), token=self.parameters.text("game_token", max_length=100)
        )
        if found is None:
            raise GameNotFound()
        return Response({"store_items": []})


AuthThrottle = throttle_for("auth", identity=named_email)


class UsersView(GameFuseView):
    throttle_classes = [AuthThrottle]

    @documented(
        "Sign up",
        body=["email", "password", "password_confirmation", "username", "game_id", "game_token"],
        errors=[402, 404, 422],
    )
    def post(self, request: Request) -> Response:
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
        return Response(shapes.user_body(signed_in.user, is_self=True, token=signed_in.token, now=self.now))


class SessionsView(GameFuseView):
    throttle_classes = [AuthThrottle]

    @documented("Sign in", body=["email", "password", "game_id", "game_token"], errors=[401, 402, 404])
    def post(self, request: Request) -> Response:
        """By email and password; a player of the platform instead with ``Authorization: Bearer <access token>``."""
        given = self.parameters
        game_id = given.id_or_none("game_id")
        if request.headers.get("Authorization"):
            authenticated = PlatformJWTAuthentication().authenticate(request)
            if authenticated is None:
                raise Unauthenticated("Invalid access token")
            signed_in = players.sign_in_player(game_id=game_id, user=authenticated[0], now=self.now)
        else:
            signed_in = players.sign_in(
                game_id=game_id,
                game_token=given.text("game_token", max_length=100),
                email=given.text("email", max_length=EMAIL_INPUT_MAX) or "",
                password=given.text("password", max_length=PASSWORD_INPUT_MAX) or "",
                now=self.now,
            )
        return Response(full_user(signed_in.user, caller=signed_in.user, token=signed_in.token, now=self.now))


class UserView(ActorView):
    @documented("Show a player of the same game", errors=[401, 404])
    def get(self, request: Request, id: str) -> Response:
        user = self.same_game_user(path_id(id))
        token = self.actor.token if user.pk == self.actor.user.pk else None
        return Response(full_user(user, caller=self.actor.user, token=token, now=self.now))


class NumberView(ActorView):
    """``credits`` or ``score`` of the caller, set or added to."""

    # Set by the routes.
    name = "credits"
    is_relative = True

    @documented("Set or add to the caller's credits or score", body=["credits", "score"], errors=[400, 401, 422])
    def post(self, request: Request, id: str) -> Response:
        amount = self.parameters.whole(self.name)
        if amount is None:
            raise MissingParameter(f"Please include a {self.name} param")
        user = players.change_number(
            actor=self.actor,
            game_user_id=path_id(id),
            name=self.name,
            amount=amount,
            is_relative=self.is_relative,
            now=self.now,
        )
        return Response(shapes.user_body(user, is_self=True, token=self.actor.token, now=self.now))


class AttributesView(ActorView):
    @documented("List a player's attributes", errors=[401, 404])
    def get(self, request: Request, id: str) -> Response:
        user = self.same_game_user(path_id(id))
        return Response({"game_user_attributes": queries.attributes_of(user.pk)})


class AddAttributeView(ActorView):
    @documented("Set attributes of the caller", body=["key", "value", "attributes"], errors=[400, 401, 422])
    def post(self, request: Request, id: str) -> Response:
        attributes.set_attributes(
            actor=self.actor, game_user_id=path_id(id), attributes=self._attributes(), now=self.now
        )
        return Response({"game_user_attributes": queries.attributes_of(self.actor.user.pk)})

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


class RemoveAttributeView(ActorView):
    @documented("Remove an attribute of the caller", query=["game_user_attribute_key"], errors=[400, 401])
    def get(self, request: Request, id: str) -> Response:
        """By GET, as GameFuse's clients do; by POST and DELETE too."""
        key = self.parameters.text("game_user_attribute_key", max_length=1000)
        if key is None:
            key = self.parameters.text("key", max_length=1000)
        if key is None:
            raise MissingParameter("Please include a game_user_attribute_key param")
        attributes.remove_attribute(actor=self.actor, game_user_id=path_id(id), key=key, now=self.now)
        return Response({"game_user_attributes": queries.attributes_of(self.actor.user.pk)})

    post = get
    delete = get


class EmptyStoreView(ActorView):
    @documented("List a player's store items: none", errors=[401, 404])
    def get(self, request: Request, id: str) -> Response:
        self.same_game_user(path_id(id))
        return Response({"game_user_store_items": []})


def full_user(user: GameUser, *, caller: GameUser, token: str | None, now: datetime) -> shapes.Body:
    """A player with its attributes and its newest rounds, as ``caller`` may see it: four statements."""
    rounds = queries.newest_rounds_of(game_user_id=user.pk)
    rankings = queries.rankings_of(rounds)
    return shapes.full_user_body(
        user,
        is_self=user.pk == caller.pk,
        token=token,
        attributes=queries.attributes_of(user.pk),
        game_rounds=[shapes.ranked_round_body(row, rankings=rankings, caller_id=caller.pk) for row in rounds],
        now=now,
    )
