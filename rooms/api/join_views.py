"""`/api/v1/game-join-rooms`: join, leave, and the participations (contract: rooms)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import AuthedNestViewSet
from core.observability import metrics
from core.wire.fields import checked
from core.wire.filtering import StrictFilterBackend
from core.wire.idempotency import idempotent
from core.wire.nest import ok
from core.wire.throttles import throttle_for
from rooms import entry, queries, wording
from rooms.api import outputs, schema
from rooms.api.filters import ParticipantFilter
from rooms.api.serializers import JoinInput, JoinQuery, LeaveInput, RoomQuery, SessionQuery
from rooms.errors import JoinerNotFound, RoomNotFound, SessionNotFound
from rooms.models import Participant, Session

# Seats are worth money: no joining faster than a person could, and none while the limits cannot be counted.
EntryThrottle = throttle_for("joins", fail_open=False)
WriteThrottle = AuthedNestViewSet.write_throttle


class GameJoinRoomViewSet(AuthedNestViewSet):
    """Participations: join, leave, and the lists."""

    write_throttle = EntryThrottle
    filter_backends = [StrictFilterBackend]
    filterset_class = ParticipantFilter

    @schema.list_participations
    def list(self, request: Request) -> Response:
        return self._participations(queries.participants())

    @schema.join
    @idempotent
    def create(self, request: Request) -> Response:
        values = checked(JoinInput, request.data)
        place = entry.join_session(
            room_id=values["room_id"],
            session_id=values["session_id"],
            player=self.caller,
            amount_minor=values["amount"],
            now=self.now,
            request_key=request.headers.get("Idempotency-Key"),
        )
        metrics.JOINS.inc()
        row = {**vars(place), **values, "status": Participant.Status.PAID, "user": vars(self.caller)}
        return ok(schema.JOINED, data=outputs.JOINED.of(row), status=201)

    @schema.leave
    @action(detail=False, methods=["post"])
    @idempotent
    def leave(self, request: Request) -> Response:
        """Give a place back while the session is pending."""
        departure = entry.leave_session(
            session_id=checked(LeaveInput, request.data)["session_id"],
            player=self.caller,
            now=self.now,
            request_key=request.headers.get("Idempotency-Key"),
        )
        return ok(schema.LEFT, data=outputs.LEFT.of({**vars(departure), "status": Participant.Status.LEFT}))

    @schema.list_by_room
    @action(detail=False, url_path="by-room")
    def by_room(self, request: Request) -> Response:
        """List participations of a room, of one of its sessions."""
        return self._participations(queries.participants())

    @schema.list_own
    @action(detail=False, url_path="joiner-by-room")
    def joiner_by_room(self, request: Request) -> Response:
        """List the caller's newest session per room."""
        return self._participations(queries.latest_participations(self.caller))

    @schema.list_joiners
    @action(detail=False)
    def joiners(self, request: Request) -> Response:
        """List the places in a session, given by itself or as its room's current one; without either, all places."""
        session = _chosen_session(request)
        chosen = self.filter_queryset(queries.entries_of([session.pk]) if session else queries.participants())
        page = self.paginate_queryset(chosen)
        return Response(
            {
                "data": outputs.JOINER.many(queries.participant_rows(page)),
                "totalAmount": wording.number(queries.paid_into(session)) if session else 0,
                "currentSession": outputs.JOINERS_SESSION.of(vars(session)) if session else None,
                "pagination": self.pagination(queries.bounded_total(chosen)),
            }
        )

    @schema.get_joiner
    @action(detail=False)
    def joiner(self, request: Request) -> Response:
        """Show one participation in detail."""
        row = queries.joiner_row(checked(JoinQuery, request.query_params)["join_id"])
        if row is None:
            raise JoinerNotFound()
        # Other players' addresses are not given away, whatever the documents' example shows.
        is_theirs = self.caller.is_staff or row["user__id"] == self.caller.pk
        email = row["user__email"] if is_theirs else None
        return Response(outputs.JOINER_ANSWER.of({**row, "user__email": email}))

    @schema.list_expired
    @action(detail=False, url_path="expired-sessions")
    def expired_sessions(self, request: Request) -> Response:
        """List the sessions that were called off, each with its participants."""
        chosen = queries.expired_sessions()
        sessions = list(self.paginate_queryset(chosen).values(*queries.SESSION_FIELDS))
        entries: dict[int, list[queries.Row]] = {session["id"]: [] for session in sessions}
        for row in queries.participant_rows(queries.entries_of(entries)):
            entries[row["session__id"]].append(row)
        data = outputs.EXPIRED.many({**session, "participants": entries[session["id"]]} for session in sessions)
        return Response({"data": data, "pagination": self.pagination(queries.bounded_total(chosen))})

    @schema.list_refunded
    @action(detail=False, url_path="joiners-refund")
    def joiners_refund(self, request: Request) -> Response:
        """List the participants a session refunded."""
        session_id = checked(SessionQuery, request.query_params)["session_id"]
        if queries.session_with_room(session_id) is None:
            raise SessionNotFound("Session not found")
        chosen = queries.refunded_in(session_id)
        page = queries.participant_rows(self.paginate_queryset(chosen))
        return ok(
            schema.REFUNDED,
            data=outputs.REFUNDED.many(page),
            pagination=self.pagination(queries.bounded_total(chosen)),
        )

    @schema.process_refund
    @action(detail=False, methods=["post"], url_path="process-refund", write_throttle=WriteThrottle)
    @idempotent
    def process_refund(self, request: Request) -> Response:
        """Show the record of a called-off session's refunds; they were made when it was called off."""
        session_id = checked(SessionQuery, request.query_params)["session_id"]
        session, rows = queries.recorded_refund(actor=self.caller, session_id=session_id)
        return ok(schema.PROCESSED, data=outputs.REFUND.of({"session": vars(session), "participants": rows}))

    @schema.check_new_session
    @action(detail=False, url_path="check-new-session")
    def check_new_session(self, request: Request) -> Response:
        """Tell whether the room has a session to join."""
        room_id = checked(RoomQuery, request.query_params)["room_id"]
        if not queries.room_exists(room_id):
            raise RoomNotFound()
        session = queries.latest_session(room_id)
        if session is None:
            return ok(schema.NONE, data=outputs.NEW_SESSION.of(_no_session(room_id)))
        row: dict[str, Any] = vars(session) | {"room_id": room_id, "now": self.now}
        row["can_join"] = outputs.is_joinable(row)
        row["session_available"] = session.status == Session.Status.PENDING and self.now < session.starts_at
        row["message"] = "You can join the new session now" if row["can_join"] else "Please wait for the next session"
        message = schema.AVAILABLE if row["session_available"] else schema.NOT_YET
        return ok(message, data=outputs.NEW_SESSION.of(row))

    def _participations(self, rows: QuerySet[Participant]) -> Response:
        chosen = self.filter_queryset(rows)
        page = queries.participant_rows(self.paginate_queryset(chosen))
        return ok(
            schema.FETCHED,
            data=outputs.PARTICIPATION.many(page),
            pagination=self.pagination(queries.bounded_total(chosen)),
        )


def _chosen_session(request: Request) -> Session | None:
    if "session_id" in request.query_params:
        session = queries.session_with_room(checked(SessionQuery, request.query_params)["session_id"])
        if session is None:
            raise SessionNotFound()
        return session
    if "room_id" in request.query_params:
        return queries.latest_session(checked(RoomQuery, request.query_params)["room_id"])
    return None


def _no_session(room_id: int) -> dict[str, Any]:
    return {
        "room_id": room_id,
        "id": None,
        "status": None,
        "session_available": False,
        "can_join": False,
        "starts_at": None,
        "message": "The room has no session",
    }
