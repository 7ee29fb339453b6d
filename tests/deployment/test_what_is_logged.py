"""A day on the production processes: each request is found again in every log it reached, and no secret in any."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import pytest
import websockets
from django.urls import reverse

from accounts.api_keys import issue_key
from accounts.models import ApiClient, Game, User
from backoffice import export_jobs
from backoffice.models import Export
from chat import tenant_rooms
from core.db import clock
from payments.models import Job
from rooms import offers
from rooms.models import Room
from rounds import access
from tests.access.authenticating import equip
from tests.contracts.plyr_client import Answer
from tests.deployment import compose
from tests.deployment.conftest import PASSWORD, signed_in
from tests.deployment.stack import NGINX, Stack
from tests.support.books import findings
from tests.support.faults import broken_table
from tests.support.pots import person, server_of
from tests.support.waiting import wait_for
from webhooks import endpoints

__all__ = ["person", "server_of"]

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
    pytest.mark.skipif(NGINX is None, reason="nginx is missing: THE LOGS WERE NOT READ (apt install nginx)"),
]

LOGS = ("rest", "sockets", "worker", "beat", "proxy", "access")


@dataclass
class Secrets:
    """Everything that people send or are given and that nobody else may read."""

    known: dict[str, str] = field(default_factory=dict)

    def new(self, what: str) -> str:
        """An invented one."""
        return self.keep(what, f"{what}-{uuid.uuid4().hex}")

    def keep(self, what: str, text: str) -> str:
        self.known[f"{what} {len(self.known)}"] = text
        return text

    def in_(self, text: str) -> list[str]:
        """Which of them the text holds. Six digits may by chance be part of a longer number or name."""
        return [what for what, secret in self.known.items() if re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text)]


@dataclass
class Day:
    """Who plays today, over the proxy."""

    stack: Stack
    http: httpx.Client
    secrets: Secrets
    # What a request came back with, by what it was.
    request_ids: dict[str, str] = field(default_factory=dict)

    def post(self, path: str, body: dict[str, Any], *, status: int, **headers: str) -> Any:
        spelled = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = self.http.post(path, json=body, headers=spelled)
        assert answer.status_code == status, (path, answer.text)
        self.request_ids[path] = answer.headers["X-Request-ID"]
        return answer.json()

    def sign(self, method: str, path: str, data: bytes, headers: dict[str, str]) -> Answer:
        """The transport of a game's server."""
        self.secrets.keep("signature", headers["signature"])
        answer = self.http.request(method, path, content=data, headers=headers)
        self.request_ids[path] = answer.headers["X-Request-ID"]
        return Answer(answer.status_code, answer.json())

    def talk(self, path: str, *frames: str | bytes) -> list[dict[str, Any]]:
        """Open a socket, send these frames, and take what comes within a moment of each."""

        async def run() -> list[dict[str, Any]]:
            url = self.stack.url.replace("https", "wss") + path
            heard = []
            async with websockets.connect(url, ssl=self.stack.tls(), proxy=None) as socket:
                assert socket.response is not None
                self.request_ids[path.partition("?")[0]] = socket.response.headers["X-Request-ID"]
                for frame in (None, *frames):
                    if frame is not None:
                        await socket.send(frame)
                    heard.append(json.loads(await asyncio.wait_for(socket.recv(), 10)))
            return heard

        return asyncio.run(run())


@pytest.fixture
def day(stack) -> Iterator[Day]:
    for name in ("rest", "sockets", "worker", "proxy"):
        stack.start(name)
    for name in ("rest", "sockets", "worker", "proxy"):
        stack.wait_ready(name)
    with stack.client() as http:
        yield Day(stack=stack, http=http, secrets=Secrets())


def open_room(game: Game) -> Room:
    """For one, who gets everything; its sessions take twelve seconds."""
    return offers.create_room(
        actor=User.objects.get(username="boss"),
        game_id=game.pk,
        name="quick",
        symbol=None,
        entry_fee_minor=1_000,
        prize_table=[(1, Decimal(100))],
        now=clock.now(),
        max_participants=20,
        join_window_seconds=10,
        run_seconds=2,
    )


def play_a_pot(day: Day, game: Game, server_of: Any, person: Any, fund: Any) -> str:
    """A payment that the worker does; the job's id. Beat is not there yet: only the request's own hint can do it."""
    server = server_of(game)
    server.send = day.sign
    day.secrets.keep("api key", server.key)
    day.secrets.keep("signing secret", server.secret)
    one = person("ada-lake")
    fund(one.profile.user, 10_000)
    password = day.secrets.keep("one-time password", one.code())
    approval = {"plyrId": one.plyr_id, "otp": password, "gameId": "slot", "tokens": ["gold"], "amounts": [50]}
    jwt = day.secrets.keep("session token", server.post("/user/loginAndApprove", approval)["sessionJwt"])
    paying = {"sessionJwts": [jwt], "tokens": ["gold"], "amounts": [10]}
    answer = server.post("/game/createJoinPay", paying)
    day.request_ids["job"] = day.request_ids["/api/game/createJoinPay"]
    server.key, key = day.secrets.new("wrong-api-key"), server.key
    assert server.post("/game/createJoinPay", paying).status == 401
    server.key, server.secret = key, "another"
    assert server.post("/game/createJoinPay", paying).status == 401
    wait_for(lambda: Job.objects.filter(public_id=answer["task"]["id"], status=Job.Status.SUCCESS).exists())
    job_id: str = answer["task"]["id"]
    return job_id


def chat(day: Day) -> str:
    """A tenant's people talk, over HTTP and sockets, well and badly; the room."""
    client = ApiClient.objects.create(name="teahouse")
    key = day.secrets.keep("chat key", issue_key(client=client, scopes=["chat"], now=clock.now()).text)
    lounge = tenant_rooms.create_room(client=client, name="Lounge", description="", meta={}, now=clock.now())
    rooms = f"/api/v1/rooms/{lounge.pk}"
    day.post(f"{rooms}/join", {"user_id": "lan", "user_name": "Lan"}, status=200, X_API_Key=key)
    said = {"sender_id": "lan", "content": day.secrets.new("message"), "meta": {"note": day.secrets.new("note")}}
    day.post(f"{rooms}/messages/", said, status=201, X_API_Key=key)
    day.post(f"{rooms}/messages/", {**said, "sender_id": "nobody"}, status=403, X_API_Key=key)
    day.post(f"{rooms}/messages/", said, status=401, X_API_Key=day.secrets.new("wrong-key"))
    sought = {"search": day.secrets.new("search")}
    assert day.http.get(f"{rooms}/messages/", params=sought, headers={"X-API-Key": key}).status_code == 200
    ticket = day.post(f"{rooms}/ticket", {"user_id": "lan"}, status=201, X_API_Key=key)["data"]["ticket"]
    day.secrets.keep("ticket", ticket)
    spoken = {"content": day.secrets.new("spoken"), "client_msg_id": "1"}
    heard = day.talk(
        f"/ws/{lounge.pk}?token={ticket}",
        json.dumps({"type": "message", "data": spoken}),
        json.dumps({"type": "message", "data": {"content": [day.secrets.new("ill-typed")]}}),
        f'{{"type": "message", "data": {day.secrets.new("ill-formed")}',
    )
    assert "connection_status" in {frame["type"] for frame in heard}
    assert "ack" in {frame["type"] for frame in heard} | {"message"}
    with broken_table("chat_message"):
        day.post(f"{rooms}/messages/", {**said, "content": day.secrets.new("unlucky")}, status=500, X_API_Key=key)
        frames = day.talk(
            f"/ws/{lounge.pk}?token={key}&user_id=lan",
            json.dumps({"type": "message", "data": {"content": day.secrets.new("unlucky-spoken")}}),
        )
        assert frames[0]["type"] == "connection_status"
    return str(lounge.pk)


def play_a_room(day: Day, game: Game) -> tuple[Room, str]:
    """Somebody registers, is given money, joins, and listens; the room, and the access token."""
    body = {"username": "ada", "password": day.secrets.new("password")}
    day.post("/api/v1/auth/login", {**body, "password": day.secrets.new("wrong-password")}, status=401)
    day.post("/api/v1/auth/register", body, status=201)
    pair = day.post("/api/v1/auth/login", body, status=200)["data"]
    token = day.secrets.keep("access token", pair["access"])
    day.secrets.keep("refresh token", pair["refresh"])
    ours = {"Authorization": f"Bearer {token}"}
    day.http.patch("/api/v1/auth/me", json={"wallet_address": "wallet-of-ada"}, headers=ours).raise_for_status()
    boss = day.secrets.keep("staff's token", signed_in(day.http))
    money = {"user_id": pair["user"]["id"], "token": "GOLD", "amount": "50.00", "reason": "welcome"}
    theirs = {"Authorization": f"Bearer {boss}", "Idempotency_Key": day.secrets.new("key-of-money")}
    day.post("/api/v1/wallet/deposits", money, status=201, **theirs)
    day.post("/api/v1/wallet/deposits", {**money, "amount": "9"}, status=422, **theirs)
    room = open_room(game)
    place = {"session_id": room.current_session_id, "room_id": room.pk, "amount": 10}
    ours |= {"Idempotency_Key": day.secrets.new("key-of-join")}
    with broken_table("payments_transfer"):
        day.post("/api/v1/game-join-rooms", place, status=500, **ours)
    day.post("/api/v1/game-join-rooms", place, status=201, **ours)
    del ours["Idempotency_Key"]
    ticket = day.post("/api/v1/game-rooms/ticket", {}, status=201, **ours)["data"]["ticket"]
    day.secrets.keep("room ticket", ticket)
    assert day.talk(f"/ws/game-rooms/{room.pk}?token={ticket}")[0]["type"] == "snapshot"
    assert day.talk(f"/ws/game-rooms?token={token}")[0]["type"] == "lobby"
    return room, token


def play_a_game_of_scores(day: Day) -> None:
    """GameFuse's clients put passwords into the query."""
    opened = access.open_access(game=Game.objects.create(name="Arcade", symbol="ARCADE"), now=clock.now())
    sent = {"email": "ada@players.example", "password": day.secrets.new("query-password"), "game_id": opened.pk}
    assert day.http.post("/api/v3/sessions", params=sent).status_code in (401, 404)
    signing_up = {**sent, "password_confirmation": sent["password"], "username": "ada", "game_token": opened.token}
    answer = day.http.post("/api/v3/users", params=signing_up)
    assert answer.status_code // 100 == 2, answer.text
    day.secrets.keep("game token", opened.token)
    day.secrets.keep("gamefuse token", answer.json()["authentication_token"])


def work_in_the_back_office(day: Day) -> None:
    """Wrong passwords, the right one, a code; then the page that asks for the password again."""
    boss = User.objects.get(username="boss")
    app, codes = equip(boss)
    day.secrets.keep("recovery code", codes[0])

    def submit(path: str, **fields: str) -> httpx.Response:
        page = day.http.get(path)
        hidden = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert hidden, page.text
        form = {"csrfmiddlewaretoken": day.secrets.keep("form token", hidden[1]), **fields}
        return day.http.post(path, data=form, headers={"Referer": f"{day.stack.url}{path}"})

    wrong = submit("/admin/login/", username="boss", password=day.secrets.new("wrong-admin-password"))
    assert wrong.status_code == 200
    right = submit("/admin/login/", username="boss", password=PASSWORD)
    assert right.headers["Location"].startswith("/admin/login/code/")
    assert submit("/admin/login/code/", code=day.secrets.keep("wrong code", "940218")).status_code == 200
    # After a wrong code none is looked at for a second.
    time.sleep(1.5)
    assert submit("/admin/login/code/", code=day.secrets.keep("code", app.code(steps=1))).status_code == 302
    assert day.http.get("/admin/").status_code == 200
    take_an_export(day, boss)
    day.secrets.keep("session cookie", day.http.cookies["sessionid"])
    day.http.cookies.clear()


def take_an_export(day: Day, boss: User) -> None:
    """A list too long to be sent at once: the worker writes it, rest hands it out."""
    export = export_jobs.request_export(
        requester=boss,
        request_key="once",
        list_label="payments.transfer",
        filters="",
        format=Export.Format.CSV,
        rows_estimated=20_000,
        now=clock.now(),
    )
    done = wait_for(lambda: Export.objects.filter(pk=export.pk, state=Export.State.DONE).first())
    assert [path.name for path in (day.stack.data / "exports").iterdir()] == [done.file_name]
    file = day.http.get(reverse("admin:backoffice_export_download", args=[export.pk]))
    assert file.status_code == 200
    assert len(file.text.splitlines()) == done.rows_done + 1 > 1
    day.secrets.keep("name of an export", done.file_name)


def ask_what_the_proxy_refuses(day: Day, token: str, lounge: str) -> None:
    """nginx logs an error with the whole request line: a body too large, one that goes to a file, nobody there."""
    secret = day.secrets.new("query-of-an-error")
    address = f"/api/v3/sessions?email=ada@players.example&password={secret}"
    assert day.http.post(address, content=b"x" * 2_000_000).status_code == 413
    assert day.http.post(address, content=b"x" * 60_000).status_code == 422
    for name in ("rest", "sockets"):
        day.stack.stop(name)
    away = day.http.post(address)
    assert (away.status_code, away.headers["Retry-After"]) == (503, "1")
    assert re.fullmatch("[0-9a-f]{32}", away.headers["X-Request-ID"])
    with pytest.raises(websockets.InvalidStatus):
        day.talk(f"/ws/{lounge}?token={token}")


def messages(stack: Stack, name: str, request_id: str) -> list[str]:
    """What a service logged of a request."""
    return [line["message"] for line in stack.lines(name) if line["request_id"] == request_id]


def test_a_day_is_found_in_the_logs_and_no_secret_is(day, game, server_of, person, fund):
    stack, secrets = day.stack, day.secrets
    endpoints.create(
        name="A server nobody finds",
        url="https://hooks.example.invalid/",
        types=["session.ended", "session.refunded"],
        client=None,
        user=None,
        actor=None,
        now=clock.now(),
        resolve=lambda host, port: ["93.184.216.34"],
    )
    job_id = play_a_pot(day, game, server_of, person, fund)
    day.stack.start("beat")
    day.stack.wait_ready("beat")
    lounge = chat(day)
    room, token = play_a_room(day, game)
    play_a_game_of_scores(day)
    work_in_the_back_office(day)
    wait_for(lambda: any(name.startswith("gameplatform_session_lateness_seconds") for name in stack.scraped()))

    # What an operator's dashboard and alerts ask for is there, under that very name.
    there = {re.sub(r"\{.*", "", name) for name in stack.scraped()}
    assert compose.asked_metrics() - there == set()
    assert findings() == []

    chosen = day.http.get("/livez", headers={"X-Request-ID": "chosen-by-a-stranger"}).headers["X-Request-ID"]
    ask_what_the_proxy_refuses(day, token, lounge)
    for name in ("proxy", "worker", "beat"):
        stack.stop(name)

    # The request that asked for the payment: at the proxy, in REST, in the worker.
    asked = day.request_ids["job"]
    proxied = [line for line in stack.lines("access") if line["request_id"] == asked]
    assert [(line["path"], line["status"]) for line in proxied] == [("/api/game/createJoinPay", 200)]
    assert {name: messages(stack, name, asked) for name in ("rest", "worker", "sockets")} == {
        "rest": [f"job {job_id} is asked for: create_join_pay"],
        "worker": [f"job {job_id} is done"],
        "sockets": [],
    }
    # A socket: its handshake at the proxy, its beginning and end in the sockets' log.
    path = f"/ws/game-rooms/{room.pk}"
    spoken = day.request_ids[path]
    assert [line["path"] for line in stack.lines("access") if line["request_id"] == spoken] == [path]
    assert messages(stack, "sockets", spoken) == [f"socket '{path}' begins", f"socket '{path}' ended"]
    # A request that failed, with what it failed of.
    failed = day.request_ids[f"/api/v1/rooms/{lounge}/messages/"]
    (described,) = messages(stack, "rest", failed)
    assert described.startswith(f"POST /api/v1/rooms/{lounge}/messages/ failed: ProgrammingError")
    assert chosen != "chosen-by-a-stranger"

    secrets.keep("password of staff", PASSWORD)
    for path in stack.secrets.iterdir():
        secrets.keep(path.name, path.read_text().strip())
    texts = {name: stack.log(name).read_text() for name in LOGS}
    assert {name for name, text in texts.items() if not text} <= {"proxy", "beat"}
    assert [(name, what) for name, text in texts.items() for what in secrets.in_(text)] == []
    for name, text in texts.items():
        assert not re.search(r"eyJ|ticket_|token=|password=|Bearer|argon2", text), name
