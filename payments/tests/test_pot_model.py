"""Any sequence of operations on pots does what a few dictionaries say it does, and leaves the books right."""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts.models import ApiClient, Game, User
from payments import allowances, jobs, wallets
from payments.models import Account, Allowance, Job, PlayerProfile, Pot
from payments.players import insert_player, set_pot_game
from payments.pot_rows import Order, Row, Seat
from tests.support.books import deposit
from tests.support.pots import pot_findings

pytestmark = pytest.mark.django_db

PLAYERS = range(3)
TOKENS = range(2)
FEE_BP = 300
FUNDS_MINOR, ALLOWED_MINOR = 1_000, 700

some_players = st.lists(st.sampled_from(PLAYERS), min_size=1, max_size=3)
amounts = st.integers(0, 120) | st.integers(0, 900)
NO_SUCH_ROOM = 99


@dataclass
class Model:
    """What a pot should be."""

    deadline: datetime
    capacity: int | None
    status: str = "open"
    inside: set[int] = field(default_factory=set)
    ever: set[int] = field(default_factory=set)
    held: dict[int, int] = field(default_factory=lambda: dict.fromkeys(TOKENS, 0))


class Refused(Exception):
    """The model says no; what it had changed by then is forgotten."""


class PotMachine(RuleBasedStateMachine):
    numbers = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        # One run's rows, undone at its end; to the use cases it is the test's own transaction, as Django's TestCase
        # marks it.
        run: Any = transaction.atomic()
        self.run = run
        self.run._from_testcase = True
        self.run.__enter__()
        tag = f"m{next(self.numbers)}"
        self.now = datetime(2031, 5, 1, tzinfo=UTC)
        self.game = Game.objects.create(name=tag, symbol=tag.upper())
        self.client = ApiClient.objects.create(name=tag, game=self.game)
        self.owner = User.objects.create_user(f"{tag}-owner")
        set_pot_game(game=self.game, public_id=None, owner=self.owner)
        self.tokens = [wallets.ensure_token(symbol=f"{tag.upper()}_{n}", name=tag, decimals=2) for n in TOKENS]
        self.people = [
            insert_player(plyr_id=f"{tag}-player-{n}", user=None, otp_secret=None, now=self.now) for n in PLAYERS
        ]
        self.purses = {(p, t): FUNDS_MINOR for p in PLAYERS for t in TOKENS}
        self.allowed = {(p, t): ALLOWED_MINOR for p in PLAYERS for t in TOKENS}
        self.house = dict.fromkeys(TOKENS, 0)
        self.returned = dict.fromkeys(TOKENS, 0)
        self.pots: dict[int, Model] = {}
        for player in self.people:
            self._fund(player)
        self.allow_again()

    def teardown(self) -> None:
        assert pot_findings() == []
        transaction.set_rollback(True)
        self.run.__exit__(None, None, None)

    @rule()
    def allow_again(self) -> None:
        for player in self.people:
            allowances.grant(
                player_id=player.pk,
                game_id=self.game.pk,
                amounts_minor={token.pk: ALLOWED_MINOR for token in self.tokens},
                expires_at=None,
            )
        self.allowed = dict.fromkeys(self.allowed, ALLOWED_MINOR)

    @rule(minutes=st.integers(1, 12))
    def time_passes(self, minutes) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: len(self.pots) < 5)
    @rule(capacity=st.none() | st.integers(1, 3))
    def create(self, capacity) -> None:
        self.do(Job.Kind.CREATE, None, [], [], capacity)

    @precondition(lambda self: len(self.pots) < 5)
    @rule(capacity=st.none() | st.integers(2, 3), data=st.data())
    def create_join_pay(self, capacity, data) -> None:
        rows = self.draw_rows(data, data.draw(some_players))
        self.do(Job.Kind.CREATE_JOIN_PAY, None, [row[0] for row in rows], rows, capacity)

    @rule(data=st.data(), people=some_players)
    def join(self, data, people) -> None:
        self.do(Job.Kind.JOIN, self.draw_room(data), people, [])

    @rule(data=st.data())
    def leave(self, data) -> None:
        number = self.draw_room(data)
        self.do(Job.Kind.LEAVE, number, self.draw_players(data, number), [])

    @rule(data=st.data(), kind=st.sampled_from([Job.Kind.PAY, Job.Kind.JOIN_PAY]))
    def pay(self, data, kind) -> None:
        number = self.draw_room(data)
        rows = self.draw_rows(data, self.draw_players(data, number))
        self.do(kind, number, [row[0] for row in rows], rows)

    @rule(data=st.data(), kind=st.sampled_from([Job.Kind.EARN, Job.Kind.EARN_LEAVE, Job.Kind.EARN_LEAVE_END]))
    def earn(self, data, kind) -> None:
        number = self.draw_room(data)
        rows = self.draw_rows(data, self.draw_players(data, number))
        self.do(kind, number, [row[0] for row in rows], rows)

    @precondition(lambda self: any(any(pot.held.values()) for pot in self.pots.values()))
    @rule(data=st.data(), kind=st.sampled_from([Job.Kind.EARN, Job.Kind.EARN_LEAVE, Job.Kind.EARN_LEAVE_END]))
    def earn_all(self, data, kind) -> None:
        number = data.draw(st.sampled_from([n for n, pot in self.pots.items() if any(pot.held.values())]))
        pot = self.pots[number]
        winner = data.draw(st.sampled_from(sorted(pot.ever)))
        rows = [(winner, token, held) for token, held in pot.held.items() if held]
        self.do(kind, number, [winner] * len(rows), rows)

    @rule(data=st.data(), kind=st.sampled_from([Job.Kind.END, Job.Kind.CLOSE]))
    def finish(self, data, kind) -> None:
        self.do(kind, self.draw_room(data), [], [])

    def draw_room(self, data) -> int:
        """Mostly a room there is."""
        return data.draw(st.sampled_from([*self.pots, *self.pots, NO_SUCH_ROOM]))

    def draw_players(self, data, number: int) -> list[int]:
        """Mostly players in that room, if any are."""
        inside = sorted(self.pots[number].inside) if number in self.pots else []
        within = st.lists(st.sampled_from(inside or PLAYERS), min_size=1, max_size=3)
        return data.draw(within | within | some_players)

    def draw_rows(self, data, players: list[int]) -> list[tuple[int, int, int]]:
        """An amount of some token for each."""
        return [(player, data.draw(st.sampled_from(TOKENS)), data.draw(amounts)) for player in players]

    @invariant()
    def the_database_says_the_same(self) -> None:
        in_tokens = {token.pk: n for n, token in enumerate(self.tokens)}
        owners = {player.user_id: n for n, player in enumerate(self.people)}
        purses = Account.objects.filter(kind="wallet", owner_id__in=owners, token_id__in=in_tokens)
        assert {(owners[a.owner_id], in_tokens[a.token_id]): a.balance_minor for a in purses} == self.purses
        left = Allowance.objects.filter(game=self.game).select_related("player")
        assert {(owners[a.player.user_id], in_tokens[a.token_id]): a.amount_minor for a in left} == self.allowed
        for number, pot in self.pots.items():
            real = Pot.objects.get(game=self.game, number=number)
            assert (real.status, real.members_count) == (pot.status, len(pot.inside))
            held = {in_tokens[a.token_id]: a.balance_minor for a in Account.objects.filter(escrow=real.escrow_id)}
            assert {**dict.fromkeys(TOKENS, 0), **held} == pot.held
        assert Pot.objects.filter(game=self.game).count() == len(self.pots)
        for kind, owner, sums in (("house", None, self.house), ("wallet", self.owner, self.returned)):
            found = Account.objects.filter(kind=kind, owner=owner, token_id__in=in_tokens)
            held = {in_tokens[a.token_id]: a.balance_minor for a in found}
            assert {**dict.fromkeys(TOKENS, 0), **held} == sums

    def do(self, kind: str, number: int | None, people: list[int], rows: list, capacity: int | None = None) -> None:
        """The operation on both, which must agree on whether it may be done."""
        kept = self._copy()
        try:
            self._do_in_model(kind, number, people, rows, capacity)
            expected = "success"
        except Refused:
            self._restore(kept)
            expected = "failed"
        order = Order(
            pot_number=number,
            lifetime_seconds=3_600,
            capacity=capacity,
            seats=tuple(Seat(player_id=self.people[p].pk, plyr_id=self.people[p].plyr_id) for p in people),
            rows=tuple(self._row(*row) for row in rows),
        )
        job = jobs.submit(
            client=self.client,
            kind=Job.Kind(kind),
            order=order,
            memo={},
            request_digest=uuid.uuid4().bytes,
            now=self.now,
        )
        assert jobs.run(public_id=job.public_id, now=self.now)
        job.refresh_from_db()
        assert job.status == expected, job.error_message

    def _do_in_model(self, kind: str, number: int | None, people: list[int], rows: list, capacity: int | None) -> None:
        if number is None:
            number = len(self.pots) + 1
            self.pots[number] = Model(deadline=self.now + timedelta(hours=1), capacity=capacity)
        pot: Any = self.pots.get(number)
        steps: list[Any] = {
            "create": [],
            "join": [self._join],
            "leave": [self._leave],
            "pay": [self._pay],
            "earn": [self._earn],
            "end": [self._end],
            "close": [self._close],
            "create_join_pay": [self._join, self._pay],
            "join_pay": [self._join, self._pay],
            "earn_leave": [self._earn, self._leave],
            "earn_leave_end": [self._earn, self._leave, self._end],
        }[str(kind)]
        self._require(pot is not None)
        for step in steps:
            step(pot, people, rows)

    def _join(self, pot: Model, people, rows) -> None:
        self._require(pot.status == "open")
        coming = set(people) - pot.inside
        self._require(not coming or self.now < pot.deadline)
        self._require(pot.capacity is None or len(pot.inside | coming) <= pot.capacity)
        pot.inside |= coming
        pot.ever |= coming

    def _leave(self, pot: Model, people, rows) -> None:
        self._require(set(people) <= pot.inside)
        pot.inside -= set(people)

    def _pay(self, pot: Model, people, rows) -> None:
        self._require(pot.status == "open" and self.now < pot.deadline)
        self._require({row[0] for row in rows} <= pot.inside)
        for player, token, amount in rows:
            self.purses[player, token] -= amount
            self.allowed[player, token] -= amount
            pot.held[token] += amount
        self._require(min(self.purses.values()) >= 0 and min(self.allowed.values()) >= 0)

    def _earn(self, pot: Model, people, rows) -> None:
        self._require(pot.status == "open" and {row[0] for row in rows} <= pot.ever)
        sums: dict[tuple[int, int], int] = {}
        for player, token, amount in rows:
            sums[player, token] = sums.get((player, token), 0) + amount
        for (player, token), amount in sums.items():
            fee = amount * FEE_BP // 10_000
            pot.held[token] -= amount
            self.house[token] += fee
            self.purses[player, token] += amount - fee
        self._require(min(pot.held.values()) >= 0)

    def _end(self, pot: Model, people, rows) -> None:
        self._require(pot.status == "open" and not any(pot.held.values()))
        pot.status = "ended"

    def _close(self, pot: Model, people, rows) -> None:
        self._require(pot.status == "open" and self.now >= pot.deadline)
        for token, amount in pot.held.items():
            self.returned[token] += amount
        pot.held = dict.fromkeys(TOKENS, 0)
        pot.status = "closed"

    def _require(self, rule_holds: bool) -> None:
        if not rule_holds:
            raise Refused

    def _copy(self) -> tuple:
        pots = {
            number: Model(pot.deadline, pot.capacity, pot.status, set(pot.inside), set(pot.ever), dict(pot.held))
            for number, pot in self.pots.items()
        }
        return dict(self.purses), dict(self.allowed), dict(self.house), dict(self.returned), pots

    def _restore(self, kept: tuple) -> None:
        self.purses, self.allowed, self.house, self.returned, self.pots = kept

    def _row(self, player: int, token: int, amount: int) -> Row:
        return Row(
            player_id=self.people[player].pk,
            plyr_id=self.people[player].plyr_id,
            token_id=self.tokens[token].pk,
            symbol=self.tokens[token].symbol,
            decimals=2,
            amount_minor=amount,
        )

    def _fund(self, player: PlayerProfile) -> None:
        for token in self.tokens:
            deposit(player.user, token, FUNDS_MINOR, now=self.now)


def test_pots_do_what_the_model_says(settings):
    settings.POT_HOUSE_FEE_BP = FEE_BP
    run_state_machine_as_test(PotMachine, settings=profile(examples=25, steps=25))


@pytest.mark.nightly
@pytest.mark.timeout(1_800)
def test_pots_do_what_the_model_says_for_a_long_time(settings):
    settings.POT_HOUSE_FEE_BP = FEE_BP
    run_state_machine_as_test(PotMachine, settings=profile(examples=400, steps=60))


def profile(*, examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
