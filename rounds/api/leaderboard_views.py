"""Leaderboards over HTTP, as GameFuse documents them."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from rounds import leaderboards, queries
from rounds.api import shapes
from rounds.api.base import ActorView, path_id
from rounds.api.schema import documented
from rounds.errors import MissingParameter, NoEntries, OtherGame

NAME_INPUT_MAX = 300
ENTRIES_DEFAULT = 100
ENTRIES_MAX = 500


class LeaderboardView(ActorView):
    """What the leaderboard routes share."""

    def name(self) -> str | None:
        return self.parameters.text("leaderboard_name", max_length=NAME_INPUT_MAX)

    def limit(self) -> int:
        limit = self.parameters.whole("limit")
        if limit is not None and limit < 1:
            raise MissingParameter("Limit must be at least 1")
        return min(limit or ENTRIES_DEFAULT, ENTRIES_MAX)

    def caller_body(self) -> shapes.Body:
        user = queries.game_user(self.actor.user.pk)
        assert user is not None
        return shapes.user_body(user, is_self=True, token=self.actor.token, now=self.now)


class AddEntryView(LeaderboardView):
    @documented(
        "Add an entry to a leaderboard",
        body=["leaderboard_name", "score", "metadata", "extra_attributes"],
        errors=[400, 401, 422],
    )
    def post(self, request: Request, id: str) -> Response:
        name, score = self.name(), self.parameters.number("score")
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
        return Response(self.caller_body())

    def _metadata(self) -> dict[str, Any]:
        name = "metadata" if "metadata" in self.parameters else "extra_attributes"
        try:
            return self.parameters.object(name) or {}
        except Invalid as error:
            raise MissingParameter("Invalid extra attributes") from error


class ClearEntriesView(LeaderboardView):
    @documented("Clear the caller's leaderboard entries", body=["leaderboard_name"], errors=[401])
    def post(self, request: Request, id: str) -> Response:
        leaderboards.clear_entries(actor=self.actor, game_user_id=path_id(id), name=self.name(), now=self.now)
        return Response(self.caller_body())


class UserEntriesView(LeaderboardView):
    @documented(
        "List a player's leaderboard entries",
        query=["leaderboard_name", "limit", "one_per_user"],
        errors=[400, 401, 404],
    )
    def get(self, request: Request, id: str) -> Response:
        rows = leaderboards.user_entries(
            game_user_id=self.same_game_user(path_id(id)).pk,
            name=self.name(),
            one_per_user=self.parameters.flag("one_per_user"),
            limit=self.limit(),
        )
        return Response({"leaderboard_entries": [shapes.entry_body(row) for row in rows]})


class GameEntriesView(LeaderboardView):
    @documented("List a game's leaderboard", query=["leaderboard_name", "limit", "one_per_user"], errors=[400, 401])
    def get(self, request: Request, id: str) -> Response:
        if path_id(id) != self.actor.user.game_id:
            raise OtherGame()
        name = self.name()
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
        return Response({"leaderboard_entries": [shapes.entry_body(row) for row in rows]})
