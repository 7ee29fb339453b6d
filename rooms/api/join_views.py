"""`/api/v1/game-join-rooms`: join, leave, and who took part (contract: rooms)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import AuthedNestView
from core.observability import metrics
from core.wire.fields import iso_ms
from core.wire.idempotency import idempotent
from core.wire.nest import ok, parse_page
from core.wire.throttles import throttle_for
from rooms import entry, queries
from rooms.api import schema, shapes
from rooms.api.filters import ParticipantFilter, filtered
from rooms.api.serializers import JoinInput, JoinQuery, LeaveInput, RoomQuery, SessionQuery
from rooms.errors import JoinerNotFound, RoomNotFound, SessionNotFound
from rooms.models import Participant, Session

# Seats are worth money: no joining faster than a person could, and not at all while nobody can count.
EntryThrottle = throttle_for("joins", fail_open=False)

FETCHED = "Game join room fetched successfully"


class GameJoinRoomsView(AuthedNestView):
    """Join a session; list participations."""

    write_throttle = EntryThrottle

    @schema.list_participations
    def get(self, request: Request) -> Response:
        return _participations(request, queries.participants())

    @schema.join
    @idempotent
    def post(self, request: Request) -> Response:
        body = JoinInput(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        place = entry.join_session(
            room_id=values["room_id"],
            session_id=values["session_id"],
            player=self.caller,
            amount_minor=values["amount"],
            now=self.now,
            request_key=request.headers.get("Idempotency-Key"),
        )
        metrics.JOINS.inc()
        data = {
            "id": place.participant_id,
            "public_id": str(place.public_id),
            "session_id": values["session_id"],
            "room_id": values["room_id"],
            "wallet_address": place.wallet_address,
            "amount": shapes.number(place.amount_minor),
            "time_join": iso_ms(place.joined_at),
            "status": shapes.PARTICIPANT_STATUS[Participant.Status.PAID],
            "tx_hash": place.tx_hash,
            "participants_count": place.participants_count,
            "user": {"id": self.caller.pk, "username": self.caller.username},
        }
        return ok("Successfully joined game room", data=data, status=201)


class LeaveView(AuthedNestView):
    """Give a place back while the session is pending."""

    write_throttle = EntryThrottle

    @schema.leave
    @idempotent
    def post(self, request: Request) -> Response:
        body = LeaveInput(data=request.data)
        body.is_valid(raise_exception=True)
        departure = entry.leave_session(
            session_id=body.validated_data["session_id"],
            player=self.caller,
            now=self.now,
            request_key=request.headers.get("Idempotency-Key"),
        )
        data = {
            "id": departure.participant_id,
            "status": shapes.PARTICIPANT_STATUS[Participant.Status.LEFT],
            "tx_hash": departure.tx_hash,
            "participants_count": departure.participants_count,
        }
        return ok("Successfully left game room", data=data)


class ByRoomView(AuthedNestView):
    """Participations of a room, of one of its sessions."""

    @schema.list_by_room
    def get(self, request: Request) -> Response:
        return _participations(request, queries.participants())


class JoinersView(AuthedNestView):
    """Who is in a session, given by itself or as its room's current one; without either, everybody's places."""

    @schema.list_joiners
    def get(self, request: Request) -> Response:
        page = parse_page(request.query_params)
        session = self._session(request)
        rows = queries.entries_of([session.pk]) if session else queries.participants()
        chosen = filtered(ParticipantFilter, request.query_params, rows)
        return Response(
            {
                "data": [shapes.joiner_text(row) for row in queries.participant_rows(chosen[page.slice])],
                "totalAmount": shapes.number(queries.paid_into(session)) if session else 0,
                "currentSession": _current(session) if session else None,
                "pagination": page.pagination(queries.bounded_total(chosen)),
            }
        )

    def _session(self, request: Request) -> Session | None:
        if "session_id" in request.query_params:
            session = queries.session_with_room(_asked(request, SessionQuery)["session_id"])
            if session is None:
                raise SessionNotFound()
            return session
        if "room_id" in request.query_params:
            return queries.latest_session(_asked(request, RoomQuery)["room_id"])
        return None


class JoinerView(AuthedNestView):
    """One participation in detail."""

    @schema.get_joiner
    def get(self, request: Request) -> Response:
        joiner = queries.participant_detail(_asked(request, JoinQuery)["join_id"])
        if joiner is None:
            raise JoinerNotFound()
        # Other players' addresses are not given away, whatever the documents' example shows.
        is_theirs = self.caller.is_staff or joiner.user_id == self.caller.pk
        return Response(shapes.joiner_detail(joiner, email=joiner.user.email if is_theirs else None))


class OwnByRoomView(AuthedNestView):
    """The caller's newest session per room."""

    @schema.list_own
    def get(self, request: Request) -> Response:
        return _participations(request, queries.latest_participations(self.caller))


class ExpiredSessionsView(AuthedNestView):
    """Sessions that were called off, each with who was in it."""

    @schema.list_expired
    def get(self, request: Request) -> Response:
        page = parse_page(request.query_params)
        chosen = queries.expired_sessions()
        sessions = list(chosen[page.slice])
        entries: dict[int, list[dict[str, Any]]] = {session.pk: [] for session in sessions}
        for row in queries.participant_rows(queries.entries_of(entries)):
            entries[row["session_id"]].append(shapes.refunded_text(row))
        data = [
            {
                "session": shapes.session_brief(session) | {"room_id": session.room_id},
                "participants": entries[session.pk],
                "required_prizes": len(session.prize_shares_bp),
                "participants_count": len(entries[session.pk]),
                "is_insufficient": len(entries[session.pk]) < len(session.prize_shares_bp),
            }
            for session in sessions
        ]
        return Response({"data": data, "pagination": page.pagination(queries.bounded_total(chosen))})


class JoinersRefundView(AuthedNestView):
    """Who was refunded by a session."""

    @schema.list_refunded
    def get(self, request: Request) -> Response:
        page = parse_page(request.query_params)
        session_id = _asked(request, SessionQuery)["session_id"]
        if queries.session_with_room(session_id) is None:
            raise SessionNotFound("Session not found")
        chosen = queries.refunded_in(session_id)
        return ok(
            "Joiners refund data retrieved successfully",
            data=[shapes.refunded_text(row) for row in queries.participant_rows(chosen[page.slice])],
            pagination=page.pagination(queries.bounded_total(chosen)),
        )


class ProcessRefundView(AuthedNestView):
    """The record of a called-off session's refunds; the refunds themselves are made when it is called off."""

    @schema.process_refund
    @idempotent
    def post(self, request: Request) -> Response:
        session_id = _asked(request, SessionQuery)["session_id"]
        session, rows = queries.recorded_refund(actor=self.caller, session_id=session_id)
        total = shapes.number(sum(row["amount_minor"] for row in rows))
        processed = [
            {
                "id": row["id"],
                "wallet_address": row["wallet_address"],
                "original_amount": shapes.number(row["amount_minor"]),
                "refund_amount": shapes.number(row["amount_minor"]),
                "tx_hash": row["refund_tx_hash"],
                "user": shapes.user(row),
            }
            for row in rows
        ]
        data = {
            "session": shapes.session_brief(session),
            "processed_participants": processed,
            "financial_summary": {"total_original_amount": total, "total_refund_amount": total},
        }
        return ok("Expired session refund processed successfully", data=data)


class CheckNewSessionView(AuthedNestView):
    """Whether the room has a session to join."""

    @schema.check_new_session
    def get(self, request: Request) -> Response:
        room_id = _asked(request, RoomQuery)["room_id"]
        if queries.room_row(room_id) is None:
            raise RoomNotFound()
        session = queries.latest_session(room_id)
        if session is None:
            return ok("No session found for this room", data=_no_session(room_id))
        joinable = queries.can_join(
            status=session.status,
            opens_at=session.opens_at,
            starts_at=session.starts_at,
            count=session.participants_count,
            seats=session.max_participants,
            now=self.now,
        )
        available = session.status == Session.Status.PENDING and self.now < session.starts_at
        data = {
            "room_id": room_id,
            "latest_session_id": session.pk,
            "session_status": shapes.SESSION_STATUS[Session.Status(session.status)],
            "session_available": available,
            "can_join": joinable,
            "session_start_time": iso_ms(session.starts_at),
            "message": "You can join the new session now" if joinable else "Please wait for the next session",
        }
        return ok("New session is available" if available else "No new session available yet", data=data)


def _participations(request: Request, rows: QuerySet[Participant]) -> Response:
    page = parse_page(request.query_params)
    chosen = filtered(ParticipantFilter, request.query_params, rows)
    return ok(
        FETCHED,
        data=[shapes.participation(row) for row in queries.participant_rows(chosen[page.slice])],
        pagination=page.pagination(queries.bounded_total(chosen)),
    )


def _asked(request: Request, query: type[Any]) -> dict[str, int]:
    bound = query(data=request.query_params)
    bound.is_valid(raise_exception=True)
    values: dict[str, int] = bound.validated_data
    return values


def _current(session: Session) -> dict[str, Any]:
    return {"id": session.pk, "session": session.code, "time_start": iso_ms(session.starts_at)}


def _no_session(room_id: int) -> dict[str, Any]:
    return {
        "room_id": room_id,
        "latest_session_id": None,
        "session_status": None,
        "session_available": False,
        "can_join": False,
        "session_start_time": None,
        "message": "The room has no session",
    }
