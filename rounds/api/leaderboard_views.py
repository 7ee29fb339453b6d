"""Leaderboards over HTTP, as GameFuse documents them."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from rounds import leaderboards, queries
from rounds.api import outputs
from rounds.api.base import ActorViewSet, path_id
from rounds.api.schema import documented
from rounds.errors import MissingParameter, NoEntries, OtherGame

NAME_INPUT_MAX = 300
ENTRIES_DEFAULT = 100
ENTRIES_MAX = 500


class BoardViewSet(ActorViewSet):
    """What the leaderboard routes share."""

    def leaderboard_name(self) -> str | None:
        return self.parameters.text("leaderboard_name", max_length=NAME_INPUT_MAX)

    def limit(self) -> int:
        limit = self.parameters.whole("limit")
        if limit is not None and limit < 1:
            raise MissingParameter("Limit must be at least 1")
        return min(limit or ENTRIES_DEFAULT, ENTRIES_MAX)


class UserBoardViewSet(BoardViewSet):
    """A player's entries."""

    def caller_answer(self) -> Response:
        user = queries.game_user(self.actor.user.pk)
        assert user is not None
        return Response(outputs.USER.of(outputs.Seen(user=user, is_self=True, token=self.actor.token, now=self.now)))

    @documented(
        "Add an entry to a leaderboard",
        of="caller",
        body=["leaderboard_name", "score", "metadata", "extra_attributes"],
        required=["leaderboard_name", "score"],
        answer=outputs.USER,
        errors=[400, 401],
    )
    @action(detail=True, methods=["post"], url_path="add_leaderboard_entry")
    def add_leaderboard_entry(self, request: Request, id: str) -> Response:
        name, score = self.leaderboard_name(), self.parameters.number("score")
        if name is None or score is None:
            raise MissingParameter("Please include a leaderboard_name and a score param")
        leaderboards.add_entry(
            actor=self.actor,
            game_user_id=path_id(id),
            name=name,
            score=score,
            metadata=self._metadata(),
            now=self.now,
        )
        return self.caller_answer()

    def _metadata(self) -> dict[str, Any]:
        name = "metadata" if "metadata" in self.parameters else "extra_attributes"
        try:
            return self.parameters.object(name) or {}
        except Invalid as error:
            raise MissingParameter("Invalid extra attributes") from error

    @documented(
        "Clear the caller's leaderboard entries",
        of="caller",
        body=["leaderboard_name"],
        answer=outputs.USER,
        errors=[401],
    )
    @action(detail=True, methods=["post"], url_path="clear_my_leaderboard_entries")
    def clear_my_leaderboard_entries(self, request: Request, id: str) -> Response:
        leaderboards.clear_entries(
            actor=self.actor, game_user_id=path_id(id), name=self.leaderboard_name(), now=self.now
        )
        return self.caller_answer()

    @documented(
        "List a player's leaderboard entries",
        of="player",
        query=["leaderboard_name", "limit", "one_per_user"],
        answer=outputs.ENTRIES,
        errors=[400, 401],
    )
    @action(detail=True, url_path="leaderboard_entries")
    def leaderboard_entries(self, request: Request, id: str) -> Response:
        rows = leaderboards.user_entries(
            game_user_id=self.same_game_user(path_id(id)).pk,
            name=self.leaderboard_name(),
            one_per_user=self.parameters.flag("one_per_user"),
            limit=self.limit(),
        )
        return Response(outputs.ENTRIES.of({"leaderboard_entries": rows}))


class GameBoardViewSet(BoardViewSet):
    """A game's leaderboards."""

    @documented(
        "List a game's leaderboard",
        of="game access",
        query=["leaderboard_name", "limit", "one_per_user"],
        required=["leaderboard_name"],
        answer=outputs.ENTRIES,
        errors=[400, 401],
    )
    @action(detail=True, url_path="leaderboard_entries")
    def leaderboard_entries(self, request: Request, id: str) -> Response:
        if path_id(id) != self.actor.user.game_id:
            raise OtherGame()
        name = self.leaderboard_name()
        if name is None:
            raise MissingParameter("Please include a leaderboard_name param")
        rows = leaderboards.game_entries(
            game_id=self.actor.user.game_id,
            name=name,
            one_per_user=self.parameters.flag("one_per_user"),
            limit=self.limit(),
        )
        if not rows:
            raise NoEntries()
        return Response(outputs.ENTRIES.of({"leaderboard_entries": rows}))
