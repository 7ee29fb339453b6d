"""`/api/v1/game-rooms/sessions/{id}`: a session, its results and their arithmetic, its proof (contract: rooms)."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import AuthedNestViewSet
from accounts.api.signed import IsKey, ResultsKeyAuthentication
from accounts.models import ApiKey
from core.wire.fields import ID_MAX, checked
from core.wire.nest import ok
from core.wire.outputs import ABSENT
from core.wire.throttles import throttle_for
from rooms import proof, queries, results, scores, wording
from rooms.api import outputs, schema
from rooms.api.serializers import ResultInput, ScoreInput
from rooms.errors import SessionNotFound
from rooms.models import Session


def _id(text: str) -> int:
    if int(text) > ID_MAX:
        raise SessionNotFound()
    return int(text)


def _session(session_id: str) -> Session:
    session = queries.session_with_room(_id(session_id))
    if session is None:
        raise SessionNotFound()
    return session


def _standings(session: Session, pool_minor: int) -> list[dict[str, Any]]:
    shares = session.prize_shares_bp
    scored = queries.scores(session)
    rows = []
    for row in queries.standings(session.pk):
        share_bp = shares[row["rank"] - 1] if row["rank"] <= len(shares) else 0
        how = "no prize for this rank"
        if share_bp:
            how = wording.arithmetic(pool_minor=pool_minor, share_bp=share_bp, prize_minor=row["prize_minor"])
        score = ABSENT if session.contest_id is None else scored.get(row["user__id"])
        rows.append({**row, "share_bp": share_bp, "score": score, "how": how})
    return rows


class GameSessionViewSet(AuthedNestViewSet):
    """Sessions: one with its frozen terms, and below it what decides it and what came of it."""

    lookup_url_kwarg = "session_id"
    lookup_value_regex = "[1-9][0-9]{0,18}"

    @schema.get_session
    def retrieve(self, request: Request, session_id: str) -> Response:
        session = _session(session_id)
        row = vars(session) | {
            "room": vars(session.room),
            "multiplayer_id": session.contest and session.contest.multiplayer_id,
            "now": self.now,
        }
        return ok(schema.FOUND, data=outputs.SESSION_DETAIL.of(row))

    @schema.get_results
    @action(detail=True)
    def results(self, request: Request, session_id: str) -> Response:
        """Show standings and awards with rule and arithmetic."""
        session = _session(session_id)
        outcome = queries.outcome(session.pk)
        pool_minor = outcome.pool_minor if outcome else 0
        row = vars(session) | {
            "outcome": outcome.kind if outcome else None,
            "pool_minor": pool_minor,
            "standings": _standings(session, pool_minor),
        }
        return ok(schema.RESULTS, data=outputs.RESULTS.of(row))

    @schema.submit_score
    @action(detail=True, methods=["post"])
    def score(self, request: Request, session_id: str) -> Response:
        """Take the caller's own score in a running session that scores decide."""
        score = checked(ScoreInput, request.data)["score"]
        session = _session(session_id)
        scores.submit_score(session_id=session.pk, player=self.caller, score=score, now=self.now)
        return ok(schema.SCORED, data=outputs.SCORED.of({"session_id": session.pk, "score": score}))

    @schema.submit_result
    @action(
        detail=True,
        methods=["post"],
        authentication_classes=[ResultsKeyAuthentication],
        permission_classes=[IsKey],
        write_throttle=throttle_for("writes", fail_open=False),
    )
    def result(self, request: Request, session_id: str) -> Response:
        """Take the ranking of a running session from its game's own server, once."""
        ranking = checked(ResultInput, request.data)["ranking"]
        key = request.auth
        assert isinstance(key, ApiKey)
        kept = results.submit_result(session_id=_id(session_id), ranking=ranking, key=key, now=self.now)
        return ok(schema.SUBMITTED, data=outputs.SUBMITTED.of(vars(kept)), status=201)

    @schema.get_proof
    @action(detail=True)
    def proof(self, request: Request, session_id: str) -> Response:
        """Show the draw's public record at this moment."""
        return ok(schema.PROVED, data=outputs.PROOF.of(proof.proof(_session(session_id))))
