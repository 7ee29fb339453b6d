"""Game rounds over HTTP. Contract: rounds, "Endpoints"; contract: rounds, "Rules"."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from core.security.names import has_hidden_characters
from core.wire.gamefuse import Parameters
from rounds import queries, scoring
from rounds.api import outputs
from rounds.api.base import ActorViewSet, path_id
from rounds.api.schema import documented
from rounds.errors import OtherGame, RoundNotFound
from rounds.models import GAME_TYPE_LENGTH_MAX

PLACE_MAX = 2**31 - 1
PAGE_MAX = 1_000_000
PER_PAGE_MAX = 100
VALUES = ["game_type", "start_time", "end_time", "score", "place", "metadata"]


class RoundViewSet(ActorViewSet):
    """Rounds, single and multiplayer."""

    def answer(self, round_id: int, *, status: int = 200) -> Response:
        """The round as it is now, with its rankings: two statements."""
        row = queries.round_row(round_id)
        if row is None:
            raise RoundNotFound()
        if row["game_id"] != self.actor.user.game_id:
            raise OtherGame("You cannot view game rounds from another game")
        rankings = queries.rankings_of([row])
        ranked = outputs.with_rankings(row, rankings, caller_id=self.actor.user.pk)
        return Response(outputs.RANKED_ROUND.of(ranked), status=status)

    @documented(
        "List a player's rounds",
        operation_id="game_rounds_list",
        query=["user_id", "page", "per_page"],
        required=["user_id"],
        answer=outputs.ROUNDS,
        errors=[401],
    )
    def list(self, request: Request) -> Response:
        """Oldest first, without rankings."""
        given = self.parameters
        user = self.same_game_user(given.required_id("user_id"))
        page, size = _number(given, "page", default=1), _number(given, "per_page", default=PER_PAGE_MAX)
        size = min(size, PER_PAGE_MAX)
        rounds = queries.rounds_of(game_user_id=user.pk)[(page - 1) * size : page * size]
        return Response(outputs.ROUNDS.of({"game_rounds": queries.round_rows(rounds)}))

    @documented(
        "Create a round",
        body=["game_user_id", *VALUES, "multiplayer", "multiplayer_game_round_id"],
        required=["game_user_id", "game_type"],
        answer=outputs.RANKED_ROUND,
        success=201,
        errors=[401],
    )
    def create(self, request: Request) -> Response:
        given = self.parameters
        values = round_values(given)
        if values.get("game_type") is None:
            raise Invalid("Game type can't be blank")
        round_id = scoring.create_round(
            actor=self.actor,
            game_user_id=given.required_id("game_user_id"),
            multiplayer=given.flag("multiplayer"),
            multiplayer_id=given.id("multiplayer_game_round_id"),
            values=values,
            now=self.now,
        )
        return self.answer(round_id, status=201)

    @documented("Show a round with its rankings", of="round", answer=outputs.RANKED_ROUND, errors=[401])
    def retrieve(self, request: Request, id: str) -> Response:
        return self.answer(path_id(id))

    @documented("Update a round", of="round", body=VALUES, answer=outputs.RANKED_ROUND, errors=[401])
    def update(self, request: Request, id: str) -> Response:
        """What is sent is changed, the rest stays; metadata is replaced whole."""
        round_id = path_id(id)
        scoring.update_round(actor=self.actor, round_id=round_id, values=round_values(self.parameters), now=self.now)
        return self.answer(round_id)

    partial_update = update

    @documented("Delete a round", of="round", answer=outputs.MESSAGE, errors=[401])
    def destroy(self, request: Request, id: str) -> Response:
        scoring.delete_round(actor=self.actor, round_id=path_id(id), now=self.now)
        return Response(outputs.MESSAGE.of({"message": "Game Round destroyed successfully!"}))


def round_values(given: Parameters) -> dict[str, Any]:
    """The fields of a round that were sent; one that must not be null is left out when it is."""
    values: dict[str, Any] = {}
    if (game_type := given.text("game_type", max_length=GAME_TYPE_LENGTH_MAX)) is not None:
        if has_hidden_characters(game_type):
            raise Invalid("Game type must not contain control or invisible characters")
        values["game_type"] = game_type
    if (start_time := given.time("start_time")) is not None:
        values["start_time"] = start_time
    readers = {"end_time": given.time, "score": given.number, "place": given.whole, "metadata": given.object}
    values |= {name: read(name) for name, read in readers.items() if name in given}
    place = values.get("place")
    if place is not None and not 0 <= place <= PLACE_MAX:
        raise Invalid("Place must be a number from 0")
    return values


def _number(given: Parameters, name: str, *, default: int) -> int:
    value = given.whole(name)
    if value is None:
        return default
    if not 1 <= value <= PAGE_MAX:
        raise Invalid(f"{name.capitalize()} must be a number from 1 to {PAGE_MAX}")
    return value
