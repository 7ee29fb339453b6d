"""Pots under fire: everything at once, on real threads and connections, ends exact."""

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts.models import ApiClient
from core.db import clock
from payments import jobs, otp
from payments.api import pots as pot_views
from payments.models import Account, Allowance, Job, OtpGuard, PlayerSession, Pot, PotGame
from payments.pot_rows import Order, Row, Seat
from tests.support.books import balance
from tests.support.pots import pot_findings
from tests.support.threads import together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def submit(server, game, gold):
    """``submit(kind, number, [(person, amount), …])``: a pending job."""

    def make(kind: Job.Kind, number: int | None, rows) -> Job:
        return jobs.submit(
            client=ApiClient.objects.get(game=game),
            kind=kind,
            order=Order(
                pot_number=number,
                seats=tuple(Seat(player_id=one.profile.pk, plyr_id=one.plyr_id) for one, _ in rows),
                rows=tuple(
                    Row(
                        player_id=one.profile.pk,
                        plyr_id=one.plyr_id,
                        token_id=gold.pk,
                        symbol=gold.symbol,
                        decimals=gold.decimals,
                        amount_minor=amount,
                    )
                    for one, amount in rows
                ),
            ),
            memo={"gameId": "slot"},
            request_digest=uuid.uuid4().bytes,
            now=clock.now(),
        )

    return make


def run(job: Job):
    return lambda: jobs.run(public_id=job.public_id, now=clock.now())


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Job.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def test_a_job_delivered_ten_times_at_once_acts_once(seated, submit):
    ada = seated("ada-lake")
    job = submit(Job.Kind.CREATE_JOIN_PAY, None, [(ada, 5_000)])
    outcomes = together([run(job)] * 10)
    assert sorted(outcomes) == [False] * 9 + [True]
    assert (Pot.objects.count(), balance(ada.profile.user)) == (1, 5_000)
    assert pot_findings() == []


def test_without_the_claim_the_same_ten_deliveries_would_act_ten_times(seated, submit):
    """The negative control: the work itself, behind the claim's back."""
    ada = seated("ada-lake", allowed=100)
    job = submit(Job.Kind.CREATE_JOIN_PAY, None, [(ada, 1_000)])

    def work() -> None:
        with transaction.atomic():
            fresh = Job.objects.get(pk=job.pk)
            jobs._WORK[job.kind](fresh, Order.from_json(fresh.arguments), clock.now())

    together([work] * 10)
    assert (Pot.objects.count(), balance(ada.profile.user)) == (10, 0)


def test_the_same_signed_request_sent_ten_times_at_once_makes_one_job(server, seated):
    ada = seated("ada-lake")
    body = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [50], "sync": True}
    moment = server.timestamp()
    answers = together([lambda: server.post("/game/createJoinPay", body, timestamp=moment)] * 10)
    assert {answer.status for answer in answers} == {200}
    assert len({answer["taskId"] for answer in answers}) == 1
    assert (Job.objects.count(), Pot.objects.count(), balance(ada.profile.user)) == (1, 1, 5_000)


def test_rooms_made_at_once_are_numbered_without_gaps_even_when_some_come_to_nothing(seated, submit):
    ada, poor = seated("ada-lake"), seated("poor-pete", funds_minor=0)
    made = [submit(Job.Kind.CREATE_JOIN_PAY, None, [(poor if n % 3 == 0 else ada, 10)]) for n in range(24)]
    together([run(job) for job in made])
    assert statuses() == {"success": 16, "failed": 8}
    assert sorted(Pot.objects.values_list("number", flat=True)) == list(range(1, 17))
    assert PotGame.objects.get().last_pot_number == 16
    assert pot_findings() == []


def test_an_allowance_for_three_is_taken_three_times_by_eight(seated, submit):
    ada = seated("ada-lake", allowed=30)
    made = [submit(Job.Kind.CREATE_JOIN_PAY, None, [(ada, 1_000)]) for _ in range(8)]
    together([run(job) for job in made])
    assert statuses() == {"success": 3, "failed": 5}
    assert set(Job.objects.filter(status="failed").values_list("error_code", flat=True)) == {"INSUFFICIENT_ALLOWANCE"}
    assert Allowance.objects.get().amount_minor == 0
    assert balance(ada.profile.user) == 7_000


def test_the_last_seats_of_a_room_are_given_once(seated, server, submit):
    people = [seated(f"guest-{n}", funds_minor=0) for n in range(6)]
    assert server.post("/game/create", {"maxPlayers": 4, "sync": True})["roomId"] == "1"
    made = [submit(Job.Kind.JOIN, 1, [(one, 0)]) for one in people]
    together([run(job) for job in made])
    assert Job.objects.filter(kind="join", status="success").count() == 4
    assert Pot.objects.get().members_count == 4
    assert pot_findings() == []


def test_a_room_that_is_ended_while_players_pay_holds_nothing_or_was_not_ended(seated, submit):
    ada = seated("ada-lake")
    for _ in range(5):
        number = jobs_result(submit(Job.Kind.CREATE_JOIN_PAY, None, [(ada, 0)]))["pot_number"]
        together([run(submit(Job.Kind.PAY, number, [(ada, 10)])), run(submit(Job.Kind.END, number, []))])
        pot = Pot.objects.get(number=number)
        held = sum(Account.objects.filter(escrow_id=pot.escrow_id).values_list("balance_minor", flat=True))
        assert (pot.status, held) in {("ended", 0), ("open", 10)}
    assert pot_findings() == []


def test_players_who_pay_each_others_rooms_in_opposite_order_never_block_for_good(seated, submit):
    ada, ben = seated("ada-lake", allowed=100), seated("ben-7-hill", allowed=100)
    made = [
        submit(Job.Kind.CREATE_JOIN_PAY, None, [(ada, 10), (ben, 10)] if n % 2 else [(ben, 10), (ada, 10)])
        for n in range(16)
    ]
    assert together([run(job) for job in made]) == [True] * 16
    assert statuses() == {"success": 16}
    assert balance(ada.profile.user) == balance(ben.profile.user) == 10_000 - 160


def test_one_code_logs_in_once_of_ten_at_once(server, person):
    ada = person("ada-lake")
    code = ada.code()
    answers = together([lambda: server.post("/user/login", {"plyrId": "ada-lake", "otp": code})] * 10)
    assert sorted(answer.status for answer in answers) == [200] + [401] * 9
    assert {answer["error"] for answer in answers if answer.status == 401} == {"2FA token already used"}
    assert PlayerSession.objects.get().nonce == 1


def test_wrong_codes_at_once_are_all_counted(server, person):
    person("ada-lake")
    together([lambda: server.post("/user/login", {"plyrId": "ada-lake", "otp": "000000"})] * otp.FAILURES_MAX)
    own = OtpGuard.objects.get(subject__startswith="player:")
    assert (own.failures, own.locked_until is not None) == (otp.FAILURES_MAX, True)
    assert OtpGuard.objects.get(subject__startswith="client:").failures == otp.FAILURES_MAX


def test_counted_without_the_lock_wrong_codes_would_be_lost():
    """The negative control: read, then write what was read plus one."""
    OtpGuard.objects.create(subject="player", since=clock.now())
    barrier = threading.Barrier(5)

    def count() -> None:
        guard = OtpGuard.objects.get()
        barrier.wait(timeout=30)
        guard.failures += 1
        guard.save(update_fields=["failures"])

    together([count] * 5)
    assert OtpGuard.objects.get().failures == 1


def test_a_thousand_payments_to_fifty_rooms_end_exact_however_they_interleave(seated, server, submit):
    people = [seated(f"guest-{n}", funds_minor=100_000, allowed=1_000) for n in range(10)]
    for _ in range(50):
        jobs_result(submit(Job.Kind.CREATE_JOIN_PAY, None, [(one, 0) for one in people]))
    dice = random.Random(7)
    expected = dict.fromkeys(range(1, 51), 0)
    spent = dict.fromkeys(range(10), 0)
    made = []
    for _ in range(1_000):
        number, who, amount = dice.randint(1, 50), dice.randrange(10), dice.randint(1, 300)
        expected[number] += amount
        spent[who] += amount
        made.append(submit(Job.Kind.PAY, number, [(people[who], amount)]))
    # Four workers with the same list in different orders, and the tick beside them.
    hands = [dice.sample(made, len(made)) for _ in range(4)]

    def work(hand) -> None:
        for job in hand:
            jobs.run(public_id=job.public_id, now=clock.now())
        connection.close()

    def tick(_) -> None:
        jobs.sweep(now=clock.now())
        connection.close()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, hands))
        list(pool.map(tick, range(2)))
    assert statuses() == {"success": 1_050}
    held = dict(Account.objects.filter(kind="escrow").values_list("escrow__pot__number", "balance_minor"))
    assert held == {number: total for number, total in expected.items() if total}
    for position, one in enumerate(people):
        assert balance(one.profile.user) == 100_000 - spent[position]
        assert Allowance.objects.get(player=one.profile).amount_minor == 100_000 - spent[position]
    assert pot_findings() == []


def test_a_synchronous_request_that_takes_too_long_gets_504_and_its_task_goes_on(server, seated, monkeypatch):
    monkeypatch.setattr(pot_views, "SYNC_WAIT_SECONDS", 0.5)
    ada = seated("ada-lake")
    body = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [1]}
    moment = server.timestamp()
    asked, let_go = threading.Event(), threading.Event()

    def hold_the_job() -> None:
        """Somebody else is at it, as a slow worker is."""
        with transaction.atomic():
            Job.objects.select_for_update().get()
            asked.set()
            let_go.wait(timeout=30)
        connection.close()

    def ask():
        answer = server.post("/game/createJoinPay", {**body, "sync": True}, timestamp=moment)
        connection.close()
        return answer

    # The first asking is what makes the job; the claim is taken before anybody can do it.
    monkeypatch.setattr(pot_views, "_run_here", lambda job: None)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask).result()
        assert (first.status, first["status"]) == (504, "TIMEOUT")
        monkeypatch.undo()
        monkeypatch.setattr(pot_views, "SYNC_WAIT_SECONDS", 0.5)
        holder = pool.submit(hold_the_job)
        assert asked.wait(timeout=30)
        again = pool.submit(ask).result()
        assert (again.status, again["status"], again["taskId"]) == (504, "TIMEOUT", first["taskId"])
        let_go.set()
        holder.result()
        done = pool.submit(ask).result()
    assert (done.status, done["status"], done["taskId"]) == (200, "SUCCESS", first["taskId"])
    assert balance(ada.profile.user) == 9_900


def jobs_result(job: Job) -> dict:
    jobs.run(public_id=job.public_id, now=clock.now())
    job.refresh_from_db()
    assert job.result is not None, job.error_message
    return job.result
