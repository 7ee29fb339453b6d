"""What happens on the platform, told to whose business it is, in the words of docs/webhooks.md, and to nobody else."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings

from accounts.models import ApiClient, Game, User
from chat import messages, moderation, tenant_rooms
from chat.access import Caller
from chat.models import Report, Sanction
from chat.posting import Draft
from core.db import clock
from payments import adjustments, jobs
from payments.models import Job
from rooms import lifecycle, tick
from rooms.models import Session
from webhooks import courier
from webhooks.catalogue import ALLOWED, EventType
from webhooks.errors import EndpointInvalid
from webhooks.models import Delivery, Endpoint, Event

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
    with django_assert_num_queries(5):  # the session, a savepoint, the function, what is told, its release
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


# --- Moderation: each act is told once, each deletion once ------------------------------------------------------------


@pytest.fixture
def lounge(owners, staff):
    """``lounge.say("lan")``: a message of that user's in the tenant's room, told and forgotten."""
    now = clock.now()
    client = owners["tenant"].client
    room = tenant_rooms.create_room(client=client, name="Lounge", description="", meta={}, now=now)
    for user_id, meta in (("lan", {}), ("mod", {"role": "moderator"})):
        tenant_rooms.join_room(client=client, room_id=room.pk, user_id=user_id, user_name=user_id, meta=meta, now=now)
    tenant = Caller(client=client)

    def say(sender_id):
        draft = Draft(
            sender_id=sender_id, sender_name=None, content="hm", message_type="text", meta={}, client_msg_id=None
        )
        said = messages.post_message(caller=tenant, room_id=room.pk, draft=draft, now=now).row
        Event.objects.all().delete()
        return said["id"]

    return SimpleNamespace(room=room, tenant=tenant, staff=Caller(staff=staff), now=now, say=say)


def acts() -> list[tuple[str, str, str]]:
    """What was told, oldest first: the type, and of moderation the act and the actor."""
    told_of = Event.objects.order_by("id").values_list("type", "data")
    return [(type, data.get("act", ""), data.get("actor", "")) for type, data in told_of]


def test_a_deletion_by_the_sender_is_no_moderation_and_one_by_a_moderator_is(lounge):
    gone = ("chat.message.deleted", "", "")
    messages.delete_message(caller=lounge.tenant, message_id=lounge.say("lan"), acting_as="lan", now=lounge.now)
    assert acts() == [gone]
    messages.delete_message(caller=lounge.tenant, message_id=lounge.say("lan"), acting_as="mod", now=lounge.now)
    assert acts() == [("chat.moderation.acted", "delete_message", "member:mod"), gone]
    messages.delete_message(caller=lounge.staff, message_id=lounge.say("lan"), acting_as=None, now=lounge.now)
    assert acts() == [("chat.moderation.acted", "delete_message", "staff"), gone]


def test_a_report_that_is_upheld_is_told_as_a_deletion_and_a_resolved_report(lounge, owners):
    message_id = lounge.say("lan")
    reported = {"caller": lounge.tenant, "message_id": message_id, "reporter_id": "mod", "reason": "rude"}
    assert moderation.report(**reported, now=lounge.now)
    assert not moderation.report(**reported, now=lounge.now)
    assert acts() == [("chat.moderation.acted", "report", "member:mod")]
    Event.objects.all().delete()
    given = {"staff": lounge.staff, "report_id": Report.objects.get().pk, "reason": "agreed", "now": lounge.now}
    assert moderation.uphold_report(**given)
    assert acts() == [
        ("chat.moderation.acted", "delete_message", "staff"),
        ("chat.message.deleted", "", ""),
        ("chat.moderation.acted", "resolve_report", "staff"),
    ]
    assert {event.data.get("message_id") for event in Event.objects.all()} == {str(message_id)}
    assert told() == told(owners["tenant"])
    # Once more changes nothing and tells nothing.
    assert not moderation.uphold_report(**given)
    assert Event.objects.count() == 3


def test_a_report_on_what_is_deleted_already_and_one_that_is_dismissed_delete_nothing(lounge):
    resolved = ("chat.moderation.acted", "resolve_report", "staff")
    for close in (moderation.uphold_report, moderation.resolve_report):
        message_id = lounge.say("lan")
        moderation.report(caller=lounge.tenant, message_id=message_id, reporter_id="mod", reason="rude", now=lounge.now)
        if close is moderation.uphold_report:
            messages.delete_message(caller=lounge.tenant, message_id=message_id, acting_as="lan", now=lounge.now)
        Event.objects.all().delete()
        assert close(staff=lounge.staff, report_id=Report.objects.latest("id").pk, reason="seen", now=lounge.now)
        assert acts() == [resolved]


def test_each_act_of_moderation_is_told_once(lounge):
    lounge.say("lan")
    one = {"caller": lounge.tenant, "room_id": lounge.room.pk, "acting_as": "mod", "user_id": "lan", "now": lounge.now}
    for kind, sanction in ((Sanction.Kind.MUTE, moderation.mute), (Sanction.Kind.BAN, moderation.ban)):
        sanction(**one, reason="loud", expires_at=None)
        assert moderation.lift(**one, kind=kind)
        assert not moderation.lift(**one, kind=kind)
    assert acts() == [
        ("chat.moderation.acted", "mute", "member:mod"),
        ("chat.moderation.acted", "unmute", "member:mod"),
        ("chat.participant.left", "", ""),
        ("chat.moderation.acted", "ban", "member:mod"),
        ("chat.moderation.acted", "unban", "member:mod"),
    ]


# --- What it costs where nobody listens -------------------------------------------------------------------------------


def test_where_nobody_listens_nothing_is_asked_beside_the_work(
    listen, make_room, people, fund, join, game, django_assert_num_queries
):
    """An endpoint for other events, or of somebody else's game, costs the hot paths nothing, or one statement."""
    room = make_room()
    first, second, third = people(3)
    for player in (first, second, third):
        fund(player, 5_000)
    bare = 4  # the session (of the test), a savepoint, the function, its release
    with django_assert_num_queries(bare):
        join(room, first)
    listen("session.ended")
    with django_assert_num_queries(bare):
        join(room, second)
    elsewhere = ApiClient.objects.create(name="server", game=Game.objects.create(name="Elsewhere", symbol="ELSE"))
    listen("participant.joined", client=elsewhere)
    with django_assert_num_queries(bare + 1):  # that it is none of theirs
        join(room, third)
    assert told() == []


def test_a_message_costs_one_statement_more_only_where_its_own_tenant_listens(listen, django_assert_num_queries):
    now = clock.now()
    rooms = {}
    for name in ("quiet", "heard"):
        client = ApiClient.objects.create(name=name)
        room = tenant_rooms.create_room(client=client, name=name, description="", meta={}, now=now)
        tenant_rooms.join_room(client=client, room_id=room.pk, user_id="lan", user_name="Lan", meta={}, now=now)
        rooms[name] = (client, room)
    listen("chat.message.created", client=rooms["heard"][0])
    draft = Draft(sender_id="lan", sender_name=None, content="hm", message_type="text", meta={}, client_msg_id=None)
    for name, count in (("quiet", 3), ("heard", 4)):  # a savepoint, the function, its release
        client, room = rooms[name]
        with django_assert_num_queries(count):
            messages.post_message(caller=Caller(client=client), room_id=room.pk, draft=draft, now=now)
    assert told() == ["chat.message.created"]
