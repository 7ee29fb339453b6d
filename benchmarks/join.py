"""What HTTP, Django and the rules around it add to a paid join: the route against the same SQL function alone.

    python -m gameplatform.launcher.throwaway -- python -m benchmarks.join

Three ways to the same ``join_session``, each with 8 callers at once and players and rooms of its own:

    http      POST /api/v1/game-join-rooms with Idempotency-Key, at the web process that the launcher runs
    psycopg   the function, called by a thread per connection
    pgbench   the function, called by PostgreSQL's own tool (left out where there is none)

``one room`` has everybody wait for the same session; ``8 rooms`` does not. The ways take two turns, one after the
other; the better turn counts, because other work on the machine only ever slows. Client, server and PostgreSQL share
it: read the ratios, not the figures. Takes less than a minute.
"""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
# Far more seats than a house would offer, for the sake of the crowd.
os.environ["ROOM_MAX_PARTICIPANTS"] = "100000"

import django

django.setup()

import psycopg
from django.conf import settings
from django.db import connection

from accounts.credentials import access_token
from accounts.models import User
from benchmarks import scratch
from core.db import clock
from rooms import offers
from rooms.models import Participant, Room

CALLERS = 8
JOINS = 480
TURNS = 2
FEE_MINOR = 100
START_SECONDS = 60

# A caller's share of the work: (player, room) pairs.
Share = Sequence[tuple[User, Room]]

CALL = "SELECT result FROM session_join(%s, %s, %s, %s, %s, gen_random_uuid(), gen_random_uuid(), clock_timestamp())"
PGBENCH = """\\set room random(0, {last_room})
SELECT result FROM rooms_room r, session_join(r.id, r.current_session_id, {first_player} + nextval('benchmark_player'),
    {fee}, NULL, gen_random_uuid(), gen_random_uuid(), clock_timestamp()) WHERE r.id = {first_room} + :room;
"""


def by_http(port: int) -> Callable[[Share], Callable[[], None]]:
    def prepare(share: Share) -> Callable[[], None]:
        requests = []
        for player, room in share:
            body = {"room_id": room.pk, "session_id": room.current_session_id, "amount": FEE_MINOR / 100}
            headers = {
                "Authorization": f"Bearer {access_token(player, now=clock.now())}",
                "Content-Type": "application/json",
                "Idempotency-Key": uuid.uuid4().hex,
            }
            requests.append((json.dumps(body), headers))
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        wire.connect()

        def work() -> None:
            for body, headers in requests:
                wire.request("POST", "/api/v1/game-join-rooms", body, headers)
                answer = wire.getresponse()
                text = answer.read()
                assert answer.status == 201, text
            wire.close()

        return work

    return prepare


def by_psycopg(share: Share) -> Callable[[], None]:
    database = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    own = psycopg.connect(autocommit=True, **{name: database[key] for name, key in names.items() if database[key]})

    def work() -> None:
        for player, room in share:
            arguments = (room.pk, room.current_session_id, player.pk, FEE_MINOR, uuid.uuid4().hex)
            assert own.execute(CALL, arguments).fetchone() == ("joined",)
        own.close()

    return work


def timed(prepare: Callable[[Share], Callable[[], None]], players: list[User], rooms: list[Room]) -> float:
    """Joins a second of all callers together."""
    pairs = [(player, rooms[position % len(rooms)]) for position, player in enumerate(players)]
    works = [prepare(pairs[caller::CALLERS]) for caller in range(CALLERS)]
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    if failures:
        raise failures[0]
    return len(players) / elapsed


def timed_pgbench(players: list[User], rooms: list[Room]) -> float:
    """The same by pgbench, which counts for itself."""
    database = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute("DROP SEQUENCE IF EXISTS benchmark_player")
        cursor.execute("CREATE SEQUENCE benchmark_player MINVALUE 0 CACHE 1")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(
            PGBENCH.format(last_room=len(rooms) - 1, first_room=rooms[0].pk, first_player=players[0].pk, fee=FEE_MINOR)
        )
        script.flush()
        words = ["pgbench", "--no-vacuum", "-f", script.name, "-M", "prepared", "-j", "1"]
        words += ["-c", str(CALLERS), "-t", str(len(players) // CALLERS), "-U", database["USER"] or "postgres"]
        words += ["-h", database["HOST"], "-p", str(database["PORT"] or 5432), database["NAME"]]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    assert done.returncode == 0, done.stderr
    assert found, done.stdout
    return float(found.group(1))


def make_rooms(count: int) -> list[Room]:
    master, game = User.objects.get(username="master"), scratch.Game.objects.get()
    return [
        offers.create_room(
            actor=master,
            game_id=game.pk,
            name=uuid.uuid4().hex,
            symbol=None,
            entry_fee_minor=FEE_MINOR,
            prize_table=[(1, Decimal(100))],
            join_window_seconds=3600,
            now=clock.now() - timedelta(seconds=1),
        )
        for _ in range(count)
    ]


@contextmanager
def web_process() -> Iterator[int]:
    """The launcher's web process on the scratch database; gives its port."""
    database = connection.settings_dict
    listener = socket.create_server(("127.0.0.1", 0))
    at = f"user={database['USER']}&password={database['PASSWORD']}&host={database['HOST']}&port={database['PORT']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "gameplatform.launcher.web", "--fd", str(listener.fileno())],
        pass_fds=[listener.fileno()],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": f"postgres:///{database['NAME']}?{at}", "LOG_LEVEL": "ERROR"},
    )
    port: int = listener.getsockname()[1]
    try:
        # The socket listens already: the first answer comes when the process does.
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        wire.request("GET", "/livez")
        wire.getresponse().read()
        wire.close()
        yield port
    finally:
        process.terminate()
        process.wait()
        listener.close()


def measure(port: int) -> dict[str, dict[str, float]]:
    ways: dict[str, Callable[[list[User], list[Room]], float]] = {
        "http": lambda players, rooms: timed(by_http(port), players, rooms),
        "psycopg": lambda players, rooms: timed(by_psycopg, players, rooms),
    }
    if shutil.which("pgbench"):
        ways["pgbench"] = timed_pgbench
    token = scratch.gold()
    scratch.master_and_game()
    best: dict[str, dict[str, float]] = {"one room": {}, "8 rooms": {}}
    for _ in range(TURNS):
        for load, count in (("one room", 1), ("8 rooms", 8)):
            for way, run in ways.items():
                players = scratch.players(token, JOINS, amount_minor=FEE_MINOR, now=clock.now())
                rate = run(players, make_rooms(count))
                best[load][way] = max(rate, best[load].get(way, 0))
    expected = TURNS * 2 * len(ways) * JOINS
    assert Participant.objects.filter(status=Participant.Status.PAID).count() == expected
    return best


def main() -> None:
    with scratch.database(), web_process() as port:
        best = measure(port)
    print(f"Paid joins a second, {CALLERS} callers, {JOINS} joins, the better of {TURNS} turns; × of http\n")
    print(f"{'':10}" + "".join(f"{way:>18}" for way in best["one room"]))
    for load, rates in best.items():
        cells = (f"{rate:,.0f}/s  {rate / rates['http']:.1f} ×" for rate in rates.values())
        print(f"{load:10}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
