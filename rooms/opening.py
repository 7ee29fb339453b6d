"""Open a session of a locked room under its present terms (building block)."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from accounts.models import Game
from core.db.transactions import require_atomic
from core.security.secrets import encrypt
from payments import wallets
from payments.models import Escrow
from rooms import draw, events
from rooms.models import Room, Session
from rooms.transitions import record_transition
from rounds import contests
from rounds.models import Contest


def open_in(*, room: Room, now: datetime) -> Session:
    """A new pending session of the locked room: its terms are frozen and its draw is committed to from here on."""
    require_atomic()
    public_id = uuid.uuid4()
    seed = secrets.token_bytes(draw.SEED_BYTES)
    starts_at = now + timedelta(seconds=room.join_window_seconds)
    ends_at = starts_at + timedelta(seconds=room.run_seconds)
    session = Session.objects.create(
        public_id=public_id,
        room=room,
        code=str(int(now.timestamp() * 1000)),
        token=room.token,
        escrow=wallets.open_escrow(controller=Escrow.Controller.SESSION, token=room.token),
        contest=_open_contest(room.game, starts_at, ends_at, now),
        entry_fee_minor=room.entry_fee_minor,
        prize_shares_bp=room.prize_shares_bp,
        max_participants=room.max_participants,
        result_mode=room.game.result_mode,
        score_order=room.game.score_order,
        opens_at=now,
        starts_at=starts_at,
        ends_at=ends_at,
        seed_encrypted=encrypt(seed),
        draw_commit=draw.commit(session_id=str(public_id), seed=seed),
    )
    record_transition(session=session, before="", now=now, reason=gettext_noop("opened"))
    room.current_session = session
    room.next_open_at = None
    room.open_failures = 0
    room.save(update_fields=["current_session", "next_open_at", "open_failures"])
    events.record(
        room=room,
        session=session,
        type=events.Type.OPENED,
        payload={
            "session": session.code,
            "starts_at": session.starts_at,
            "ends_at": session.ends_at,
            "entry_fee_minor": session.entry_fee_minor,
            "prize_shares_bp": session.prize_shares_bp,
            "max_participants": session.max_participants,
            "draw_commit": session.draw_commit,
        },
        now=now,
    )
    return session


def _open_contest(game: Game, starts_at: datetime, ends_at: datetime, now: datetime) -> Contest | None:
    """Where the players of a score-decided session are scored while it runs; ``None`` for the other result modes."""
    if game.result_mode != Game.ResultMode.SCORE:
        return None
    return contests.open_contest(
        game=game,
        controller=Contest.Controller.SESSION,
        score_order=game.score_order,
        opens_at=starts_at,
        closes_at=ends_at,
        now=now,
    )
