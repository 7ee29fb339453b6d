"""What happens on the platform, told to whose business it is, in the words of docs/webhooks.md, and to nobody else."""

import re
from datetime import timedelta

import pytest
from django.conf import settings

from chat import messages, moderation, tenant_rooms
from chat.access import Caller
from chat.posting import Draft
from gameplatform.accounts.models import ApiClient, Game, User
from gameplatform.core import clock
from gameplatform.webhooks import courier
from gameplatform.webhooks.catalogue import ALLOWED, EventType
from gameplatform.webhooks.errors import EndpointInvalid
from gameplatform.webhooks.models import Delivery, Endpoint, Event
from payments import adjustments, jobs
from payments.models import Job
from rooms import lifecycle, tick
from rooms.models import Session

pytestmark = pytest.mark.django_db


def told(endpoint=None) -> list[str]:
    """The types owed, oldest first."""
    rows = Delivery.objects.order_by("id")
    rows = rows if endpoint is None else rows.filter(endpoint=endpoint)
    return list(rows.values_list("event__type", flat=True))


def data_of(type: str) -> dict:
    return Event.objects.filter(type=type).latest("id").data


@pytest.fixture
def owners(listen, game, master):
    """An endpoint of each kind of owner, each asking for all it may; two who must hear nothing of the first game."""
    other_game = Game.objects.create(name="Elsewhere", symbol="ELSE")
    other_master = User.objects.create_user("other", is_master=True)
    given = {
        "platform": {},
        "master": {"user": master},
        "game": {"client": ApiClient.objects.create(name="server", game=game)},
        "tenant": {"client": ApiClient.objects.create(name="tenant")},
        "other_tenant": {"client": ApiClient.objects.create(name="other tenant")},
        "other_game": {"client": ApiClient.objects.create(name="other server", game=other_game)},
        "other_master": {"user": other_master},
    }
    kinds = {name: name.removeprefix("other_") for name in given}
    return {name: listen(*ALLOWED[kinds[name]], **owner).endpoint for name, owner in given.items()}


def test_a_session_from_its_opening_to_its_prizes(owners, make_room, people, fund, join, master):
    players = people(3)
    for player in players:
        fund(player, 2_000)
    room = make_room()
    session = Session.objects.get(pk=room.current_session_id)
    for player in players:
        join(room, player)
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    life = ["session.opened", *["participant.joined"] * 3, "session.started", "session.ended"]
    assert told(owners["game"]) == told(owners["master"]) == life
    assert [one for one in told(owners["platform"]) if not one.startswith("chat.")] == life
    for name in ("tenant", "other_tenant", "other_game", "other_master"):
        assert told(owners[name]) == []
    opened, ended = data_of("session.opened"), data_of("session.ended")
    assert (opened["session_id"], opened["room_id"], opened["game_id"]) == (session.pk, room.pk, room.game_id)
    assert (opened["entry_fee"], opened["token"], opened["status"]) == ("10.00", "GOLD", "pending")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", opened["starts_at"])
    assert (ended["status"], ended["pool"]) == ("ended", "30.00")
    assert [(row["rank"], row["prize"]) for row in ended["results"]] == [(1, "15.00"), (2, "9.00"), (3, "6.00")]
    assert {row["user_id"] for row in ended["results"]} == {player.pk for player in players}
    assert not [name for event in Event.objects.all() for name in str(event.data).split("'") if name.endswith("_minor")]


def test_sessions_called_off_and_voided(owners, make_room, people, fund, join, staff):
    player = people(1)[0]
    fund(player, 5_000)
    room = make_room()
    join(room, player)
    session = Session.objects.get(pk=room.current_session_id)
    tick.advance(now=session.starts_at)
    out = data_of("session.refunded")
    assert (out["status"], out["reason"], out["refunded"], out["pool"]) == (
        "out",
        "not enough participants",
        1,
        "10.00",
    )
    other = make_room()
    lifecycle.void_session(session_id=other.current_session_id, now=clock.now(), actor=staff, reason="power cut")
    assert data_of("session.refunded")["reason"] == "power cut"
    assert told(owners["game"]).count("session.refunded") == 2


def test_a_pot_is_told_of_to_its_games_servers_alone(owners, seated, server, game):
    ada = seated("ada-lake")
    answer = server.post("/game/createJoinPay", {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [10]})
    job = Job.objects.get(public_id=answer["task"]["id"])
    jobs.run(public_id=job.public_id, now=clock.now())
    assert told(owners["game"]) == ["job.finished", "pot.paid"]
    assert told(owners["other_game"]) == told(owners["master"]) == told(owners["tenant"]) == []
    paid = data_of("pot.paid")
    assert paid == {
        "job_id": str(job.public_id),
        "kind": "create_join_pay",
        "game_id": game.pk,
        "pot_number": 1,
        "payments": [{"plyr_id": "ada-lake", "token": "GOLD", "amount": "10.00"}],
    }
    job.refresh_from_db()
    assert data_of("job.finished")["receipt_hash"] == job.receipt_hash
    arguments = {**job.arguments, "pot_number": 1}
    Job.objects.update(status="pending", result=None, finished_at=None, kind="end", arguments=arguments)
    jobs.run(public_id=job.public_id, now=clock.now())
    failed = data_of("job.failed")
    assert (failed["error_code"], failed["pot_number"]) == (Job.objects.get().error_code, 1)
    # Ending a pot that holds something is refused: nothing of it is told but that.
    assert told(owners["game"]) == ["job.finished", "pot.paid", "job.failed"]


def test_deposits_and_withdrawals_are_the_platforms_business(owners, player, gold, staff):
    given = {"user": player, "token": gold, "actor": staff, "reason": "a private matter", "now": clock.now()}
    adjustments.deposit(amount_minor=1_050, request_key="1", **given)
    adjustments.withdraw(amount_minor=50, request_key="2", **given)
    assert told() == told(owners["platform"]) == ["wallet.deposited", "wallet.withdrawn"]
    assert (data_of("wallet.deposited")["amount"], data_of("wallet.withdrawn")["amount"]) == ("10.50", "0.50")
    assert "a private matter" not in str(data_of("wallet.deposited"))


def test_what_is_said_in_a_tenants_room_is_told_to_that_tenant_and_to_nobody_else(owners, staff):
    now = clock.now()
    client = owners["tenant"].client
    caller = Caller(client=client)
    room = tenant_rooms.create_room(client=client, name="Lounge", description="", meta={}, now=now)
    here = {"client": client, "room_id": room.pk, "now": now}
    tenant_rooms.join_room(user_id="lan", user_name="Lan", meta={}, **here)
    draft = Draft(
        sender_id="lan", sender_name=None, content="a secret", message_type="text", meta={}, client_msg_id=None
    )
    said = messages.post_message(caller=caller, room_id=room.pk, draft=draft, now=now)
    one = {"caller": caller, "message_id": said.row["id"], "acting_as": "lan", "now": now}
    messages.edit_message(content="another secret", meta=None, **one)
    messages.delete_message(**one)
    moderation.mute(
        caller=Caller(staff=staff), room_id=room.pk, acting_as=None, user_id="lan", reason="noise",
        expires_at=now + timedelta(hours=1), now=now,
    )  # fmt: skip
    tenant_rooms.leave_room(user_id="lan", **here)
    tenant_rooms.deactivate_room(caller=caller, room_id=room.pk, now=now)
    assert told(owners["tenant"]) == [
        "chat.participant.joined",
        "chat.message.created",
        "chat.message.updated",
        "chat.message.deleted",
        "chat.moderation.acted",
        "chat.participant.left",
        "chat.moderation.acted",
        "chat.room.deactivated",
    ]
    assert told() == told(owners["tenant"])
    assert data_of("chat.message.created")["content"] == "a secret"
    assert "secret" not in str(data_of("chat.message.deleted"))
    # Who of the platform's staff it was is not a tenant's to know.
    assert Event.objects.filter(type="chat.moderation.acted").earliest("id").data["actor"] == "staff"


@pytest.mark.parametrize(
    ("owner", "type"),
    [
        ("tenant", "session.ended"),
        ("master", "pot.paid"),
        ("game", "wallet.deposited"),
        ("master", "chat.message.created"),
        ("platform", "no.such"),
    ],
)
def test_nobody_can_ask_for_what_is_none_of_its_business(owners, listen, owner, type):
    before = Endpoint.objects.count()
    with pytest.raises(EndpointInvalid):
        listen(type, client=owners[owner].client, user=owners[owner].user)
    assert Endpoint.objects.count() == before


def test_a_join_is_told_of_at_the_cost_of_two_statements(
    owners, make_room, player, fund, join, django_assert_num_queries
):
    fund(player, 5_000)
    room = make_room()
    join_first = Session.objects.get(pk=room.current_session_id)
    with django_assert_num_queries(6):  # the session, a savepoint, the function, whose it is, what is told, its release
        join(room, player)
    assert join_first.participants_count == 0
    assert told(owners["game"])[-1] == "participant.joined"


def test_everything_arrives_at_a_real_receiver(owners, make_room, receiver):
    make_room()
    owed = Delivery.objects.count()
    assert owed > 0
    assert courier.advance(now=clock.now()) == owed == len(receiver.got)
    assert Delivery.objects.filter(state="delivered").count() == owed


def test_the_document_names_every_event():
    text = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()
    documented = set(re.findall(r"^\| `([a-z.]+)` \|", text, re.MULTILINE))
    assert documented == {*EventType.values, "webhook.test"}
