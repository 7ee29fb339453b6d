"""What `void_session` and `refund_session` share: end one session and refund everybody in it."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.actors import add_actor_argument, named_actor
from core.amounts import format_amount_fixed
from core.db import clock
from core.errors import DomainError
from rooms import queries
from rooms.models import Outcome, Session

_REASON_LENGTH_MAX = 200


class RefundingCommand(BaseCommand):
    """Base: a subclass names the use case and the states it applies to."""

    end: ClassVar[Callable[..., None]]
    applies_to: ClassVar[tuple[str, ...]]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("session_id", type=int)
        parser.add_argument("--reason", required=True, help="why; players see it in the room's stream")
        add_actor_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be refunded")

    def handle(self, *args: Any, **options: Any) -> None:
        session_id, actor = options["session_id"], named_actor(options)
        if not 1 <= len(options["reason"].strip()) <= _REASON_LENGTH_MAX:
            raise CommandError(f"--reason must have 1 to {_REASON_LENGTH_MAX} characters.")
        session = self._session(session_id)
        outcome = queries.outcome(session_id)
        if outcome is not None and outcome.kind == Outcome.Kind.REFUNDED:
            self.stdout.write(f"Session {session_id} was refunded before ({outcome.entries} entries). Nothing to do.")
            return
        if session.status not in self.applies_to:
            raise CommandError(f"Session {session_id} is {session.status}: {self._why_not(session)}")
        if options["dry_run"]:
            total = _amount(session.participants_count * session.entry_fee_minor, session)
            self.stdout.write(
                f"Would end session {session_id} ({session.status}) and refund {session.participants_count} entries,"
                f" {total}."
            )
            return
        try:
            type(self).end(session_id=session_id, now=clock.now(), actor=actor, reason=options["reason"].strip())
        except DomainError as refusal:
            raise CommandError(f"Session {session_id} was left as it is. {refusal.message}.") from refusal
        done = Outcome.objects.get(pk=session_id)
        self.stdout.write(
            self.style.SUCCESS(
                f"Session {session_id} is {self._session(session_id).status}: {done.entries} entries refunded,"
                f" {_amount(done.pool_minor, session)}."
            )
        )

    def _session(self, session_id: int) -> Session:
        session = Session.objects.select_related("token").filter(pk=session_id).first()
        if session is None:
            raise CommandError(f"There is no session {session_id}.")
        return session

    def _why_not(self, session: Session) -> str:
        if session.status == Session.Status.RUNNING:
            return "void_session ends a running one."
        return "its prizes were paid, and paid prizes stay paid."


def _amount(minor: int, session: Session) -> str:
    return f"{format_amount_fixed(minor, decimals=session.token.decimals)} {session.token.symbol}"
