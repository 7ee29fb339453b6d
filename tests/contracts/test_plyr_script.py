"""Every call of contract payments, one after the other, as a game's server makes them: at once and by tasks."""

from datetime import UTC, datetime, timedelta

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


@pytest.fixture
def clock_at():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def later(traveller, **step) -> None:
    traveller.shift(timedelta(**step))


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.django_db(transaction=True)
def test_every_call_of_the_contract_does_what_it_says(clock_at, server, person, fund, game, master, sync):
    ada, ben = person("ada-lake"), person("ben-7-hill")
    fund(ada.profile.user, 10_000)
    fund(ben.profile.user, 10_000)
    set_pot_game(game=game, public_id=None, owner=master)
    server.calls.clear()

    def do(path: str, body: dict) -> Answer:
        """The finished task, whichever way it was asked for."""
        answer = server.post(path, {**body, "sync": True} if sync else body)
        assert answer.status == 200, answer.body
        if not sync:
            answer = server.finished(answer, tick=lambda: later(clock_at, seconds=3) or jobs.sweep(now=_now()))
        assert answer["status"] == "SUCCESS", answer.body
        return answer

    # Players: sessions and what may be spent.
    assert server.get("/now")["now"] == "2031-05-01T12:00:00.000Z"
    assert server.get("/tokenlist")["tokens"][0]["apiId"] == "gold"
    assert server.get("/user/exists/ADA-LAKE").body == {"exists": True}
    assert server.get("/user/exists/nobody-here").body == {"exists": False}
    assert server.get("/user/info/ada-lake")["plyrId"] == "ada-lake"
    assert server.get("/user/balance/ada-lake").body == {"gold": "100"}
    assert server.get("/user/balance/ada-lake/GOLD").body == {"gold": "100"}

    first = server.post("/user/login", {"plyrId": "Ada-Lake", "otp": ada.code()})
    assert first.status == 200
    assert {name: first[name] for name in ("plyrId", "gameId", "nonce", "ippClaimed", "isIPP", "avatar")} == {
        "plyrId": "ada-lake",
        "gameId": "slot",
        "nonce": 1,
        "ippClaimed": False,
        "isIPP": False,
        "avatar": "",
    }
    later(clock_at, seconds=30)
    again = server.post(
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
    public_key = server.get("/jwt/publicKey")["publicKey"]
    claims = jwt.decode(again["sessionJwt"], public_key, algorithms=["ES256"])
    assert claims["exp"] - claims["iat"] == 7_200
    verified = server.post("/user/session/verify", {"sessionJwt": again["sessionJwt"]})
    assert (verified["success"], verified["isValid"], verified["payload"]["plyrId"]) == (True, True, "ada-lake")
    ended = server.post("/user/session/verify", {"sessionJwt": first["sessionJwt"]})
    assert (ended.status, ended["error"]) == (401, "JWT nonce is expired")

    ben_jwt = server.post("/user/login", {"plyrId": "ben-7-hill", "otp": ben.code()})["sessionJwt"]
    later(clock_at, seconds=30)
    approved = server.post(
        "/game/approve",
        {"plyrId": "ben-7-hill", "gameId": "SLOT", "otp": ben.code(), "token": "gold", "amount": "30.25"},
    )
    assert approved.body == {"message": "Approved", "success": True}
    assert server.get("/game/allowance/ben-7-hill/slot/gold").body == {"allowance": 30.25}
    guest = server.post("/instantPlayPass/register", {"tokens": ["gold"]})
    assert guest["isIPP"] is True
    assert server.get(f"/game/allowance/{guest['plyrId']}/slot/gold").body == {"allowance": 100_000_000}
    jwts = [again["sessionJwt"], ben_jwt]

    # A room step by step.
    made = do("/game/create", {"expiresIn": "3600", "maxPlayers": 5})
    result = made["taskData"]["result"]
    assert set(result) == {"gameId", "roomId", "roomAddress"}
    assert (result["gameId"], result["roomId"]) == ("slot", "1")
    assert made["taskData"]["0"] == "createGameRoom"
    assert do("/game/join", {"roomId": "1", "sessionJwts": jwts})["taskData"]["method"] == "joinGameRoom"
    joined = server.post("/game/join", {"roomId": 1, "sessionJwts": jwts, "sync": sync})
    assert joined.body == {"message": "All players are already joined"}
    assert server.get("/game/isJoined?roomId=1&plyrId=ben-7-hill").body == {"isJoined": True}
    paid = do(
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
    assert server.get("/game/allowance/ada-lake/slot/gold").body == {"allowance": 24.5}
    room = server.get("/game/room/1").body
    assert (room["status"], room["balances"], room["players"], room["maxPlayers"]) == (
        "open",
        {"gold": "25.75"},
        ["ada-lake", "ben-7-hill"],
        5,
    )
    earned = do("/game/earn", {"roomId": "1", "plyrIds": ["ben-7-hill"], "tokens": ["gold"], "amounts": ["25.75"]})
    assert earned["taskData"]["result"]["distributions"] == [{"plyrId": "ben-7-hill", "token": "gold", "amount": 25.75}]
    assert do("/game/leave", {"roomId": "1", "sessionJwts": jwts})["taskData"]["0"] == "leaveGameRoom"
    assert server.get("/game/isJoined?roomId=1&plyrId=ben-7-hill").body == {"isJoined": False}
    assert do("/game/end", {"roomId": "1"})["taskData"]["0"] == "endGameRoom"

    # The same in two calls, and with one step more.
    do("/game/createJoinPay", {"sessionJwts": jwts, "tokens": ["gold", "gold"], "amounts": [1, 2], "expiresIn": 60})
    do("/game/joinPay", {"roomId": "2", "sessionJwts": [jwts[0]], "tokens": ["gold"], "amounts": [0.5]})
    split = {"roomId": "2", "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": ["1.25"]}
    assert do("/game/earnLeave", split)["taskData"]["0"] == "earnLeaveGameRoom"
    split = {"roomId": "2", "plyrIds": ["ben-7-hill"], "tokens": ["gold"], "amounts": ["2.25"]}
    assert do("/game/earnLeaveEnd", split)["taskData"]["0"] == "earnLeaveEndGameRoom"
    assert server.get("/game/room/2")["status"] == "ended"

    # A room that its deadline overtakes: the rest is the game owner's.
    do("/game/createJoinPay", {"sessionJwts": [jwts[0]], "tokens": ["gold"], "amounts": [3], "expiresIn": 60})
    later(clock_at, seconds=61)
    assert do("/game/close", {"roomId": "3"})["taskData"]["result"]["returned"] == [{"token": "gold", "amount": 3}]
    assert balance(master) == 300

    # The way out.
    later(clock_at, seconds=30)
    revoke = {"plyrId": "ben-7-hill", "gameId": "slot", "token": "gold", "otp": ben.code()}
    assert server.post("/game/revoke", revoke).body == {"message": "Revoked"}
    assert server.get("/game/allowance/ben-7-hill/slot/gold").body == {"allowance": 0}
    assert server.post("/user/logout", {"sessionJwt": ben_jwt}).body == {"message": "Logout success"}
    assert server.post("/user/session/verify", {"sessionJwt": ben_jwt}).status == 401
    if sync:
        last = Job.objects.latest("id")
        assert server.get(f"/task/status/{last.public_id}")["status"] == "SUCCESS"

    assert balance(ada.profile.user) == 10_000 - 1_550 - 150 + 125 - 300
    assert balance(ben.profile.user) == 10_000 - 1_025 + 2_575 - 200 + 225
    assert balance(ada.profile.user) + balance(ben.profile.user) + balance(master) == 20_000
    assert findings() == []
    assert [finding for check in POT_CHECKS for finding in check.run()] == []
    assert _called(server) == EVERY_PATH


def _called(server: PlyrClient) -> set[str]:
    """The routes that were called, without what varies in them."""
    called = {call.split("?")[0] for call in server.calls}
    return {path for path in EVERY_PATH for call in called if call == path or call.startswith(f"{path}/")}


def _now() -> datetime:
    return datetime.now(UTC)
