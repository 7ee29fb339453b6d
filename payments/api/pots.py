"""The routes under /api/game and /api/task: each POST is a job, done at once (``sync``) or soon (contract, "Rooms")."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import DatabaseError, connection
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import clock
from core.wire import plyr
from payments import allowances, jobs, player_access, pot_queries, pots, tasks
from payments.api import inputs, outputs
from payments.api import pot_schema as schema
from payments.api.base import SEGMENT, SignedViewSet
from payments.errors import AllowanceExceeded
from payments.models import Job
from payments.pot_rows import Order, Seat

logger = logging.getLogger(__name__)

# "> 25 s → 504" (contract, "Sync and async").
SYNC_WAIT_SECONDS = 25.0
SYNC_POLL_SECONDS = 0.2

SAME_LENGTH = "Tokens and amounts must be the same length"
_TASK_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class PotViewSet(SignedViewSet):
    """A game's rooms. A repeated request finds the first one's job before anything is checked again."""

    @schema.create
    @action(detail=False, methods=["post"], url_path="create", url_name="create")
    def make(self, request: Request) -> Response:
        return self._job(Job.Kind.CREATE, self._new_pot)

    @schema.join
    @action(detail=False, methods=["post"])
    def join(self, request: Request) -> Response:
        return self._job(Job.Kind.JOIN, self._joining)

    @schema.leave
    @action(detail=False, methods=["post"])
    def leave(self, request: Request) -> Response:
        return self._job(Job.Kind.LEAVE, self._leaving)

    @schema.pay
    @action(detail=False, methods=["post"])
    def pay(self, request: Request) -> Response:
        return self._job(Job.Kind.PAY, self._paying)

    @schema.earn
    @action(detail=False, methods=["post"])
    def earn(self, request: Request) -> Response:
        return self._job(Job.Kind.EARN, partial(self._distributions, uneven=_uneven(400), leaving=False))

    @schema.end
    @action(detail=False, methods=["post"])
    def end(self, request: Request) -> Response:
        return self._job(Job.Kind.END, self._named_pot)

    @schema.close
    @action(detail=False, methods=["post"])
    def close(self, request: Request) -> Response:
        return self._job(Job.Kind.CLOSE, self._named_pot)

    @schema.create_join_pay
    @action(detail=False, methods=["post"], url_path="createJoinPay", url_name="create-join-pay")
    def create_join_pay(self, request: Request) -> Response:
        return self._job(Job.Kind.CREATE_JOIN_PAY, self._opening)

    @schema.join_pay
    @action(detail=False, methods=["post"], url_path="joinPay", url_name="join-pay")
    def join_pay(self, request: Request) -> Response:
        return self._job(Job.Kind.JOIN_PAY, self._entering)

    @schema.earn_leave
    @action(detail=False, methods=["post"], url_path="earnLeave", url_name="earn-leave")
    def earn_leave(self, request: Request) -> Response:
        return self._job(Job.Kind.EARN_LEAVE, partial(self._distributions, uneven=plyr.bad_input(), leaving=True))

    @schema.earn_leave_end
    @action(detail=False, methods=["post"], url_path="earnLeaveEnd", url_name="earn-leave-end")
    def earn_leave_end(self, request: Request) -> Response:
        return self._job(Job.Kind.EARN_LEAVE_END, partial(self._distributions, uneven=plyr.bad_input(), leaving=True))

    @schema.is_joined
    @action(detail=False, url_path="isJoined", url_name="is-joined")
    def is_joined(self, request: Request) -> Response:
        if not request.query_params.get("plyrId"):
            raise plyr.Refused(400, "plyrId is required", code="PLYR_ID_REQUIRED")
        plyr_id = inputs.plyr_id(request.query_params)
        number = inputs.pot_number(request.query_params)
        is_joined = pot_queries.is_joined(game_id=self.game.pk, number=number, plyr_id=plyr_id)
        return Response(outputs.JOINED.of({"isJoined": is_joined}))

    @schema.room
    @action(detail=False, url_path=f"room/(?P<room_id>{SEGMENT})", url_name="room")
    def room(self, request: Request, room_id: str) -> Response:
        number = inputs.pot_number({"roomId": room_id})
        return Response(outputs.ROOM.of(pot_queries.view(game_id=self.game.pk, number=number)))

    # --- What a body asks for, checked as far as can be without a lock ------------------------------------------------

    def _new_pot(self, body: dict[str, Any]) -> Order:
        return Order(
            lifetime_seconds=inputs.whole_number(body, "expiresIn", maximum=pots.LIFETIME_SECONDS_MAX),
            capacity=inputs.whole_number(body, "maxPlayers", maximum=pots.CAPACITY_MAX),
        )

    def _joining(self, body: dict[str, Any]) -> Order:
        seats = self._seats(body)
        return Order(pot_number=self._pot_number(body, []), seats=tuple(seats))

    def _leaving(self, body: dict[str, Any]) -> Order:
        seats = self._seats(body)
        return Order(pot_number=self._pot_number(body, seats), seats=tuple(seats))

    def _paying(self, body: dict[str, Any]) -> Order:
        order = self._payments(body, players_uneven=_uneven(401))
        return replace(order, pot_number=self._pot_number(body, list(order.seats)))

    def _opening(self, body: dict[str, Any]) -> Order:
        paying = self._payments(body, players_uneven=plyr.bad_input())
        return replace(self._new_pot(body), seats=paying.seats, rows=paying.rows)

    def _entering(self, body: dict[str, Any]) -> Order:
        order = self._payments(body, players_uneven=plyr.bad_input())
        return replace(order, pot_number=self._pot_number(body, []))

    def _named_pot(self, body: dict[str, Any]) -> Order:
        return Order(pot_number=self._pot_number(body, []))

    def _seats(self, body: dict[str, Any]) -> list[Seat]:
        """The players whose session tokens were sent."""
        shown = inputs.session_tokens(body)
        return inputs.seats(player_access.bearers(tokens=shown, game=self.game, now=self.now))

    def _pot_number(self, body: dict[str, Any], seats: list[Seat], *, past_too: bool = False) -> int:
        """The game's room of ``roomId``, with all of ``seats`` in it (``past_too``: or once in it)."""
        number = inputs.pot_number(body)
        pot = pot_queries.pot_of(game_id=self.game.pk, number=number)
        if seats:
            pot_queries.require_members(pot=pot, seats=seats, past_too=past_too)
        return number

    def _payments(self, body: dict[str, Any], *, players_uneven: plyr.Refused) -> Order:
        """Who pays what, within their allowances. In the contract's order: players, tokens, lengths, allowances."""
        seats = self._seats(body)
        given = inputs.stakes(body, uneven=_uneven(401))
        rows = inputs.rows(seats, given, uneven=players_uneven)
        short = allowances.exceeded_by(game_id=self.game.pk, rows=rows, now=self.now)
        if short:
            raise AllowanceExceeded(short)
        return Order(seats=tuple(seats), rows=rows)

    def _distributions(self, body: dict[str, Any], *, uneven: plyr.Refused, leaving: bool) -> Order:
        """Who earns what from which room."""
        given = inputs.stakes(body, uneven=uneven)
        seats = pot_queries.seats_of(inputs.plyr_ids(body))
        rows = inputs.rows(seats, given, uneven=uneven)
        number = self._pot_number(body, seats, past_too=not leaving)
        return Order(pot_number=number, seats=tuple(seats), rows=rows)

    # --- The job ------------------------------------------------------------------------------------------------------

    def _job(self, kind: Job.Kind, read: Callable[[dict[str, Any]], Order]) -> Response:
        """The job of this request: done here with ``sync``, else soon. ``read`` makes the order of the body."""
        body = self.body()
        digest = self.request_digest
        job = jobs.find_request(client_id=self.client.pk, request_digest=digest)
        if job is None:
            order = read(body)
            if kind == Job.Kind.JOIN and self._are_all_in(order):
                # "all already in → 200" (contract, /game/join).
                return Response(outputs.MESSAGE.of({"message": "All players are already joined"}))
            job = jobs.submit(
                client=self.client,
                kind=kind,
                order=order,
                memo=self._memo(kind, order),
                request_digest=digest,
                now=self.now,
            )
            logger.info("job %s is asked for: %s", job.public_id, kind)
        if job.kind != kind:
            # Redis lost its memory of this signature; the job has not.
            raise plyr.signature_used()
        return _answer_when_done(job) if inputs.is_true(body, "sync") else _answer_with_handle(job)

    def _are_all_in(self, order: Order) -> bool:
        assert order.pot_number is not None
        pot = pot_queries.pot_of(game_id=self.game.pk, number=order.pot_number)
        return not pot_queries.not_members(pot=pot, seats=order.seats, past_too=False)

    def _memo(self, kind: Job.Kind, order: Order) -> dict[str, Any]:
        """The request as the finished task repeats it."""
        memo: dict[str, Any] = {"gameId": player_access.game_public_id(self.game)}
        if order.pot_number is not None:
            memo["roomId"] = str(order.pot_number)
        if kind in (Job.Kind.CREATE, Job.Kind.CREATE_JOIN_PAY):
            memo["expiresIn"] = order.lifetime_seconds or pots.LIFETIME_SECONDS_DEFAULT
        if order.seats:
            memo["plyrIds"] = [seat.plyr_id for seat in order.seats]
        if order.rows:
            memo["tokens"] = [outputs.token_name(row.symbol) for row in order.rows]
            memo["amounts"] = [plyr.amount_value(row.amount_minor, decimals=row.decimals) for row in order.rows]
        return memo


class TaskViewSet(SignedViewSet):
    """The game's jobs, by their ids."""

    lookup_url_kwarg = "task_id"
    lookup_value_regex = SEGMENT

    @schema.task
    def retrieve(self, request: Request, task_id: str) -> Response:
        if not _TASK_ID.fullmatch(task_id):
            return Response(outputs.task_status(None))
        return Response(outputs.task_status(jobs.find(game_id=self.game.pk, public_id=uuid.UUID(task_id))))


def _uneven(status: int) -> plyr.Refused:
    """ "lengths differ 401 (pay family), 400 (earn)" (contract, "Rooms", validation)."""
    return plyr.Refused(status, SAME_LENGTH, code="LENGTHS_DIFFER")


def _answer_with_handle(job: Job) -> Response:
    if job.finished_at is None:
        _hint(job)
    return Response(outputs.TASK_HANDLE.of(job))


def _hint(job: Job) -> None:
    """Tell a worker. When the broker is down the tick finds the job all the same."""
    try:
        tasks.run_job.apply_async((str(job.public_id),), retry=False)
    except Exception as error:
        logger.warning("job %s waits for the tick: no worker could be told (%s)", job.public_id, type(error).__name__)


def _answer_when_done(job: Job) -> Response:
    """Do the job here, or wait while another process does it; after ``SYNC_WAIT_SECONDS`` it goes on without us."""
    give_up_at = time.monotonic() + SYNC_WAIT_SECONDS
    _run_here(job)
    while True:
        job.refresh_from_db()
        if job.finished_at is not None:
            return Response(outputs.task_now(job))
        if time.monotonic() >= give_up_at:
            return Response(outputs.TASK_TIMED_OUT.of(job), status=504)
        time.sleep(SYNC_POLL_SECONDS)
        if job.due_at <= clock.now():
            _run_here(job)


def _run_here(job: Job) -> None:
    try:
        jobs.run(public_id=job.public_id, now=clock.now())
    except DatabaseError as error:
        logger.warning("job %s could not be run here (%s)", job.public_id, type(error).__name__)
        connection.close_if_unusable_or_obsolete()
