"""The routes under /api/game and /api/task: each POST is a job, done at once (``sync``) or soon (contract, "Rooms")."""

import logging
import re
import time
import uuid
from dataclasses import replace
from typing import Any, ClassVar

from django.db import DatabaseError, connection
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import clock
from core.wire import plyr
from payments import allowances, jobs, player_access, pot_queries, pots, tasks
from payments.api import inputs, outputs
from payments.api.authentication import request_digest
from payments.api.base import SignedView
from payments.errors import AllowanceExceeded
from payments.models import Job
from payments.pot_rows import Order, Seat

logger = logging.getLogger(__name__)

# "> 25 s → 504" (contract, "Sync and async").
SYNC_WAIT_SECONDS = 25.0
SYNC_POLL_SECONDS = 0.2

SAME_LENGTH = "Tokens and amounts must be the same length"
_TASK_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class JobView(SignedView):
    """A POST that becomes a job. A repeated request finds the first one's job before anything is checked again."""

    kind: ClassVar[Job.Kind]

    def order(self, body: dict[str, Any]) -> Order:
        """What the body asks for, checked as far as can be without a lock."""
        raise NotImplementedError

    def shortcut(self, order: Order) -> dict[str, Any] | None:
        """The answer when there is nothing to do."""
        return None

    def post(self, request: Request) -> Response:
        body = self.body()
        digest = request_digest(request)
        job = jobs.find_request(client_id=self.client.pk, request_digest=digest)
        if job is None:
            order = self.order(body)
            answer = self.shortcut(order)
            if answer is not None:
                return Response(answer)
            job = jobs.submit(
                client=self.client,
                kind=self.kind,
                order=order,
                memo=self._memo(body, order),
                request_digest=digest,
                now=self.now,
            )
            logger.info("job %s is asked for: %s", job.public_id, self.kind)
        return _answer_when_done(job) if inputs.is_true(body, "sync") else _answer_with_handle(job)

    def _memo(self, body: dict[str, Any], order: Order) -> dict[str, Any]:
        """The request as the finished task repeats it."""
        memo: dict[str, Any] = {"gameId": player_access.game_public_id(self.game)}
        if order.pot_number is not None:
            memo["roomId"] = str(order.pot_number)
        if self.kind in (Job.Kind.CREATE, Job.Kind.CREATE_JOIN_PAY):
            memo["expiresIn"] = order.lifetime_seconds or pots.LIFETIME_SECONDS_DEFAULT
        if order.seats:
            memo["plyrIds"] = [seat.plyr_id for seat in order.seats]
        if order.rows:
            memo["tokens"] = [outputs.token_name(row.symbol) for row in order.rows]
            memo["amounts"] = [plyr.amount_value(row.amount_minor, decimals=row.decimals) for row in order.rows]
        return memo

    def seats(self, body: dict[str, Any]) -> list[Seat]:
        """The players whose session tokens were sent."""
        shown = inputs.session_tokens(body)
        return inputs.seats(player_access.bearers(tokens=shown, game=self.game, now=self.now))

    def pot_number(self, body: dict[str, Any], seats: list[Seat], *, past_too: bool = False) -> int:
        """The game's room of ``roomId``, with all of ``seats`` in it (``past_too``: or once in it)."""
        number = inputs.pot_number(body)
        pot = pot_queries.pot_of(game_id=self.game.pk, number=number)
        if seats:
            pot_queries.require_members(pot=pot, seats=seats, past_too=past_too)
        return number

    def new_pot(self, body: dict[str, Any]) -> Order:
        """The terms of a room to be made."""
        return Order(
            lifetime_seconds=inputs.whole_number(body, "expiresIn", maximum=pots.LIFETIME_SECONDS_MAX),
            capacity=inputs.whole_number(body, "maxPlayers", maximum=pots.CAPACITY_MAX),
        )

    def payments(self, body: dict[str, Any], *, players_uneven: plyr.Refused) -> Order:
        """Who pays what, within their allowances. In the contract's order: players, tokens, lengths, allowances."""
        seats = self.seats(body)
        given = inputs.stakes(body, uneven=_uneven(401))
        rows = inputs.rows(seats, given, uneven=players_uneven)
        short = allowances.exceeded_by(game_id=self.game.pk, rows=rows, now=self.now)
        if short:
            raise AllowanceExceeded(short)
        return Order(seats=tuple(seats), rows=rows)

    def distributions(self, body: dict[str, Any], *, uneven: plyr.Refused, leaving: bool) -> Order:
        """Who earns what from which room."""
        given = inputs.stakes(body, uneven=uneven)
        seats = pot_queries.seats_of(inputs.plyr_ids(body))
        rows = inputs.rows(seats, given, uneven=uneven)
        number = self.pot_number(body, seats, past_too=not leaving)
        return Order(pot_number=number, seats=tuple(seats), rows=rows)


class CreateView(JobView):
    kind = Job.Kind.CREATE

    def order(self, body: dict[str, Any]) -> Order:
        return self.new_pot(body)


class JoinView(JobView):
    kind = Job.Kind.JOIN

    def order(self, body: dict[str, Any]) -> Order:
        seats = self.seats(body)
        return Order(pot_number=self.pot_number(body, []), seats=tuple(seats))

    def shortcut(self, order: Order) -> dict[str, Any] | None:
        assert order.pot_number is not None
        pot = pot_queries.pot_of(game_id=self.game.pk, number=order.pot_number)
        if pot_queries.not_members(pot=pot, seats=order.seats, past_too=False):
            return None
        # "all already in → 200" (contract, /game/join).
        return {"message": "All players are already joined"}


class LeaveView(JobView):
    kind = Job.Kind.LEAVE

    def order(self, body: dict[str, Any]) -> Order:
        seats = self.seats(body)
        return Order(pot_number=self.pot_number(body, seats), seats=tuple(seats))


class PayView(JobView):
    kind = Job.Kind.PAY

    def order(self, body: dict[str, Any]) -> Order:
        order = self.payments(body, players_uneven=_uneven(401))
        return replace(order, pot_number=self.pot_number(body, list(order.seats)))


class EarnView(JobView):
    kind = Job.Kind.EARN

    def order(self, body: dict[str, Any]) -> Order:
        return self.distributions(body, uneven=_uneven(400), leaving=False)


class EndView(JobView):
    kind = Job.Kind.END

    def order(self, body: dict[str, Any]) -> Order:
        return Order(pot_number=self.pot_number(body, []))


class CloseView(EndView):
    kind = Job.Kind.CLOSE


class CreateJoinPayView(JobView):
    kind = Job.Kind.CREATE_JOIN_PAY

    def order(self, body: dict[str, Any]) -> Order:
        paying = self.payments(body, players_uneven=plyr.bad_input())
        return replace(self.new_pot(body), seats=paying.seats, rows=paying.rows)


class JoinPayView(JobView):
    kind = Job.Kind.JOIN_PAY

    def order(self, body: dict[str, Any]) -> Order:
        order = self.payments(body, players_uneven=plyr.bad_input())
        return replace(order, pot_number=self.pot_number(body, []))


class EarnLeaveView(JobView):
    kind = Job.Kind.EARN_LEAVE

    def order(self, body: dict[str, Any]) -> Order:
        return self.distributions(body, uneven=plyr.bad_input(), leaving=True)


class EarnLeaveEndView(EarnLeaveView):
    kind = Job.Kind.EARN_LEAVE_END


class TaskView(SignedView):
    def get(self, request: Request, task_id: str) -> Response:
        if not _TASK_ID.fullmatch(task_id):
            return Response(outputs.task_status(None))
        return Response(outputs.task_status(jobs.find(game_id=self.game.pk, public_id=uuid.UUID(task_id))))


class RoomView(SignedView):
    def get(self, request: Request, room_id: str) -> Response:
        number = inputs.pot_number({"roomId": room_id})
        return Response(outputs.room(pot_queries.view(game_id=self.game.pk, number=number)))


class IsJoinedView(SignedView):
    def get(self, request: Request) -> Response:
        if not request.query_params.get("plyrId"):
            raise plyr.Refused(400, "plyrId is required", code="PLYR_ID_REQUIRED")
        plyr_id = inputs.plyr_id(request.query_params)
        number = inputs.pot_number(request.query_params)
        return Response({"isJoined": pot_queries.is_joined(game_id=self.game.pk, number=number, plyr_id=plyr_id)})


def _uneven(status: int) -> plyr.Refused:
    """ "lengths differ 401 (pay family), 400 (earn)" (contract, "Rooms", validation)."""
    return plyr.Refused(status, SAME_LENGTH, code="LENGTHS_DIFFER")


def _answer_with_handle(job: Job) -> Response:
    if job.finished_at is None:
        _hint(job)
    return Response(outputs.task_handle(job))


def _hint(job: Job) -> None:
    """Tell a worker. When the broker is down the tick finds the job all the same."""
    try:
        tasks.run_job.apply_async((str(job.public_id),), retry=False)
    except Exception as error:
        logger.warning("job %s waits for the tick: no worker could be told (%s)", job.public_id, type(error).__name__)


def _answer_when_done(job: Job) -> Response:
    """Do the job here, or wait while somebody else does; after ``SYNC_WAIT_SECONDS`` it goes on without us."""
    give_up_at = time.monotonic() + SYNC_WAIT_SECONDS
    _run_here(job)
    while True:
        job.refresh_from_db()
        if job.finished_at is not None:
            return Response(outputs.finished_sync(job))
        if time.monotonic() >= give_up_at:
            return Response(outputs.timed_out(job), status=504)
        time.sleep(SYNC_POLL_SECONDS)
        if job.due_at <= clock.now():
            _run_here(job)


def _run_here(job: Job) -> None:
    try:
        jobs.run(public_id=job.public_id, now=clock.now())
    except DatabaseError as error:
        logger.warning("job %s could not be run here (%s)", job.public_id, type(error).__name__)
        connection.close_if_unusable_or_obsolete()
