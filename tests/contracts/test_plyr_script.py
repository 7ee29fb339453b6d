"""Every call of contract payments, one after the other, as a game's server makes them: at once and by tasks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine

from payments import jobs
from payments.models import Job
from payments.players import set_pot_game
from payments.pot_audit import POT_CHECKS
from tests.contracts.plyr_client import Answer, PlyrClient
from tests.support.books import balance, findings

START = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)
EVERY_PATH = {
    "POST /user/login",
    "POST /user/loginAndApprove",
    "POST /user/logout",
    "POST /user/session/verify",
    "POST /instantPlayPass/register",
    "POST /game/approve",
    "POST /game/revoke",
    "GET /game/allowance",
    "GET /user/balance",
    "GET /user/info",
    "GET /user/exists",
    "GET /tokenlist",
    "GET /jwt/publicKey",
    "GET /now",
    "POST /game/create",
    "POST /game/join",
    "POST /game/leave",
    "POST /game/pay",
    "POST /game/earn",
    "POST /game/end",
    "POST /game/close",
    "POST /game/createJoinPay",
    "POST /game/joinPay",
    "POST /game/earnLeave",
    "POST /game/earnLeaveEnd",
    "GET /game/isJoined",
    "GET /game/room",
    "GET /task/status",
}


@dataclass
class Script:
    """A game's server, its clock, and whether it waits for tasks or asks for them."""

    server: PlyrClient
    clock: Any
    sync: bool

    def later(self, **step: float) -> None:
        self.clock.shift(timedelta(**step))

    def do(self, path: str, body: dict[str, Any]) -> Answer:
        """The finished task, whichever way it was asked for."""
        answer = self.server.post(path, {**body, "sync": True} if self.sync else body)
        assert answer.status == 200, answer.body
        if not self.sync:
            answer = self.server.finished(answer, tick=self._sweep)
        assert answer["status"] == "SUCCESS", answer.body
        return answer

    def _sweep(self) -> None:
        self.later(seconds=3)
        jobs.sweep(now=datetime.now(UTC))


@pytest.fixture(params=[True, False], ids=["sync", "async"])
def script(request, server):
    with time_machine.travel(START, tick=False) as traveller:
        server.calls.clear()
        yield Script(server, traveller, request.param)


@pytest.fixture
def ada(person, fund):
    player = person("ada-lake")
    fund(player.profile.user, 10_000)
    return player


@pytest.fixture
def ben(person, fund):
    player = person("ben-7-hill")
    fund(player.profile.user, 10_000)
    return player


@pytest.mark.django_db(transaction=True)
def test_every_call_of_the_contract_does_what_it_says(script, ada, ben, game, master):
    set_pot_game(game=game, public_id=None, owner=master)
    what_is_known_of_a_player(script)
    ada_jwt = sessions_and_their_nonces(script, ada)
    ben_jwt = what_may_be_spent(script, ben)
    a_room_step_by_step(script, [ada_jwt, ben_jwt])
    a_room_in_atomic_combinations(script, [ada_jwt, ben_jwt])
    a_room_that_its_deadline_overtakes(script, ada_jwt)
    assert balance(master) == 300
    the_way_out(script, ben, ben_jwt)

    assert balance(ada.profile.user) == 10_000 - 1_550 - 150 + 125 - 300
    assert balance(ben.profile.user) == 10_000 - 1_025 + 2_575 - 200 + 225
    assert balance(ada.profile.user) + balance(ben.profile.user) + balance(master) == 20_000
    assert findings() == []
    assert [finding for check in POT_CHECKS for finding in check.run()] == []
    assert _called(script.server) == EVERY_PATH


def what_is_known_of_a_player(script: Script) -> None:
    assert script.server.get("/now")["now"] == "2031-05-01T12:00:00.000Z"
    assert script.server.get("/tokenlist")["tokens"][0]["apiId"] == "gold"
    assert script.server.get("/user/exists/ADA-LAKE").body == {"exists": True}
    assert script.server.get("/user/exists/nobody-here").body == {"exists": False}


def sessions_and_their_nonces(script: Script, ada: Any) -> str:
    first = script.server.post("/user/login", {"plyrId": "Ada-Lake", "otp": ada.code()})
    assert first.status == 200
    assert script.server.get("/user/info/ada-lake")["plyrId"] == "ada-lake"
    assert script.server.get("/user/balance/ada-lake").body == {"gold": "100"}
    assert script.server.get("/user/balance/ada-lake/GOLD").body == {"gold": "100"}
    assert {name: first[name] for name in ("plyrId", "gameId", "nonce", "ippClaimed", "isIPP", "avatar")} == {
        "plyrId": "ada-lake",
        "gameId": "slot",
        "nonce": 1,
        "ippClaimed": False,
        "isIPP": False,
        "avatar": "",
    }
    script.later(seconds=30)
    again = script.server.post(
        "/user/loginAndApprove",
        {
            "plyrId": "ada-lake",
            "otp": ada.code(),
            "gameId": "slot",
            "tokens": ["gold"],
            "amounts": [40],
            "expiresIn": "7200",
        },
    )
    assert again["nonce"] == 2
    public_key = script.server.get("/jwt/publicKey")["publicKey"]
    claims = jwt.decode(again["sessionJwt"], public_key, algorithms=["ES256"])
    assert claims["exp"] - claims["iat"] == 7_200
    verified = script.server.post("/user/session/verify", {"sessionJwt": again["sessionJwt"]})
    assert (verified["success"], verified["isValid"], verified["payload"]["plyrId"]) == (True, True, "ada-lake")
    ended = script.server.post("/user/session/verify", {"sessionJwt": first["sessionJwt"]})
    assert (ended.status, ended["error"]) == (401, "JWT nonce is expired")
    return str(again["sessionJwt"])


def what_may_be_spent(script: Script, ben: Any) -> str:
    ben_jwt = script.server.post("/user/login", {"plyrId": "ben-7-hill", "otp": ben.code()})["sessionJwt"]
    script.later(seconds=30)
    approved = script.server.post(
        "/game/approve",
        {"plyrId": "ben-7-hill", "gameId": "SLOT", "otp": ben.code(), "token": "gold", "amount": "30.25"},
    )
    assert approved.body == {"message": "Approved", "success": True}
    assert script.server.get("/game/allowance/ben-7-hill/slot/gold").body == {"allowance": 30.25}
    guest = script.server.post("/instantPlayPass/register", {"tokens": ["gold"]})
    assert guest["isIPP"] is True
    assert script.server.get(f"/game/allowance/{guest['plyrId']}/slot/gold").body == {"allowance": 100_000_000}
    return str(ben_jwt)


def a_room_step_by_step(script: Script, jwts: list[str]) -> None:
    made = script.do("/game/create", {"expiresIn": "3600", "maxPlayers": 5})
    result = made["taskData"]["result"]
    assert set(result) == {"gameId", "roomId", "roomAddress"}
    assert (result["gameId"], result["roomId"]) == ("slot", "1")
    assert made["taskData"]["0"] == "createGameRoom"
    assert script.do("/game/join", {"roomId": "1", "sessionJwts": jwts})["taskData"]["method"] == "joinGameRoom"
    joined = script.server.post("/game/join", {"roomId": 1, "sessionJwts": jwts, "sync": script.sync})
    assert joined.body == {"message": "All players are already joined"}
    assert script.server.get("/game/isJoined?roomId=1&plyrId=ben-7-hill").body == {"isJoined": True}
    paid = script.do(
        "/game/pay",
        {
            "roomId": 1,
            "sessionJwts": [*jwts, jwts[0]],
            "tokens": ["gold", "GOLD", "gold"],
            "amounts": [10, "10.25", 5.5],
        },
    )
    assert paid["taskData"]["0"] == "batchPayGameRoom"
    assert paid["taskData"]["result"]["payments"] == [
        {"plyrId": "ada-lake", "token": "gold", "amount": 15.5},
        {"plyrId": "ben-7-hill", "token": "gold", "amount": 10.25},
    ]
    assert script.server.get("/game/allowance/ada-lake/slot/gold").body == {"allowance": 24.5}
    room = script.server.get("/game/room/1").body
    assert (room["status"], room["balances"], room["players"], room["maxPlayers"]) == (
        "open",
        {"gold": "25.75"},
        ["ada-lake", "ben-7-hill"],
        5,
    )
    earned = script.do(
        "/game/earn", {"roomId": "1", "plyrIds": ["ben-7-hill"], "tokens": ["gold"], "amounts": ["25.75"]}
    )
    assert earned["taskData"]["result"]["distributions"] == [{"plyrId": "ben-7-hill", "token": "gold", "amount": 25.75}]
    assert script.do("/game/leave", {"roomId": "1", "sessionJwts": jwts})["taskData"]["0"] == "leaveGameRoom"
    assert script.server.get("/game/isJoined?roomId=1&plyrId=ben-7-hill").body == {"isJoined": False}
    assert script.do("/game/end", {"roomId": "1"})["taskData"]["0"] == "endGameRoom"


def a_room_in_atomic_combinations(script: Script, jwts: list[str]) -> None:
    script.do(
        "/game/createJoinPay", {"sessionJwts": jwts, "tokens": ["gold", "gold"], "amounts": [1, 2], "expiresIn": 60}
    )
    script.do("/game/joinPay", {"roomId": "2", "sessionJwts": [jwts[0]], "tokens": ["gold"], "amounts": [0.5]})
    split = {"roomId": "2", "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": ["1.25"]}
    assert script.do("/game/earnLeave", split)["taskData"]["0"] == "earnLeaveGameRoom"
    split = {"roomId": "2", "plyrIds": ["ben-7-hill"], "tokens": ["gold"], "amounts": ["2.25"]}
    assert script.do("/game/earnLeaveEnd", split)["taskData"]["0"] == "earnLeaveEndGameRoom"
    assert script.server.get("/game/room/2")["status"] == "ended"


def a_room_that_its_deadline_overtakes(script: Script, ada_jwt: str) -> None:
    script.do("/game/createJoinPay", {"sessionJwts": [ada_jwt], "tokens": ["gold"], "amounts": [3], "expiresIn": 60})
    script.later(seconds=61)
    assert script.do("/game/close", {"roomId": "3"})["taskData"]["result"]["returned"] == [
        {"token": "gold", "amount": 3}
    ]


def the_way_out(script: Script, ben: Any, ben_jwt: str) -> None:
    script.later(seconds=30)
    revoke = {"plyrId": "ben-7-hill", "gameId": "slot", "token": "gold", "otp": ben.code()}
    assert script.server.post("/game/revoke", revoke).body == {"message": "Revoked"}
    assert script.server.get("/game/allowance/ben-7-hill/slot/gold").body == {"allowance": 0}
    assert script.server.post("/user/logout", {"sessionJwt": ben_jwt}).body == {"message": "Logout success"}
    assert script.server.post("/user/session/verify", {"sessionJwt": ben_jwt}).status == 401
    if script.sync:
        last = Job.objects.latest("id")
        assert script.server.get(f"/task/status/{last.public_id}")["status"] == "SUCCESS"


def _called(server: PlyrClient) -> set[str]:
    """The routes that were called, without what varies in them."""
    called = {call.split("?")[0] for call in server.calls}
    return {path for path in EVERY_PATH for call in called if call == path or call.startswith(f"{path}/")}
