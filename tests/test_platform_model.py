"""Random lives of a small platform against a model that fits in the head.

Masters make, edit, switch off and delete rooms; players join and leave; the clock moves; ticks run, some of them crash
half-way; staff void sessions. After every step the auditors find nothing (I1 to I11), and the model agrees on who owns
what, what each session's terms are (I13), and that a room has at most one live session (I12).
"""

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Game, User
from core.amounts import allocate
from core.errors import DomainError
from payments import adjustments
from rooms import closing, entry, errors, lifecycle, offers, prizes, tick
from rooms.models import Participant, Room, Session
from rooms.terms import TermsChange
from tests.support.books import balance, findings, nothing_moves

TABLES = [[10_000], [6_000, 4_000], [5_000, 3_000, 2_000]]
FEES = [1, 333, 1_000]
FUNDS = 3_000


@dataclass
class ModelSession:
    """What was promised when the session opened, and who is in it."""

    fee: int
    shares: list[int]
    seats: int
    entries: list[int] = field(default_factory=list)


class Platform(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.savepoint = transaction.savepoint()
        self.now = datetime(2026, 5, 1, tzinfo=UTC)
        self.master = User.objects.create(username="master", is_master=True)
        self.staff = User.objects.create(username="staff", is_staff=True, is_superuser=True)
        self.players = [User.objects.create(username=f"p{n}", wallet_address=f"w{n}") for n in range(4)]
        self.game = Game.objects.create(name="Lottery", symbol="LOTTO")
        token = adjustments.create_token(symbol="GOLD", name="Gold", decimals=2)
        for player in self.players:
            adjustments.deposit(
                user=player, token=token, amount_minor=FUNDS, reason="begin", actor=self.staff,
                request_key=str(player.pk), now=self.now,
            )  # fmt: skip
        self.owns = {player.pk: FUNDS for player in self.players}
        self.rooms: list[int] = []
        self.sessions: dict[int, ModelSession] = {}

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    # --- masters -------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.rooms) < 3)
    @rule(shares=st.sampled_from(TABLES), fee=st.sampled_from(FEES), more_seats=st.integers(0, 2))
    def create_room(self, shares, fee, more_seats):
        terms = {
            "actor": self.master,
            "game_id": self.game.pk,
            "name": f"room {len(self.rooms)}",
            "symbol": None,
            "entry_fee_minor": fee,
            "prize_table": [(rank, Decimal(share) / 100) for rank, share in enumerate(shares, start=1)],
            "max_participants": len(shares) + more_seats,
            "now": self.now,
        }
        if min(allocate(fee * len(shares), shares)) < 1:
            with nothing_moves(), pytest.raises(errors.RoomInvalid):
                offers.create_room(**terms)
            return
        self.rooms.append(offers.create_room(**terms).pk)
        self.note_new_sessions()

    @precondition(lambda self: self.rooms)
    @rule(data=st.data(), shares=st.sampled_from(TABLES), fee=st.sampled_from(FEES))
    def edit_room(self, data, shares, fee):
        change = TermsChange(entry_fee_minor=fee, prize_shares_bp=shares)
        self.attempt(
            lambda room_id: offers.edit_room(actor=self.master, room_id=room_id, change=change, now=self.now),
            data.draw(st.sampled_from(self.rooms)),
        )

    @precondition(lambda self: self.rooms)
    @rule(data=st.data(), on=st.booleans())
    def switch_room(self, data, on):
        self.attempt(
            lambda room_id: offers.switch_room(actor=self.master, room_id=room_id, on=on, now=self.now),
            data.draw(st.sampled_from(self.rooms)),
        )

    @precondition(lambda self: len(self.rooms) == 3)
    @rule(data=st.data())
    def delete_room(self, data):
        self.attempt(
            lambda room_id: offers.delete_room(actor=self.master, room_id=room_id, now=self.now),
            data.draw(st.sampled_from(self.rooms)),
        )

    def attempt(self, act, room_id):
        with contextlib.suppress(DomainError):
            act(room_id)

    # --- players -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), who=st.integers(0, 3))
    def join(self, data, who):
        session_id = data.draw(st.sampled_from(sorted(self.sessions)))
        player, model = self.players[who], self.sessions[session_id]
        session = Session.objects.select_related("room").get(pk=session_id)
        may = (
            session.room.status != "deleted"
            and session.status == "pending"
            and self.now < session.starts_at
            and player.pk not in model.entries
            and len(model.entries) < model.seats
            and self.owns[player.pk] >= model.fee
        )
        place = {
            "room_id": session.room_id,
            "session_id": session_id,
            "player": player,
            "amount_minor": model.fee,
            "now": self.now,
            "request_key": None,
        }
        if may:
            entry.join_session(**place)
            model.entries.append(player.pk)
            self.owns[player.pk] -= model.fee
        else:
            with nothing_moves(), pytest.raises(DomainError):
                entry.join_session(**place)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), who=st.integers(0, 3))
    def leave(self, data, who):
        session_id = data.draw(st.sampled_from(sorted(self.sessions)))
        player, model = self.players[who], self.sessions[session_id]
        session = Session.objects.get(pk=session_id)
        act = {"session_id": session_id, "player": player, "now": self.now, "request_key": None}
        if session.status == "pending" and self.now < session.starts_at and player.pk in model.entries:
            entry.leave_session(**act)
            model.entries.remove(player.pk)
            self.owns[player.pk] += model.fee
        else:
            with nothing_moves(), pytest.raises(DomainError):
                entry.leave_session(**act)

    # --- time ----------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 10, 60, 180, 3_600]))
    def clock_moves(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def tick(self):
        tick.advance(now=self.now)
        self.follow()

    @rule()
    def tick_crashes_before_its_commits(self):
        with (
            mock.patch.object(closing, "finish", side_effect=RuntimeError("power cut")),
            nothing_moves_if_over(),
        ):
            tick.advance(now=self.now)
        # Staff look at what failed and let it go on: five failures would set it aside.
        Session.objects.filter(failures__gt=0).update(failures=0, retry_at=None, quarantined_at=None)
        self.follow()

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def void(self, data):
        session_id = data.draw(st.sampled_from(sorted(self.sessions)))
        if Session.objects.get(pk=session_id).status in Session.LIVE:
            lifecycle.void_session(session_id=session_id, now=self.now, actor=self.staff, reason="model")
        else:
            with nothing_moves(), pytest.raises(errors.TransitionRefused):
                lifecycle.void_session(session_id=session_id, now=self.now, actor=self.staff, reason="model")
        self.follow()

    def follow(self):
        """Carry what became of the sessions over to the model: refunds in full, prizes by the promised table."""
        for session in Session.objects.filter(pk__in=self.sessions):
            model = self.sessions[session.pk]
            if session.status in ("out", "void"):
                for player_id in model.entries:
                    self.owns[player_id] += model.fee
                model.entries = []
            elif session.status == "ended" and model.entries:
                awards = prizes.award(
                    pool_minor=model.fee * len(model.entries), shares_bp=model.shares, entries=len(model.entries)
                )
                ranked = Participant.objects.filter(session=session, rank__isnull=False).order_by("rank")
                assert sorted(row.user_id for row in ranked) == sorted(model.entries)
                for row, award in zip(ranked, awards, strict=True):
                    self.owns[row.user_id] += award
                model.entries = []
        self.note_new_sessions()

    def note_new_sessions(self):
        for session in Session.objects.exclude(pk__in=self.sessions).select_related("room"):
            room = session.room
            assert (session.entry_fee_minor, session.prize_shares_bp) == (room.entry_fee_minor, room.prize_shares_bp)
            self.sessions[session.pk] = ModelSession(
                fee=session.entry_fee_minor, shares=list(session.prize_shares_bp), seats=session.max_participants
            )

    # --- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def the_auditors_find_nothing(self):
        if hasattr(self, "owns"):
            assert findings() == []

    @invariant()
    def everybody_owns_what_the_model_says(self):
        if hasattr(self, "owns"):
            assert {player.pk: balance(player) for player in self.players} == self.owns

    @invariant()
    def promised_terms_never_change(self):
        for session in Session.objects.filter(pk__in=getattr(self, "sessions", {})):
            model = self.sessions[session.pk]
            assert (session.entry_fee_minor, session.prize_shares_bp) == (model.fee, model.shares)

    @invariant()
    def a_room_has_at_most_one_live_session(self):
        for room in Room.objects.all():
            assert Session.objects.filter(room=room, status__in=Session.LIVE).count() <= 1


def nothing_moves_if_over():
    """A crash may let starts through, which close nothing; no session may be over that was live before."""

    class Guard:
        def __enter__(self):
            self.over = Session.objects.filter(status__in=Session.OVER).count()

        def __exit__(self, *problem):
            assert Session.objects.filter(status__in=Session.OVER).count() == self.over

    return Guard()


@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_any_life_of_the_platform_agrees_with_the_model():
    run_state_machine_as_test(
        Platform,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
