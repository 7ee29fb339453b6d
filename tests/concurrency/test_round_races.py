"""Races over contests, rounds and scores on real threads; each has a control that shows the race is there to lose."""

import threading
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import Game, GameUser
from core.db import clock
from core.errors import Conflict
from rounds import access, contests, players, scoring
from rounds.actors import Actor
from rounds.models import Contest, Round
from tests.support.threads import kinds, together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def arcade():
    return access.open_access(game=Game.objects.create(name="Arcade", symbol="ARCADE"), now=clock.now()).game


@pytest.fixture
def gamers(arcade):
    """``gamers(20)``: that many players of the arcade, each as the use cases want it."""

    def make(count):
        made = GameUser.objects.bulk_create(
            GameUser(game=arcade, username=f"gamer-{n}", created_at=clock.now()) for n in range(count)
        )
        return [Actor(user=user) for user in made]

    return make


def creating(actor, *, multiplayer_id, **values):
    def create():
        return scoring.create_round(
            actor=actor,
            game_user_id=actor.user.pk,
            multiplayer=False,
            multiplayer_id=multiplayer_id,
            values={"game_type": "duel", **values},
            now=clock.now(),
        )

    return create


def test_200_first_rows_with_one_id_make_one_contest(gamers):
    actors = gamers(200)
    # 200 players by 20 threads: who opens the contest is fought for by 20 at once, and its count to the last.
    groups = [actors[n::20] for n in range(20)]

    def play_all(group):
        return [creating(actor, multiplayer_id=4711, score=Decimal(actor.user.pk))() for actor in group]

    results = together([partial(play_all, group) for group in groups])

    assert kinds(results) == {"list": 20}
    contest = Contest.objects.get()
    assert contest.rounds_count == contest.rounds.count() == 200
    assert contest.master_id in {group[0].user.pk for group in groups}
    with transaction.atomic():
        ranked = contests.final_standings(contest_id=contest.pk, tickets={})
    assert [standing.game_user_id for standing in ranked] == [actor.user.pk for actor in reversed(actors)]


def test_control_looking_before_opening_lets_several_try_to_open(arcade):
    looked = threading.Barrier(5)

    def open_if_missing():
        with transaction.atomic():
            is_missing = not Contest.objects.filter(game=arcade, multiplayer_id=4711).exists()
            looked.wait(timeout=30)
            if is_missing:
                Contest.objects.create(
                    game=arcade, multiplayer_id=4711, controller="api", score_order="desc", created_at=clock.now()
                )

    results = together([open_if_missing] * 5)

    assert kinds(results) == {"NoneType": 1, IntegrityError.__name__: 4}


def test_two_updates_of_one_row_both_stay(gamers):
    (actor,) = gamers(1)
    round_id = creating(actor, multiplayer_id=None)()

    def updating(**values):
        return lambda: scoring.update_round(actor=actor, round_id=round_id, values=values, now=clock.now())

    for attempt in range(20):
        together([updating(score=Decimal(attempt)), updating(metadata={"attempt": attempt}), updating(place=attempt)])
        row = Round.objects.values("score", "metadata", "place").get()
        assert row == {"score": attempt, "metadata": {"attempt": attempt}, "place": attempt}
    assert GameUser.objects.get().events_total == 61


def test_control_saving_the_whole_row_loses_an_update(gamers):
    (actor,) = gamers(1)
    round_id = creating(actor, multiplayer_id=None)()
    read = threading.Barrier(2)

    def save(name, value):
        row = Round.objects.get(pk=round_id)
        read.wait(timeout=30)
        setattr(row, name, value)
        row.save()

    together([lambda: save("metadata", {"kept": True}), lambda: save("place", 3)])

    row = Round.objects.get()
    assert (row.metadata is None) != (row.place is None)


@pytest.fixture
def running(arcade):
    """A session's contest that takes scores now."""
    now = clock.now()
    with transaction.atomic():
        return contests.open_contest(
            game=arcade,
            controller=Contest.Controller.SESSION,
            score_order="desc",
            opens_at=now - timedelta(minutes=1),
            closes_at=now + timedelta(minutes=1),
            now=now,
        )


def enter_all(contest, users):
    with transaction.atomic():
        for user in users:
            contests.add_entrant(contest_id=contest.pk, user_id=user.pk, now=clock.now())


def submitting(contest, user, score):
    def submit():
        with transaction.atomic():
            contests.submit_score(contest_id=contest.pk, user_id=user.pk, score=Decimal(score), now=clock.now())

    return submit


def test_a_score_at_the_very_end_counts_or_is_refused(running, people):
    users = people(12)
    enter_all(running, users)

    def freeze():
        with transaction.atomic():
            return contests.freeze(contest_id=running.pk, tickets={}, now=clock.now())

    submits = [submitting(running, user, user.pk) for user in users]
    results = together([*submits[:6], freeze, *submits[6:]])

    standings = results.pop(6)
    refused = [isinstance(result, Conflict) for result in results]
    assert all(result is None or isinstance(result, Conflict) for result in results)
    counted = {standing.user_id: standing.score for standing in standings}
    assert counted == {
        user.pk: None if was_refused else user.pk for user, was_refused in zip(users, refused, strict=True)
    }
    assert counted == dict(Round.objects.values_list("game_user__user_id", "score"))


def test_control_standings_read_without_the_rows_locks_miss_a_score_on_its_way(running, people):
    (user,) = people(1)
    enter_all(running, [user])
    written, read = threading.Barrier(2), threading.Barrier(2)

    def submit():
        with transaction.atomic():
            submitting(running, user, 5)()
            written.wait(timeout=30)
            read.wait(timeout=30)

    def end():
        written.wait(timeout=30)
        with transaction.atomic():
            standings = contests.final_standings(contest_id=running.pk, tickets={})
        read.wait(timeout=30)
        return standings

    _, standings = together([submit, end])

    assert standings[0].score is None
    assert Round.objects.get().score == 5


def test_a_player_entering_many_times_at_once_enters_once(running, people):
    (user,) = people(1)

    results = together([lambda: enter_all(running, [user])] * 8)

    assert kinds(results) == {"NoneType": 8}
    running.refresh_from_db()
    assert (GameUser.objects.count(), Round.objects.count(), running.rounds_count) == (1, 1, 1)


def test_additions_to_credits_all_count(gamers):
    (actor,) = gamers(1)

    def add():
        for _ in range(10):
            players.change_number(
                actor=actor,
                game_user_id=actor.user.pk,
                name="credits",
                amount=1,
                is_relative=True,
                now=clock.now(),
            )

    together([add] * 10)

    user = GameUser.objects.get()
    assert (user.credits, user.events_total) == (100, 100)


def test_control_adding_to_what_was_read_loses_credits(gamers):
    (actor,) = gamers(1)
    read = threading.Barrier(5)

    def add():
        credits = GameUser.objects.get(pk=actor.user.pk).credits
        read.wait(timeout=30)
        GameUser.objects.filter(pk=actor.user.pk).update(credits=credits + 1, score=F("score") + 1)

    together([add] * 5)

    user = GameUser.objects.get()
    assert (user.credits, user.score) == (1, 5)


def test_one_of_many_sign_ups_gets_the_name(arcade):
    token = arcade.access.token

    def signing_up(n):
        return lambda: players.sign_up(
            game_id=arcade.pk,
            game_token=token,
            email=f"person-{n}@players.example",
            username="Wanted" if n % 2 else "wanted",
            password="open sesame",
            password_confirmation="open sesame",
            now=clock.now(),
        )

    results = together([signing_up(n) for n in range(8)])

    assert kinds(results) == {"SignedIn": 1, "AlreadyTaken": 7}
    assert GameUser.objects.count() == 1
