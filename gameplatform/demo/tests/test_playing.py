"""`manage.py play` against a real web server and a real tick, each a process of its own."""

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings

from accounts.models import Game, User
from core.db import clock
from core.tests.servers import free_port
from gameplatform.demo import bots, playing
from gameplatform.demo.bots import Bot, Table
from gameplatform.demo.client import Caller, PlayError, Tally
from gameplatform.demo.lobby import Lobby
from gameplatform.demo.logins import Login
from gameplatform.demo.reconcile import Entry
from payments import adjustments
from rooms import offers, scores
from rooms.models import Participant, Session
from rounds.models import Round
from tests.support.books import balance, findings
from tests.support.servers import WebServer, environment

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "the staff's password"


@dataclass
class Platform:
    """The web server and the tick on the test's database."""

    environment: dict[str, str]
    web: WebServer
    processes: list[subprocess.Popen[Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.web.url

    def start_tick(self) -> subprocess.Popen[bytes]:
        return self._start("manage.py", "advance_sessions", "--loop")

    def play(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", "play", "--base-url", self.url, *words]
        play = subprocess.Popen(
            command,
            cwd=django_settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(play)
        return play

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *words], cwd=django_settings.BASE_DIR, env=self.environment)
        self.processes.append(process)
        return process


@pytest.fixture(scope="module")
def web(django_db_setup, tmp_path_factory) -> Iterator[WebServer]:
    """One web process for all tests of the module."""
    server = WebServer(environment(tmp_path_factory.mktemp("web"), ROOM_GAP_SECONDS="1")).start()
    yield server
    server.kill()


@pytest.fixture
def platform(web, tmp_path, settings) -> Iterator[Platform]:
    """A platform without rooms, the staff's login in the file ``password`` of its data folder."""
    # The server's own hash: the tests' quick one is unknown to it.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    User.objects.create_superuser("boss", password=PASSWORD)
    adjustments.create_token(symbol="GOLD", name="Gold", decimals=2)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    platform = Platform(environment(tmp_path, ROOM_GAP_SECONDS="1"), web)
    try:
        yield platform
    finally:
        platform.stop()


@pytest.fixture
def quick_rooms(platform, game) -> None:
    """A room that five players fill, one with fewer seats than that, and one that they never fill."""
    boss = User.objects.get(username="boss")
    tables: dict[str, tuple[str, list[Any], int]] = {
        "for two": ("5", ["60", "40"], 3),
        "for three": ("3.33", ["50", "30", "20"], 10),
        "for twenty": ("1", [Decimal("9.75") - Decimal("0.5") * rank for rank in range(20)], 20),
    }
    for name, (fee, percents, seats) in tables.items():
        offers.create_room(
            actor=boss,
            game_id=game.pk,
            name=name,
            symbol=None,
            entry_fee_minor=int(Decimal(fee) * 100),
            prize_table=[(rank, Decimal(percent)) for rank, percent in enumerate(percents, start=1)],
            now=clock.now(),
            max_participants=seats,
            join_window_seconds=4,
            run_seconds=1,
        )


def open_race() -> Session:
    """The first session of a room where the lowest score wins; long enough for every bot to have sent its scores."""
    game = Game.objects.create(name="Sledge Run", symbol="SLEDGE", result_mode="score", score_order="asc")
    room = offers.create_room(
        actor=User.objects.get(username="boss"),
        game_id=game.pk,
        name="downhill",
        symbol=None,
        entry_fee_minor=200,
        prize_table=[(1, Decimal(60)), (2, Decimal(40))],
        now=clock.now(),
        max_participants=10,
        join_window_seconds=4,
        run_seconds=6,
    )
    return Session.objects.get(room=room)


@pytest.fixture
def race(platform) -> None:
    open_race()


def staff_words(tmp_path: Path) -> list[str]:
    return ["--staff-username", "boss", "--staff-password-file", str(tmp_path / "password")]


def finished(play: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and output."""
    output, _ = play.communicate(timeout=110)
    return play.returncode, output


def first_paid_place(play: subprocess.Popen[str]) -> Participant:
    deadline = time.monotonic() + 40
    while (place := Participant.objects.select_related("user").filter(status="paid").first()) is None:
        assert play.poll() is None, play.communicate()[0]
        assert time.monotonic() < deadline, "no bot has joined"
        time.sleep(0.1)
    return place


def reconciled(output: str) -> tuple[int, int]:
    """(players, sessions) of the last line."""
    match = re.search(r"^Reconciled: (\d+) players, (\d+) sessions, to the last unit$", output, re.MULTILINE)
    assert match is not None, output
    return int(match[1]), int(match[2])


def test_five_bots_play_for_a_quarter_of_a_minute_and_reconcile(platform, quick_rooms, tmp_path):
    platform.start_tick()
    code, output = finished(platform.play("--players", "5", "--minutes", "0.25", *staff_words(tmp_path)))
    assert code == 0, output
    players, sessions = reconciled(output)
    assert players == 5
    played = Session.objects.filter(participants__status__in=["paid", "refunded"]).distinct()
    assert sessions == played.count() >= 3
    assert not played.filter(status__in=Session.LIVE).exists()
    assert Participant.objects.filter(prize_minor__gt=0).exists()
    assert Participant.objects.filter(status="refunded").exists()
    assert findings() == []


def test_a_unit_that_vanishes_behind_a_bots_back_is_named(platform, quick_rooms, tmp_path):
    platform.start_tick()
    play = platform.play("--players", "3", "--minutes", "0.3", *staff_words(tmp_path))
    robbed = first_paid_place(play).user
    adjustments.withdraw(
        user=robbed,
        token=Session.objects.first().token,
        amount_minor=1,
        reason="theft",
        actor=User.objects.get(username="boss"),
        request_key="theft",
        now=clock.now(),
    )
    code, output = finished(play)
    assert code == 1
    wallet = balance(robbed)
    expected, actual = f"{(wallet + 1) / 100:.2f}", f"{wallet / 100:.2f}"
    rows = [line.split() for line in output.splitlines() if line.startswith("bot-")]
    assert rows == [
        [robbed.username, "wallet", expected, actual, "-0.01"],
        [robbed.username, f"user:{robbed.pk}", *rows[1][2:4], "-0.01"],
    ]
    assert "CommandError: The players' books and the platform disagree, see above." in output


def test_bots_that_want_scores_join_only_where_scores_decide_and_reconcile(platform, quick_rooms, race, tmp_path):
    platform.start_tick()
    words = ["--players", "6", "--minutes", "0.25", "--mode", "score"]
    code, output = finished(platform.play(*words, *staff_words(tmp_path)))
    assert code == 0, output
    players, sessions = reconciled(output)
    assert players == 6
    played = Session.objects.filter(participants__status__in=["paid", "refunded"]).distinct()
    assert set(played.values_list("room__name", "result_mode")) == {("downhill", "score")}
    assert sessions == played.count() >= 1
    sent = re.search(r"(\d+) scores", output.splitlines()[-2])
    assert sent is not None, output
    assert int(sent[1]) >= Round.objects.filter(score__isnull=False).count() > 0
    assert Participant.objects.filter(prize_minor__gt=0).exists()
    assert findings() == []


def test_a_score_after_the_end_is_a_refusal_and_nothing_more(platform, monkeypatch):
    monkeypatch.setattr(bots, "LEAVE_PROBABILITY", 0)
    monkeypatch.setattr(bots, "SCORES_SENT", (2,))
    tally = Tally()

    async def late_scores() -> list[Entry]:
        async with httpx.AsyncClient(base_url=platform.url, trust_env=False) as client:
            staff = Caller(client, Login(username="boss", password=PASSWORD), tally)
            await staff.log_in()
            lobby = Lobby(staff, tally, "score")
            table = Table(
                staff=staff,
                lobby=lobby,
                tally=tally,
                token="GOLD",
                pause_seconds=(0, 0),
                stopping=asyncio.Event(),
                entrance=asyncio.Semaphore(),
            )
            table.stopping.set()
            logins = [Login(username=f"racer{n}", password="a long enough password") for n in range(2)]
            racers = [Bot(login.username, Caller(client, login, tally), table) for login in logins]
            for racer in racers:
                await racer.play()
            # Signing up takes its time, so the doors open only now.
            session = await asyncio.to_thread(open_race)
            await lobby._look()
            for racer in racers:
                await racer._turn()
            tick = platform.start_tick()
            while not lobby.takes_scores(session.pk):
                await asyncio.sleep(0.1)
                await lobby._look()
            # Nobody settles it, so that it is shown as running.
            tick.kill()
            await asyncio.sleep((session.ends_at - clock.now()).total_seconds())
            for racer in racers:
                await racer._send_scores()
            return [racer.book.entries[session.pk] for racer in racers]

    entries = asyncio.run(late_scores())
    assert [(entry.score, entry.scores_left, entry.is_score_known) for entry in entries] == [(None, 0, True)] * 2
    assert (tally.scores, tally.refusals) == (0, {"Scores are taken while the session is running": 2})
    assert not Round.objects.filter(score__isnull=False).exists()


def test_scores_that_the_bots_did_not_send_are_named(platform, race, tmp_path):
    platform.start_tick()
    play = platform.play("--players", "4", "--minutes", "0.3", "--mode", "score", *staff_words(tmp_path))
    session = first_paid_place(play).session
    time.sleep(max(0.0, (session.ends_at - clock.now()).total_seconds() - 1))
    # In the last second, when the bots have sent theirs.
    for place in Participant.objects.filter(session=session, status="paid").select_related("user"):
        scores.submit_score(session_id=session.pk, player=place.user, score=Decimal("7.5"), now=clock.now())
    code, output = finished(play)
    assert code == 1
    assert re.search(
        rf"^session {session.pk}: entry \d+ is ranked by score 7\.5, but its player sent ", output, re.MULTILINE
    ), output
    assert "CommandError: The players' books and the platform disagree, see above." in output


@pytest.mark.faults
def test_bots_reconcile_after_their_web_server_was_killed(platform, quick_rooms, tmp_path):
    platform.start_tick()
    play = platform.play("--players", "5", "--minutes", "0.3", *staff_words(tmp_path))
    first_paid_place(play)
    platform.web.kill()
    time.sleep(1)
    platform.web.start()
    code, output = finished(play)
    assert code == 0, output
    assert reconciled(output)[0] == 5
    assert re.search(r" (\d+) errors \(.*ConnectError", output)
    assert findings() == []


def test_an_interrupted_play_finishes_its_sessions_and_reconciles(platform, quick_rooms, tmp_path):
    platform.start_tick()
    play = platform.play("--players", "3", "--forever", *staff_words(tmp_path))
    first_paid_place(play)
    play.send_signal(signal.SIGINT)
    code, output = finished(play)
    assert code == 0, output
    assert reconciled(output)[0] == 3


def test_without_rooms_play_says_what_is_missing(platform, tmp_path):
    code, output = finished(platform.play("--players", "1", "--minutes", "0.02", *staff_words(tmp_path)))
    assert code == 1
    assert "CommandError: Nobody has joined anything: no room was open." in output


def test_without_a_room_of_the_wanted_mode_play_says_what_to_do(platform, quick_rooms, tmp_path):
    words = ["--players", "1", "--minutes", "0.05", "--mode", "score"]
    code, output = finished(platform.play(*words, *staff_words(tmp_path)))
    assert code == 1
    assert "CommandError: Nobody has joined anything: no room decided by score was open. Make rooms" in output
    assert not Participant.objects.exists()


def test_a_login_that_is_not_staffs_cannot_give_tokens(platform, quick_rooms, tmp_path):
    User.objects.filter(username="boss").update(is_staff=False)
    code, output = finished(platform.play("--players", "1", "--minutes", "0.2", *staff_words(tmp_path)))
    assert code == 1
    assert "CommandError: The staff login cannot give GOLD to players: Only staff may adjust wallets" in output


def test_a_platform_that_is_not_there_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr(playing, "REACH_SECONDS", 1)
    url = f"http://127.0.0.1:{free_port()}"
    plan = playing.Plan(
        base_url=url,
        players=1,
        seconds=60,
        staff=Login(username="boss", password=PASSWORD),
        token="GOLD",
        mode="draw",
        report_seconds=1,
    )
    with pytest.raises(PlayError, match=rf"{url} does not answer \(ConnectError\). Start the platform with"):
        asyncio.run(playing.play(plan, say=print, progress=print))


def test_without_a_staff_login_play_says_where_one_comes_from(platform):
    code, output = finished(platform.play())
    assert code == 1
    assert "demo-logins.json has no staff login. Run manage.py seed_demo" in output


def test_a_caller_survives_a_used_up_token_and_a_registration_whose_answer_was_lost(platform):

    async def questions() -> list[int]:
        async with httpx.AsyncClient(base_url=platform.url, trust_env=False) as client:
            login = Login(username="phoenix", password="a long enough password")
            caller = Caller(client, login, Tally())
            user_id = await caller.register()
            # The same name again, as after a lost answer: it is its own.
            assert await Caller(client, login, Tally()).register() == user_id
            caller._access = "expired"
            refreshed = await caller.get("wallet")
            # Both tokens gone, as after a refresh whose answer was lost: the password is left.
            caller._access = caller._refresh = "used up"
            logged_in = await caller.get("wallet")
            return [refreshed.status, logged_in.status]

    assert asyncio.run(questions()) == [200, 200]
