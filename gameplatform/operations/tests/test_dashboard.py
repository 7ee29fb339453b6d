"""The first page: whose figures, which alarms, and how few questions to the database."""

import time
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import ApiClient, User
from chat import conversations
from chat.models import Message
from core.db import clock
from core.models import AuditEntry
from core.observability import health
from core.realtime import census
from core.redis import connection as redis_connection
from gameplatform.operations import vitals
from payments import adjustments, freezing
from payments.models import Account, Adjustment, Job
from rooms.models import Session
from tests.support.backoffice import run_session, worker

# What one opening of the page may ask, whatever there is to see: login, session, permissions, figures, books.
QUERIES_MAX = 19


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    cache.clear()
    # Tests side by side share one Redis: each has a heart of its own.
    monkeypatch.setattr(health, "HEARTBEAT_KEY", f"health:tick:{uuid.uuid4()}")


@pytest.fixture
def played(make_room, people, fund, join):
    """A settled session of four for 10.00 each, one called off with one and followed by the next, and one just open."""
    guests = people(4)
    for guest in guests:
        fund(guest, 5_000)
    settled = run_session(make_room(), guests, join)
    run_session(make_room(), guests[:1], join)
    make_room()
    return settled


def today(client, user) -> str:
    client.force_login(user)
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def card(name: str, value: str) -> str:
    return f"<dt>{name}</dt><dd>{value}"


def test_staff_sees_what_the_day_brought(client, played):
    page = today(client, worker("support"))
    assert card("Pending sessions", "2<") in page
    assert card("Running sessions", "0<") in page
    assert card("Seats taken, 24 h", "5<") in page
    assert card("Pools, 24 h", "50.00 GOLD<") in page
    assert card("Prizes paid, 24 h", "40.00 GOLD <small>1 session<") in page
    assert card("Refunded, 24 h", "10.00 GOLD <small>1 session<") in page
    assert "balanced" in page


def test_a_day_ago_is_not_today(client, played):
    yesterday = timedelta(hours=25)
    session = Session.objects.get(pk=played.pk)
    session.opens_at -= yesterday
    session.save(update_fields=["opens_at"])
    assert card("Seats taken, 24 h", "1<") in today(client, worker("support"))


def test_master_sees_own_figures_and_no_books(client, played, master, rival):
    page = today(client, master)
    assert card("Pools, 24 h", "50.00 GOLD<") in page
    assert "In circulation" not in page
    rival.is_master = True
    rival.save()
    assert card("Pools, 24 h", "0.00 GOLD<") in today(client, rival)


def test_a_moderator_sees_no_figures(client, played):
    page = today(client, worker("moderator"))
    assert "GOLD" not in page
    assert "Pending sessions" not in page
    assert card("Open reports", "0<") in page


def test_user_without_rights_is_told_where_to_go(client, played):
    user = User.objects.create_user("newcomer", is_staff=True)
    assert "Choose from the menu" in today(client, user)


def test_the_pulse_of_the_platform_is_shown(client, played, monkeypatch):
    monkeypatch.setattr(census, "KEY", f"sockets:{uuid.uuid4()}")
    redis_connection.run(lambda redis: redis.hset(census.KEY, "one", f"3:{int(time.time() * 1000)}"))
    redis_connection.run(lambda redis: redis.hset(census.KEY, "another", f"4:{int(time.time() * 1000)}"))
    redis_connection.run(lambda redis: redis.hset(census.KEY, "dead", f"9:{int(time.time() * 1000) - 60_000}"))
    queue = f"tasks:{uuid.uuid4()}"
    monkeypatch.setattr(vitals, "QUEUE", queue)
    redis_connection.run(lambda redis: redis.rpush(queue, "a", "b"))
    conversation = played.room.conversation
    for _ in range(2):
        with transaction.atomic():
            conversations.post_system_message(conversation_id=conversation.pk, text="hello", meta={}, now=clock.now())
    page = today(client, worker("support"))
    redis_connection.run(lambda redis: redis.delete(queue, census.KEY))
    assert card("Open sockets", "7<") in page
    assert card("Tasks waiting", "2<") in page
    # What the rooms themselves said while they played counts too.
    assert Message.objects.count() > 2
    assert card("Chat messages, last minute", f"{Message.objects.count()}<") in page
    Message.objects.update(created_at=clock.now() - timedelta(minutes=2))
    assert card("Chat messages, last minute", "0<") in today(client, worker("operator"))


def test_dashboard_survives_a_redis_outage(client, played, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    page = today(client, worker("support"))
    assert "Redis is away: joins are refused" in page
    assert card("Open sockets", "unknown<") in page
    assert card("Tasks waiting", "unknown<") in page
    assert card("Seats taken, 24 h", "5<") in page


def test_failed_jobs_come_before_the_figures(client, played, game):
    now = clock.now()
    asker = ApiClient.objects.create(name="A server", game=game)
    for error, age in (("INSUFFICIENT_FUNDS", timedelta(hours=1)), ("ROOM_GONE", timedelta(hours=25))):
        Job.objects.create(
            public_id=uuid.uuid4(),
            client=asker,
            game=game,
            request_digest=error.encode(),
            kind="pay",
            arguments={},
            memo={},
            status="failed",
            error_code=error,
            due_at=now,
            created_at=now - age,
            finished_at=now - age,
        )
    page = today(client, worker("support"))
    assert page.index("INSUFFICIENT_FUNDS") < page.index("Pending sessions")
    assert "ROOM_GONE" not in page
    assert "INSUFFICIENT_FUNDS" not in today(client, worker("moderator"))


def test_sessions_that_were_set_aside_come_first(client, played, make_room):
    room = make_room(name="The Broken Room")
    Session.objects.filter(pk=room.current_session_id).update(quarantined_at=clock.now(), last_error="the disk is full")
    page = today(client, worker("support"))
    assert page.index("The Broken Room") < page.index("Pending sessions")
    assert "the disk is full" in page


@pytest.mark.parametrize(
    ("age", "words"), [(None, "No tick on record"), (60, "The last tick was 60 s ago"), (2, "Sessions move")]
)
def test_a_tick_that_is_late_is_an_alarm(client, db, age, words):
    with time_machine.travel(clock.now(), tick=False):
        if age is not None:
            health.beat_heartbeat(clock.now() - timedelta(seconds=age))
        assert words in today(client, worker("support"))


def test_adjustments_that_wait_are_on_top(client, player, gold):
    adjustments.request_adjustment(
        kind=Adjustment.Kind.DEPOSIT,
        user=player,
        token=gold,
        amount_minor=5,
        reason="a gift",
        actor=worker("finance"),
        request_key="1",
        now=clock.now(),
    )
    assert "1 adjustment waiting for a second person" in today(client, worker("support"))


def test_unbalanced_books_show_the_difference(client, played):
    Account.objects.filter(kind="wallet").order_by("id").update(balance_minor=5_123)
    assert "off by" in today(client, worker("support"))


def test_dashboard_query_count_is_constant(client, played, make_room):
    support = worker("support")
    today(client, support)
    cache.clear()
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("admin:index"))
    assert len(few) <= QUERIES_MAX
    for _ in range(10):
        make_room()
    cache.clear()
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("admin:index"))
    assert len(many) == len(few)


@pytest.mark.django_db(transaction=True)
def test_finance_releases_a_frozen_token(client, played, gold):
    freezing.freeze(token_id=gold.pk, now=clock.now(), reason="reconciliation: I3 account 7")
    finance = worker("finance")
    assert "Payments in GOLD are stopped: reconciliation: I3 account 7" in today(client, finance)
    url = reverse("admin:payments_token_release", args=[gold.pk])
    wallet = Account.objects.filter(kind="wallet").order_by("id").first()
    Account.objects.filter(pk=wallet.pk).update(balance_minor=wallet.balance_minor + 1)
    answer = client.post(url, {"reason": "looked at it", "request_key": "1"})
    assert (answer.status_code, "The books are still wrong" in answer.content.decode()) == (409, True)
    Account.objects.filter(pk=wallet.pk).update(balance_minor=wallet.balance_minor)
    assert client.post(url, {"reason": "looked at it", "request_key": "1"}).status_code == 302
    assert "are stopped" not in today(client, finance)
    entry = AuditEntry.objects.order_by("-id").first()
    assert (entry.action, entry.actor, entry.reason) == ("token released", finance, "looked at it")
