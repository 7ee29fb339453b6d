"""`/api/v1/game-rooms/sessions/{id}`: a session, its results and their arithmetic, its proof (contract: rooms)."""

from decimal import Decimal
from typing import Any

from orjson import Fragment
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import AuthedNestView
from core.wire.fields import ID_MAX
from core.wire.nest import ok
from rooms import proof, queries, scores
from rooms.api import schema, shapes
from rooms.api.serializers import ScoreInput
from rooms.errors import SessionNotFound
from rooms.models import Session
from rounds.standings import score_text


def _session(session_id: str) -> Session:
    session = queries.session_with_room(int(session_id)) if int(session_id) <= ID_MAX else None
    if session is None:
        raise SessionNotFound()
    return session


def _score(session: Session, score: Decimal | None) -> dict[str, Any]:
    """The score of an entry, with its very digits, in sessions that scores decide."""
    if session.contest_id is None:
        return {}
    return {"score": None if score is None else Fragment(score_text(score))}


class SessionView(AuthedNestView):
    """One session with its frozen terms."""

    @schema.get_session
    def get(self, request: Request, session_id: str) -> Response:
        detail = shapes.session_detail(_session(session_id), self.now)
        return ok("Game session fetched successfully", data=detail)


class ResultsView(AuthedNestView):
    """Standings and awards with rule and arithmetic; no standings while the session is live or if called off."""

    @schema.get_results
    def get(self, request: Request, session_id: str) -> Response:
        session = _session(session_id)
        outcome = queries.outcome(session.pk)
        pool_minor = outcome.pool_minor if outcome else 0
        shares = session.prize_shares_bp
        scored = queries.scores(session)
        standings = [
            {
                "rank": row["rank"],
                "join_id": row["id"],
                "public_id": str(row["public_id"]),
                "user": {"id": row["user_id"], "username": row["user__username"]},
                "percent": shapes.percent(shares[row["rank"] - 1]) if row["rank"] <= len(shares) else 0,
                "prize": shapes.number(row["prize_minor"]),
                "tx_hash": row["prize_tx_hash"],
                **_score(session, scored.get(row["user_id"])),
                "how": shapes.arithmetic(
                    pool_minor=pool_minor, share_bp=shares[row["rank"] - 1], prize_minor=row["prize_minor"]
                )
                if row["rank"] <= len(shares)
                else "no prize for this rank",
            }
            for row in queries.standings(session.pk)
        ]
        data = {
            "session": shapes.session_brief(session),
            "result_mode": session.result_mode,
            "rule": shapes.RULES[session.result_mode],
            "rounding": shapes.ROUNDING,
            "outcome": outcome.kind if outcome else None,
            "total_amount": shapes.number(pool_minor),
            "game_set_prizes": shapes.prize_table(shares),
            "standings": standings,
        }
        return ok("Game session results fetched successfully", data=data)


class ScoreView(AuthedNestView):
    """The caller's own score in a running session that scores decide."""

    @schema.submit_score
    def post(self, request: Request, session_id: str) -> Response:
        body = ScoreInput(data=request.data)
        body.is_valid(raise_exception=True)
        session = _session(session_id)
        score = body.validated_data["score"]
        scores.submit_score(session_id=session.pk, player=self.caller, score=score, now=self.now)
        return ok("Score submitted successfully", data={"session_id": session.pk, "score": Fragment(score_text(score))})


class ProofView(AuthedNestView):
    """The draw's public record at this moment."""

    @schema.get_proof
    def get(self, request: Request, session_id: str) -> Response:
        return ok("Game session proof fetched successfully", data=proof.proof(_session(session_id)))
