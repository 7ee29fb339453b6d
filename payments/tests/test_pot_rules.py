"""What a pot allows and refuses (contract payments, "Rooms"). A refusal moves nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction

from core.db import clock
from payments import freezing, jobs, wallets
from payments.errors import JobNotFailed
from payments.models import Account, Allowance, Escrow, Job, Pot, PotMember
from payments.players import set_pot_game
from tests.support.books import balance
from tests.support.pots import no_pot_moves, pot_findings

pytestmark = pytest.mark.django_db
START = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(START, tick=False) as moving:
        yield moving


@pytest.fixture
def two(seated):
    return seated("ada-lake"), seated("ben-7-hill")


def pot_with(server, *people, amounts, **terms) -> str:
    """A room that these people made, joined and paid into."""
    body = {
        "sessionJwts": [one.jwt for one in people],
        "tokens": ["gold"] * len(people),
        "amounts": amounts,
        "sync": True,
        **terms,
    }
    answer = server.post("/game/createJoinPay", body)
    assert answer["status"] == "SUCCESS", answer.body
    return answer["roomId"]


def failed(server, path: str, body: dict) -> tuple[str, str]:
    """The sentence and code of the finished, failed task, which moved nothing."""
    with no_pot_moves():
        answer = server.post(path, {**body, "sync": True})
    assert (answer.status, answer["status"]) == (200, "FAILED"), answer.body
    return answer["errorMessage"], answer["code"]


def refused(server, path: str, body: dict) -> tuple[int, object]:
    """The status and error of a request that became no task and moved nothing."""
    tasks = Job.objects.count()
    with no_pot_moves():
        answer = server.post(path, body)
    assert Job.objects.count() == tasks
    assert set(answer.body) >= {"error", "code"}
    return answer.status, answer["error"]


class TestNumbers:
    def test_count_from_one_in_each_game(self, server, server_of, other_game):
        other = server_of(other_game)
        made = [each.post("/game/create", {"sync": True})["roomId"] for each in (server, other, server, server, other)]
        assert made == ["1", "1", "2", "3", "2"]

    def test_a_room_that_came_to_nothing_leaves_no_gap(self, server, two):
        ada, ben = two
        Account.objects.filter(owner=ben.profile.user).update(balance_minor=0)
        body = {"sessionJwts": [ada.jwt, ben.jwt], "tokens": ["gold", "gold"], "amounts": [5, 5]}
        assert failed(server, "/game/createJoinPay", body) == (
            "Insufficient balance: ben-7-hill",
            "INSUFFICIENT_FUNDS",
        )
        assert server.post("/game/create", {"sync": True})["roomId"] == "1"


class TestJoining:
    def test_many_times_is_joining_once(self, server, two):
        ada, _ = two
        server.post("/game/create", {"sync": True})
        server.post("/game/join", {"roomId": "1", "sessionJwts": [ada.jwt, ada.jwt], "sync": True})
        answer = server.post("/game/join", {"roomId": "1", "sessionJwts": [ada.jwt], "sync": True})
        assert answer.body == {"message": "All players are already joined"}
        assert PotMember.objects.count() == Pot.objects.get().members_count == 1

    def test_a_full_room_takes_nobody_of_a_group(self, server, seated):
        people = [seated(f"guest-{n}", funds_minor=0) for n in range(3)]
        server.post("/game/create", {"maxPlayers": 2, "sync": True})
        body: dict[str, Any] = {"roomId": 1, "sessionJwts": [one.jwt for one in people]}
        assert failed(server, "/game/join", body) == ("Room is full", "ROOM_FULL")
        body["sessionJwts"].pop()
        assert server.post("/game/join", {**body, "sync": True})["status"] == "SUCCESS"

    def test_a_place_that_was_left_can_be_taken_again(self, server, two):
        ada, ben = two
        number = pot_with(server, ada, amounts=[1], maxPlayers=1)
        assert failed(server, "/game/join", {"roomId": number, "sessionJwts": [ben.jwt]})[0] == "Room is full"
        assert server.post("/game/leave", {"roomId": number, "sessionJwts": [ada.jwt], "sync": True})["plyrIds"] == [
            "ada-lake"
        ]
        for who in (ben, ada):
            joined = server.post("/game/join", {"roomId": number, "sessionJwts": [who.jwt], "sync": True})
            assert joined["status"] == ("SUCCESS" if who is ben else "FAILED")

    def test_leaving_gives_nothing_back(self, server, two):
        ada, _ = two
        number = pot_with(server, ada, amounts=[10])
        server.post("/game/leave", {"roomId": number, "sessionJwts": [ada.jwt], "sync": True})
        assert balance(ada.profile.user) == 9_000
        assert refused(server, "/game/leave", {"roomId": number, "sessionJwts": [ada.jwt]}) == (
            401,
            ["Player is not joined: ada-lake"],
        )


class TestPaying:
    def test_lowers_the_allowance_by_the_sum_of_the_rows(self, server, two):
        ada, _ = two
        number = pot_with(server, ada, amounts=[20])
        rows = {"roomId": number, "sessionJwts": [ada.jwt] * 2, "tokens": ["gold"] * 2}
        # 30 are left: each row alone would fit.
        assert refused(server, "/game/pay", {**rows, "amounts": [15.01, 15]}) == (
            401,
            ["Insufficient allowance: ada-lake"],
        )
        paid = server.post("/game/pay", {**rows, "amounts": [15, 15], "sync": True})
        assert paid["payments"] == [{"plyrId": "ada-lake", "token": "gold", "amount": 30}]
        assert Allowance.objects.get(player=ada.profile).amount_minor == 0

    def test_is_for_who_is_in_the_room(self, server, two):
        ada, ben = two
        number = pot_with(server, ada, amounts=[1])
        for amount in (1, 0):
            body = {"roomId": number, "sessionJwts": [ben.jwt], "tokens": ["gold"], "amounts": [amount]}
            assert refused(server, "/game/pay", body) == (401, ["Player is not joined: ben-7-hill"])

    def test_of_nothing_is_a_payment_that_moves_nothing(self, server, two):
        ada, _ = two
        number = pot_with(server, ada, amounts=[1])
        body = {"roomId": number, "sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [0], "sync": True}
        with no_pot_moves():
            assert server.post("/game/pay", body)["payments"] == []

    def test_in_several_tokens_keeps_them_apart(self, server, seated, traveller):
        with transaction.atomic():
            wallets.ensure_token(symbol="GEM", name="Gem", decimals=0)
            wallets.ensure_token(symbol="DUST", name="Dust", decimals=8)
        ada = seated("ada-lake")
        for symbol in ("GEM", "DUST"):
            Account.objects.create(
                kind="wallet", owner=ada.profile.user, token=wallets.token_by_symbol(symbol), balance_minor=500
            )
        traveller.shift(timedelta(seconds=30))
        body = {"plyrId": "ada-lake", "gameId": "slot", "otp": ada.code(), "tokens": ["gem", "dust"], "amounts": [9, 9]}
        assert server.post("/game/approve", body).status == 200
        body = {"sessionJwts": [ada.jwt] * 3, "tokens": ["gem", "dust", "gold"], "amounts": ["3", 0.0000001, 2.5]}
        raw = server.post("/game/createJoinPay", {**body, "sync": True})
        assert [row["amount"] for row in raw["payments"]] == [3, 1e-07, 2.5]
        assert server.get("/game/room/1")["balances"] == {"dust": "0.0000001", "gem": "3", "gold": "2.5"}
        assert Account.objects.get(escrow__pot__number=1, token__symbol="DUST").balance_minor == 10


class TestEarning:
    def test_comes_from_the_pot_only(self, server, two):
        ada, ben = two
        number = pot_with(server, ada, ben, amounts=[10, 5])
        pot_with(server, ada, amounts=[40])
        body = {"roomId": number, "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": ["15.01"]}
        assert failed(server, "/game/earn", body) == ("Insufficient room balance", "INSUFFICIENT_ROOM_BALANCE")
        assert server.post("/game/earn", {**body, "amounts": [15], "sync": True})["status"] == "SUCCESS"
        assert balance(ada.profile.user) == 10_000 - 1_000 - 4_000 + 1_500

    def test_is_for_who_is_or_was_in_the_room(self, server, two):
        ada, _ = two
        number = pot_with(server, ada, amounts=[10])
        body = {"roomId": number, "plyrIds": ["ben-7-hill"], "tokens": ["gold"], "amounts": [1]}
        assert refused(server, "/game/earn", body) == (401, ["Player is not joined: ben-7-hill"])
        server.post("/game/leave", {"roomId": number, "sessionJwts": [ada.jwt], "sync": True})
        gone = {**body, "plyrIds": ["ada-lake"]}
        assert refused(server, "/game/earnLeave", gone) == (401, ["Player is not joined: ada-lake"])
        assert server.post("/game/earn", {**gone, "sync": True})["status"] == "SUCCESS"

    def test_pays_the_house_its_share_rounded_down(self, server, two, settings):
        settings.POT_HOUSE_FEE_BP = 250
        ada, ben = two
        number = pot_with(server, ada, ben, amounts=[10, 5])
        body = {"roomId": number, "plyrIds": ["ada-lake", "ben-7-hill"], "tokens": ["gold", "gold"]}
        answer = server.post("/game/earnLeaveEnd", {**body, "amounts": ["14.61", "0.39"], "sync": True})
        # 2.5 % of 1461 units is 36.5; of 39 units less than one.
        assert answer["distributions"] == [
            {"plyrId": "ada-lake", "token": "gold", "amount": 14.25, "fee": 0.36},
            {"plyrId": "ben-7-hill", "token": "gold", "amount": 0.39},
        ]
        assert Account.objects.get(kind="house").balance_minor == 36
        assert pot_findings() == []


class TestEndingAndClosing:
    def test_a_room_that_holds_anything_cannot_be_ended(self, server, two):
        ada, ben = two
        number = pot_with(server, ada, ben, amounts=[10, 5])
        assert failed(server, "/game/end", {"roomId": number}) == ("Room is not empty", "ROOM_NOT_EMPTY")
        body = {"roomId": number, "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": [14]}
        assert failed(server, "/game/earnLeaveEnd", body)[1] == "ROOM_NOT_EMPTY"

    def test_a_room_that_is_over_refuses_everything_but_leaving(self, server, two):
        ada, ben = two
        number = pot_with(server, ada, amounts=[0])
        server.post("/game/end", {"roomId": number, "sync": True})
        stake = {"roomId": number, "tokens": ["gold"], "amounts": [0]}
        refused: list[tuple[str, dict[str, Any]]] = [
            ("/game/join", {"roomId": number, "sessionJwts": [ben.jwt]}),
            ("/game/pay", {**stake, "sessionJwts": [ada.jwt]}),
            ("/game/joinPay", {**stake, "sessionJwts": [ben.jwt]}),
            ("/game/earn", {**stake, "plyrIds": ["ada-lake"]}),
            ("/game/earnLeave", {**stake, "plyrIds": ["ada-lake"]}),
            ("/game/end", {"roomId": number}),
            ("/game/close", {"roomId": number}),
        ]
        for path, body in refused:
            assert failed(server, path, body) == ("Room has ended", "ROOM_ENDED")
        left = server.post("/game/leave", {"roomId": number, "sessionJwts": [ada.jwt], "sync": True})
        assert left["status"] == "SUCCESS"

    def test_after_the_deadline_nobody_joins_or_pays_but_who_won_still_earns(self, server, two, traveller):
        ada, ben = two
        number = pot_with(server, ada, amounts=[10], expiresIn=60)
        traveller.shift(timedelta(seconds=60))
        stake = {"roomId": number, "tokens": ["gold"], "amounts": [1]}
        assert failed(server, "/game/join", {"roomId": number, "sessionJwts": [ben.jwt]})[0] == "Room has expired"
        assert failed(server, "/game/pay", {**stake, "sessionJwts": [ada.jwt]})[0] == "Room has expired"
        earned = server.post("/game/earn", {**stake, "plyrIds": ["ada-lake"], "sync": True})
        assert earned["status"] == "SUCCESS"

    def test_only_an_expired_room_can_be_closed_and_the_rest_is_its_games_owners(
        self, server, two, traveller, game, master
    ):
        ada, _ = two
        number = pot_with(server, ada, amounts=[10], expiresIn=60)
        set_pot_game(game=game, public_id=None, owner=master)
        assert failed(server, "/game/close", {"roomId": number}) == ("Room has not expired yet", "ROOM_NOT_EXPIRED")
        traveller.shift(timedelta(seconds=60))
        answer = server.post("/game/close", {"roomId": number, "sync": True})
        assert answer["returned"] == [{"token": "gold", "amount": 10}]
        assert balance(master) == 1_000
        assert Pot.objects.get().status == "closed"
        assert failed(server, "/game/close", {"roomId": number})[1] == "ROOM_ENDED"

    def test_a_game_without_an_owner_keeps_the_rest_where_it_is(self, server, two, traveller):
        ada, _ = two
        number = pot_with(server, ada, amounts=[10], expiresIn=60)
        traveller.shift(timedelta(seconds=60))
        assert failed(server, "/game/close", {"roomId": number})[1] == "GAME_OWNER_MISSING"


class TestSomebodyElsesRoom:
    def test_is_not_there_for_another_game(self, server, server_of, seated, other_game, gold):
        ada = seated("ada-lake")
        pot_with(server, ada, amounts=[10])
        task = Job.objects.get()
        other = server_of(other_game)
        assert other.get(f"/task/status/{task.public_id}").body == {"status": "NOT_FOUND"}
        assert other.get("/game/room/1").status == 404
        assert other.get("/game/isJoined?roomId=1&plyrId=ada-lake").body == {"isJoined": False}
        with no_pot_moves():
            for path in ("/game/end", "/game/close"):
                answer = other.post(path, {"roomId": "1"})
                assert (answer.status, answer["error"], answer["code"]) == (404, "Room not found", "ROOM_NOT_FOUND")
            earn = {"roomId": "1", "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": [1]}
            for path in ("/game/earn", "/game/earnLeave", "/game/earnLeaveEnd"):
                assert other.post(path, earn)["error"] == "Room not found"
            for path in ("/game/join", "/game/leave"):
                answer = other.post(path, {"roomId": "1", "sessionJwts": [ada.jwt]})
                assert answer["invalidPlyrIds"] == {"ada-lake": "Invalid gameId"}
        assert other.get("/game/allowance/ada-lake/slot/gold")["error"] == "Invalid gameId"

    def test_what_a_session_controls_can_be_no_pot(self, game, make_room):
        escrow = make_room().current_session.escrow
        with pytest.raises(IntegrityError), transaction.atomic():
            Pot.objects.create(
                game=game, number=1, escrow=escrow, address="0x1", deadline=clock.now(), created_at=clock.now()
            )
        assert not Pot.objects.exists()

    def test_nor_can_a_pot_be_given_such_an_escrow_later_or_an_escrow_change_hands(self, server, make_room):
        server.post("/game/create", {"sync": True})
        escrow = make_room().current_session.escrow
        with pytest.raises(IntegrityError), transaction.atomic():
            Pot.objects.update(escrow=escrow)
        with pytest.raises(DatabaseError, match="controller of an escrow is fixed"), transaction.atomic():
            Escrow.objects.filter(pk=escrow.pk).update(controller="pot")
        assert Pot.objects.get().escrow.controller == "pot"


class TestTasks:
    def test_a_failed_one_tells_why_and_can_be_tried_again_by_staff(self, server, two, staff, fund):
        ada, _ = two
        Account.objects.filter(owner=ada.profile.user).update(balance_minor=0)
        body = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [5]}
        failed(server, "/game/createJoinPay", body)
        job = Job.objects.get()
        assert (job.status, job.error_code, job.receipt_hash) == ("failed", "INSUFFICIENT_FUNDS", None)
        Account.objects.filter(owner=ada.profile.user).update(balance_minor=10_000)
        jobs.retry_failed(public_id=job.public_id, actor=staff, now=clock.now())
        assert jobs.sweep(now=clock.now()) == 1
        assert server.get(f"/task/status/{job.public_id}")["status"] == "SUCCESS"
        assert Job.objects.get().retried_by == staff
        with pytest.raises(JobNotFailed):
            jobs.retry_failed(public_id=job.public_id, actor=staff, now=clock.now())

    @pytest.mark.parametrize(
        "task_id", ["x", "1", "%00", "00000000-0000-4000-8000-000000000000", "A" * 36, "%E2%82%AC"]
    )
    def test_an_unknown_one_is_not_found_with_200(self, server, task_id):
        answer = server.get(f"/task/status/{task_id}")
        assert (answer.status, answer.body) == (200, {"status": "NOT_FOUND"})

    def test_results_are_kept_for_seven_days_and_what_is_pending_for_ever(self, server, traveller):
        server.post("/game/create", {"sync": True})
        server.post("/game/create", {})
        traveller.shift(timedelta(days=7))
        assert jobs.prune(now=clock.now()) == 0
        traveller.shift(timedelta(seconds=1))
        assert jobs.prune(now=clock.now()) == 1
        assert Job.objects.get().status == "pending"


class TestAFrozenToken:
    @pytest.fixture
    def number(self, server, two, gold):
        number = pot_with(server, *two, amounts=[20, 10])
        assert freezing.freeze(token_id=gold.pk, now=START, reason="test")
        return number

    def test_lets_nobody_pay_earn_or_close(self, server, two, number, traveller, staff, game):
        set_pot_game(game=game, public_id=None, owner=staff)
        ada, _ = two
        rows = {"roomId": number, "tokens": ["gold"], "amounts": [5]}
        sentence = "Payments in this token are temporarily unavailable, please try again later"
        assert failed(server, "/game/pay", {**rows, "sessionJwts": [ada.jwt]}) == (sentence, "TOKEN_FROZEN")
        assert failed(server, "/game/earn", {**rows, "plyrIds": ["ada-lake"]}) == (sentence, "TOKEN_FROZEN")
        traveller.move_to(Pot.objects.get().deadline)
        assert failed(server, "/game/close", {"roomId": number}) == (sentence, "TOKEN_FROZEN")
        assert pot_findings() == []

    def test_goes_on_when_it_is_released(self, server, two, number, gold, staff):
        freezing.release(token_id=gold.pk, now=START, reason="right again", actor=staff)
        ada, _ = two
        rows = {"roomId": number, "sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [5]}
        assert server.post("/game/pay", {**rows, "sync": True})["status"] == "SUCCESS"
        assert balance(ada.profile.user) == 7_500
