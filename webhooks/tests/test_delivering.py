"""What is told arrives, signed, once or more often, and what does not is tried again and given up in the end."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from standardwebhooks.webhooks import WebhookVerificationError

from accounts.models import User
from core.db import clock
from tests.support.receiver import Reply
from webhooks import courier, deliveries, endpoints, outbox, signing
from webhooks.catalogue import EventType
from webhooks.deliveries import ATTEMPTS_MAX, PAUSES_SECONDS
from webhooks.errors import DeliveryNotFound, DeliveryPending, EndpointDisabled
from webhooks.models import Delivery, Endpoint, Event
from webhooks.outbox import Audience
from webhooks.sending import Outcome, seconds_after
from webhooks.tests.conftest import everything, only, tell

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


FAILED = Outcome(status=500, error="500 Internal Server Error")


def fail_once(now, outcome=FAILED):
    """One failed attempt at ``now``; the delivery afterwards."""
    (claimed,) = deliveries.claim_due(limit=10, now=now)
    deliveries.settle(claimed=claimed, outcome=outcome, now=now)
    return only()


def test_an_event_arrives_signed_and_as_documented(listen, receiver):
    issued = listen(EventType.WALLET_DEPOSITED)
    now = clock.now()
    assert tell(EventType.WALLET_DEPOSITED, now=now, user_id=7, amount="5.00") == 1
    assert courier.advance(now=now) == 1
    (got,) = receiver.got
    data = {"user_id": 7, "amount": "5.00"}
    assert got.verified(issued.secret) == {
        "type": "wallet.deposited", "timestamp": outbox.time_text(now), "data": data
    }  # fmt: skip
    assert got.id == Event.objects.get().public_id
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "gameplatform-webhooks/1"
    delivery = only()
    assert (delivery.state, delivery.attempts, delivery.last_status, delivery.last_error) == ("delivered", 1, 200, "")
    assert courier.advance(now=now + timedelta(days=1)) == 0


def test_a_changed_body_or_another_secret_does_not_verify(listen, receiver):
    issued = listen()
    tell(amount="5.00")
    courier.advance(now=clock.now())
    (got,) = receiver.got
    with pytest.raises(WebhookVerificationError):
        got.verified(signing.new_secret())
    got.body = got.body.replace(b"5.00", b"6.00")
    with pytest.raises(WebhookVerificationError):
        got.verified(issued.secret)


def test_while_a_secret_is_rotated_both_verify_and_then_the_new_one_alone(listen, receiver):
    old = listen()
    now = clock.now()
    new = endpoints.rotate_secret(
        endpoint_id=old.endpoint.pk, among=everything(), old_ends_at=now + timedelta(hours=1), actor=None, now=now
    )
    tell(now=now)
    courier.advance(now=now)
    first = receiver.got[0]
    assert first.verified(old.secret) == first.verified(new.secret)
    assert len(first.headers["webhook-signature"].split(" ")) == 2
    Endpoint.objects.update(old_secret_ends_at=now)
    tell(now=now)
    courier.advance(now=now)
    assert receiver.got[1].verified(new.secret)
    with pytest.raises(WebhookVerificationError):
        receiver.got[1].verified(old.secret)


def test_secrets_are_kept_encrypted(listen):
    issued = listen()
    stored = bytes(Endpoint.objects.get().secret_encrypted)
    assert issued.secret.startswith("whsec_")
    assert issued.secret.encode() not in stored
    assert issued.secret.removeprefix("whsec_").encode() not in stored


def test_nothing_is_written_when_nobody_listens(listen, django_assert_num_queries):
    listen(EventType.WALLET_WITHDRAWN)
    with transaction.atomic():
        with django_assert_num_queries(1):
            assert tell_inside() == 0
    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)


def tell_inside() -> int:
    return outbox.record(type=EventType.WALLET_DEPOSITED, data={}, audience=Audience(), now=NOW)


def test_an_event_shares_the_fate_of_its_transaction(listen):
    listen()

    class PowerCut(Exception):
        pass

    def tell_and_fail():
        with transaction.atomic():
            assert tell_inside() == 1
            assert Delivery.objects.count() == 1
            raise PowerCut

    with pytest.raises(PowerCut):
        tell_and_fail()
    assert Delivery.objects.count() == 0
    with transaction.atomic():
        assert tell_inside() == 1
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_event_without_a_transaction_is_refused(listen):
    listen()
    with pytest.raises(RuntimeError):
        tell_inside()
    assert Event.objects.count() == 0


def test_an_event_is_never_changed(listen):
    listen()
    tell(amount="5.00", now=NOW)
    for change in ({"data": {}}, {"type": "wallet.withdrawn"}, {"occurred_at": NOW + timedelta(1)}):
        with pytest.raises(ProgrammingError, match="never changed"), transaction.atomic():
            Event.objects.update(**change)
    twin = only()
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_the_schedule_to_the_second_and_then_dead(listen):
    listen()
    now = NOW
    tell(now=now)
    for attempt, pause in enumerate(PAUSES_SECONDS, start=1):
        assert deliveries.claim_due(limit=10, now=now - timedelta(milliseconds=1)) == []
        delivery = fail_once(now)
        assert (delivery.state, delivery.attempts) == ("pending", attempt)
        waited = (delivery.next_attempt_at - now).total_seconds()
        assert pause <= waited < pause * 1.1
        now = delivery.next_attempt_at
    assert PAUSES_SECONDS == (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    last = fail_once(now)
    assert (last.state, last.attempts, last.finished_at) == ("dead", ATTEMPTS_MAX, now)
    assert deliveries.claim_due(limit=10, now=now + timedelta(days=9)) == []


def test_pauses_are_spread(listen):
    listen()
    for _ in range(20):
        tell(now=NOW)
    pauses = set()
    for _ in range(20):
        for claimed in deliveries.claim_due(limit=1, now=NOW):
            pauses.add(deliveries.next_pause(claimed, Outcome(status=500)))
            deliveries.settle(claimed=claimed, outcome=Outcome(status=500), now=NOW)
    assert len(pauses) == 20


@pytest.mark.parametrize(("asked", "waited"), [(60.0, 60.0), (1.0, None), (10_000_000.0, 86_400.0)])
def test_retry_after_is_honoured_up_to_a_day(listen, asked, waited):
    listen()
    tell(now=NOW)
    delivery = fail_once(NOW, Outcome(status=503, error="503", retry_after_seconds=asked))
    seconds = (delivery.next_attempt_at - NOW).total_seconds()
    assert seconds == waited if waited else 5 <= seconds < 5.5


def test_retry_after_is_read_as_seconds_or_as_a_date():
    assert seconds_after("120", NOW) == 120
    assert seconds_after("Sun, 01 Mar 2026 12:01:30 GMT", NOW) == 90
    assert seconds_after("Sun, 01 Mar 2026 11:00:00 GMT", NOW) == 0
    assert [seconds_after(text, NOW) for text in (None, "", "soon", "-5", "9" * 30, "1.5")] == [None] * 6


def test_the_header_reaches_the_schedule(listen, receiver):
    listen()
    receiver.reply = lambda got: Reply(status=429, headers={"Retry-After": "700"})
    now = clock.now()
    tell(now=now)
    courier.advance(now=now)
    delivery = only()
    assert (delivery.state, delivery.last_status, delivery.last_error) == ("pending", 429, "429 Too Many Requests")
    assert 699 < (delivery.next_attempt_at - now).total_seconds() < 712


def test_a_redirect_is_not_followed(listen, receiver):
    listen()
    receiver.reply = lambda got: Reply(status=307, headers={"Location": receiver.url("/elsewhere")})
    tell()
    courier.advance(now=clock.now())
    assert [got.path for got in receiver.got] == ["/hooks"]
    assert only().last_error == "307 redirects are not followed"


def test_an_answer_that_goes_on_and_on_is_not_read_to_its_end(listen, receiver):
    listen()
    receiver.reply = lambda got: Reply(body=b"x" * 50_000_000)
    tell()
    began = time.monotonic()
    courier.advance(now=clock.now())
    assert time.monotonic() - began < 3
    assert only().state == "delivered"


def test_gone_disables_the_endpoint_and_gives_up_all_that_was_on_its_way(listen, receiver):
    listen()
    receiver.reply = lambda got: Reply(status=410)
    now = clock.now()
    for _ in range(3):
        tell(now=now)
    Delivery.objects.filter(pk__gt=Delivery.objects.earliest("pk").pk).update(next_attempt_at=now + timedelta(hours=1))
    courier.advance(now=now)
    endpoint = Endpoint.objects.get()
    assert endpoint.disabled_reason == "It answered 410 Gone"
    assert endpoint.disabled_at is not None
    assert list(Delivery.objects.values_list("state", flat=True)) == ["dead"] * 3
    assert len(receiver.got) == 1
    assert tell() == 0


def test_an_endpoint_that_fails_for_five_days_is_disabled_and_one_success_starts_the_count_anew(listen):
    listen()
    for _ in range(4):
        tell(now=NOW)
    rows = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))

    def attempt(pk, now, outcome):
        Delivery.objects.filter(state="pending").update(next_attempt_at=NOW + timedelta(days=30))
        Delivery.objects.filter(pk=pk).update(next_attempt_at=now)
        (claimed,) = deliveries.claim_due(limit=9, now=now)
        assert claimed.delivery_id == pk
        deliveries.settle(claimed=claimed, outcome=outcome, now=now)
        return Endpoint.objects.get()

    bad, good = Outcome(error="No answer within 5 s"), Outcome(status=204)
    assert attempt(rows[0], NOW, bad).failing_since == NOW
    assert attempt(rows[1], NOW + timedelta(days=4), good).failing_since is None
    later = NOW + timedelta(days=4, hours=1)
    assert attempt(rows[0], later, bad).failing_since == later
    just_before = later + timedelta(days=5) - timedelta(seconds=1)
    assert attempt(rows[0], just_before, bad).disabled_at is None
    endpoint = attempt(rows[0], later + timedelta(days=5), bad)
    assert endpoint.disabled_reason == "Every attempt of 5 days has failed"
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == [
        "dead",
        "delivered",
        "dead",
        "dead",
    ]


def test_what_is_given_up_is_replayed_under_the_same_id(listen, receiver, staff):
    issued = listen()
    now = clock.now()
    tell(now=now)
    receiver.reply = lambda got: Reply(status=500)
    courier.advance(now=now)
    with pytest.raises(DeliveryPending):
        replay(only().pk, staff, now)
    Delivery.objects.update(state="dead", finished_at=now)
    receiver.reply = lambda got: Reply()
    replay(only().pk, staff, now)
    assert (only().state, only().attempts) == ("pending", 0)
    courier.advance(now=now)
    assert only().state == "delivered"
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert second.verified(issued.secret)
    with pytest.raises(DeliveryNotFound):
        deliveries.replay(delivery_id=only().pk, actor=staff, reason="r", now=now, among=Endpoint.objects.none())
    endpoints.disable(endpoint_id=issued.endpoint.pk, among=everything(), actor=staff, reason="no", now=now)
    with pytest.raises(EndpointDisabled):
        replay(only().pk, staff, now)


def replay(delivery_id, staff, now):
    deliveries.replay(delivery_id=delivery_id, actor=staff, reason="repaired", now=now, among=everything())


def test_all_the_dead_of_one_endpoint_are_replayed_at_once(listen, staff):
    mine, other = listen().endpoint, listen().endpoint
    for _ in range(3):
        tell(now=NOW)
    Delivery.objects.update(state="dead", finished_at=NOW)
    count = deliveries.replay_dead(endpoint_id=mine.pk, actor=staff, reason="repaired", now=NOW, among=everything())
    assert count == 3
    assert set(Delivery.objects.filter(endpoint=mine).values_list("state", flat=True)) == {"pending"}
    assert set(Delivery.objects.filter(endpoint=other).values_list("state", flat=True)) == {"dead"}


def test_a_claim_that_ran_out_is_taken_over_and_the_late_worker_changes_nothing(listen):
    listen()
    tell(now=NOW)
    (slow,) = deliveries.claim_due(limit=9, now=NOW)
    assert deliveries.claim_due(limit=9, now=NOW + timedelta(seconds=59)) == []
    taken_at = NOW + timedelta(seconds=60)
    (quick,) = deliveries.claim_due(limit=9, now=taken_at)
    assert (quick.delivery_id, quick.message_id, quick.attempt) == (slow.delivery_id, slow.message_id, 2)
    assert deliveries.settle(claimed=slow, outcome=Outcome(status=500), now=taken_at) is None
    assert only().claim == quick.claim
    assert Endpoint.objects.get().failing_since is None
    assert deliveries.settle(claimed=quick, outcome=Outcome(status=200), now=taken_at) == "delivered"


def test_no_endpoint_has_more_than_its_share_under_way_and_a_failing_one_has_one(listen):
    busy, other = listen().endpoint, listen().endpoint
    for _ in range(10):
        tell(now=NOW)
    first = deliveries.claim_due(limit=32, now=NOW)
    assert sorted(one.endpoint_id for one in first) == [busy.pk] * 4 + [other.pk] * 4
    assert deliveries.claim_due(limit=32, now=NOW) == []
    mine = [one for one in first if one.endpoint_id == busy.pk]
    deliveries.settle(claimed=mine[0], outcome=Outcome(status=200), now=NOW)
    assert [one.endpoint_id for one in deliveries.claim_due(limit=32, now=NOW)] == [busy.pk]
    Endpoint.objects.filter(pk=busy.pk).update(failing_since=NOW)
    later = NOW + timedelta(seconds=60)
    assert sorted(one.endpoint_id for one in deliveries.claim_due(limit=32, now=later)) == [busy.pk] + [other.pk] * 4


def test_one_slow_endpoint_does_not_hold_up_the_others(listen, receiver):
    slow, quick = listen(url=receiver.url("/slow")), listen(url=receiver.url("/quick"))
    receiver.reply = lambda got: Reply(after_seconds=1.5 if got.path == "/slow" else 0)
    for _ in range(12):
        tell()
    began = time.monotonic()
    courier.advance(now=clock.now())
    assert Delivery.objects.filter(state="delivered").count() == 24
    late = {path: max(got.at for got in receiver.got if got.path == path) - began for path in ("/slow", "/quick")}
    # Four at a time: the third round of the slow one begins after two rounds of 1.5 s.
    assert late["/slow"] > 3
    assert late["/quick"] < 1.5
    assert receiver.most_inside <= 8
    assert {slow.endpoint.pk, quick.endpoint.pk} == set(Endpoint.objects.values_list("pk", flat=True))


def test_a_worker_has_one_courier_at_a_time(listen, receiver):
    listen()
    receiver.reply = lambda got: Reply(after_seconds=0.5)
    tell()
    second = []

    def meanwhile():
        receiver.wait_for(1)
        second.append(courier.advance(now=clock.now()))

    thread = threading.Thread(target=meanwhile)
    thread.start()
    assert courier.advance(now=clock.now()) == 1
    thread.join()
    assert second == [0]


@pytest.mark.parametrize("mark", ["is_active", "is_master"])
def test_an_endpoint_whose_owner_was_switched_off_gets_nothing_until_it_is_on_again(listen, master, mark):
    listen(EventType.SESSION_ENDED, user=master)
    audience = Audience(user_id=master.pk)
    assert tell(EventType.SESSION_ENDED, audience=audience, now=NOW) == 1
    User.objects.filter(pk=master.pk).update(**{mark: False})
    assert tell(EventType.SESSION_ENDED, audience=audience, now=NOW) == 0
    assert deliveries.claim_due(limit=9, now=NOW) == []
    User.objects.filter(pk=master.pk).update(**{mark: True})
    assert len(deliveries.claim_due(limit=9, now=NOW)) == 1


def test_old_events_are_pruned_but_none_that_is_still_owed(listen):
    listen()
    for _ in range(3):
        tell(now=NOW)
    done, dead, _ = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=done.pk).update(state="delivered", finished_at=NOW)
    Delivery.objects.filter(pk=dead.pk).update(state="dead", finished_at=NOW)
    assert deliveries.prunable(now=NOW + timedelta(days=30)).count() == 0
    old = deliveries.prunable(now=NOW + timedelta(days=30, seconds=1))
    assert sorted(old.values_list("pk", flat=True)) == sorted([done.event_id, dead.event_id])
