"""Every type of event, made by the use case that it tells of: its data to the letter, and as docs/webhooks.md says."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import time_machine
from django.conf import settings

from accounts.models import ApiClient, User
from chat import messages, moderation, tenant_rooms
from chat.access import Caller
from chat.posting import Draft
from core.db import clock
from payments import adjustments
from payments.models import Adjustment, Job
from payments.players import set_pot_game
from rooms import entry, lifecycle, tick
from rooms.models import Outcome, Participant, Session
from webhooks import courier, endpoints
from webhooks.catalogue import TEST, EventType
from webhooks.models import Event
from webhooks.outbox import time_text

pytestmark = pytest.mark.django_db

DOCUMENT = settings.BASE_DIR / "docs" / "webhooks.md"
GROUPS = ("session.", "participant.", "pot.", "job.", "chat.")


def told(type: str, **with_data: Any) -> dict[str, Any]:
    """The data of the one event of this type, or of the one that has these values."""
    made = Event.objects.filter(type=type).order_by("id").values_list("data", flat=True)
    found = [data for data in made if with_data.items() <= data.items()]
    assert len(found) == 1, (type, found)
    return found[0]


@pytest.fixture
def hears_all(listen, game):
    """The endpoints of the platform, the game's server and a tenant, which together ask for every type."""
    game_server = ApiClient.objects.create(name="the game's server", game=game)
    tenant = ApiClient.objects.create(name="teahouse")
    listen(*(kind for kind in EventType if not kind.startswith("pot.") and not kind.startswith("job.")))
    listen(*(kind for kind in EventType if kind.startswith(("pot.", "job."))), client=game_server)
    listen(*(kind for kind in EventType if kind.startswith("chat.")), client=tenant)
    return SimpleNamespace(tenant=tenant)


@pytest.fixture
def sessions(hears_all, make_room, people, fund, join):
    """A session that is played to its end, one that is called off, one that is voided while it runs."""
    players = people(4)
    for player in players:
        fund(player, 5_000)
    made = {}
    for name, count in (("played", 4), ("off", 1), ("void", 3)):
        room = make_room()
        session = Session.objects.get(pk=room.current_session_id)
        for player in players[:count]:
            join(room, player)
        made[name] = session
    leaving = {"session_id": made["played"].pk, "player": players[3], "request_key": None}
    entry.leave_session(now=made["played"].opens_at + timedelta(seconds=2), **leaving)
    tick.advance(now=max(session.starts_at for session in made.values()))
    lifecycle.void_session(session_id=made["void"].pk, now=clock.now(), actor=None, reason="power cut")
    tick.advance(now=made["played"].ends_at)
    for session in made.values():
        session.refresh_from_db()
    return SimpleNamespace(players=players, **made)


@pytest.fixture
def pots(hears_all, server, seated, game, settings):
    """A pot that is paid into, pays out and ends; one that runs out of time; one whose end is refused."""
    settings.POT_HOUSE_FEE_BP = 250
    owner = User.objects.create_user("owner", wallet_address="wallet-of-owner")
    set_pot_game(game=game, public_id="slot", owner=owner)
    ada = seated("ada-lake", funds_minor=2_000)
    stake = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "sync": True}
    paid = server.post("/game/createJoinPay", {**stake, "amounts": [10]})
    refused = server.post("/game/end", {"roomId": paid["roomId"], "sync": True})
    earned = {"roomId": paid["roomId"], "plyrIds": ["ada-lake"], "tokens": ["gold"], "amounts": [10], "sync": True}
    server.post("/game/earnLeaveEnd", earned)
    short = server.post("/game/createJoinPay", {**stake, "amounts": [7], "expiresIn": 60})
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        server.post("/game/close", {"roomId": short["roomId"], "sync": True})
        too_much = server.post("/game/createJoinPay", {**stake, "amounts": [20]})
    assert (refused["status"], too_much["status"]) == ("FAILED", "FAILED"), too_much.body
    names = ("paid", "refused", "ended", "short", "closed", "too_much")
    return SimpleNamespace(**dict(zip(names, Job.objects.order_by("id"), strict=True)))


@pytest.fixture
def wallets(hears_all, player, gold, staff):
    given = {"user": player, "token": gold, "actor": staff, "reason": "a private matter", "now": clock.now()}
    adjustments.deposit(amount_minor=1_050, request_key="1", **given)
    adjustments.withdraw(amount_minor=50, request_key="2", **given)
    return player


@pytest.fixture
def chat(hears_all, staff):
    """A tenant's room: somebody comes, posts, edits and deletes; a moderator brings it back and mutes; it is closed."""
    now = clock.now()
    tenant = Caller(client=hears_all.tenant)
    room = tenant_rooms.create_room(client=hears_all.tenant, name="Lounge", description="", meta={}, now=now)
    here = {"client": hears_all.tenant, "room_id": room.pk, "now": now}
    tenant_rooms.join_room(user_id="lan", user_name="Lan", meta={}, **here)
    draft = Draft(
        sender_id="lan", sender_name=None, content="Xin chào", message_type="text", meta={"a": 1}, client_msg_id="1"
    )
    said = messages.post_message(caller=tenant, room_id=room.pk, draft=draft, now=now).row
    one = {"caller": tenant, "message_id": said["id"], "acting_as": "lan", "now": now}
    messages.edit_message(content="Chào", meta=None, **one)
    messages.delete_message(**one)
    until = now + timedelta(hours=1)
    muted: dict[str, Any] = {"user_id": "lan", "reason": "noise", "expires_at": until, "acting_as": None, "now": now}
    moderation.mute(caller=Caller(staff=staff), room_id=room.pk, **muted)
    tenant_rooms.leave_room(user_id="lan", **here)
    tenant_rooms.deactivate_room(caller=tenant, room_id=room.pk, now=now)
    tenant_rooms.activate_room(caller=tenant, room_id=room.pk, now=now)
    return SimpleNamespace(room=room, message=said, now=now, until=until)


def of_session(session: Session, *, status: str) -> dict[str, Any]:
    return {
        "session_id": session.pk,
        "session": session.code,
        "status": status,
        "room_id": session.room_id,
        "room_name": session.room.name,
        "game_id": session.room.game_id,
        "token": "GOLD",
    }


def test_sessions(sessions):
    played = sessions.played
    assert told("session.opened", session_id=played.pk) == {
        **of_session(played, status="pending"),
        "starts_at": time_text(played.starts_at),
        "ends_at": time_text(played.ends_at),
        "entry_fee": "10.00",
        "prize_shares_bp": [5000, 3000, 2000],
        "max_participants": played.max_participants,
        "draw_commit": played.draw_commit,
    }
    assert told("session.started", session_id=played.pk) == {
        **of_session(played, status="running"),
        "participants_count": 3,
        "ends_at": time_text(played.ends_at),
        "draw_roster": played.draw_roster,
    }
    assert re.fullmatch("[0-9a-f]{64}", played.draw_roster)
    entries = list(Participant.objects.filter(session=played, rank__isnull=False).order_by("rank"))
    assert len(entries) == 3
    assert told("session.ended") == {
        **of_session(played, status="ended"),
        "pool": "30.00",
        "results": [
            {
                "rank": entry.rank,
                "participant_id": entry.pk,
                "user_id": entry.user_id,
                "username": entry.user.username,
                "prize": prize,
            }
            for entry, prize in zip(entries, ["15.00", "9.00", "6.00"], strict=True)
        ],
    }
    assert told("session.refunded", status="out") == {
        **of_session(sessions.off, status="out"),
        "reason": "not enough participants",
        "refunded": 1,
        "pool": "10.00",
    }
    assert told("session.refunded", status="void") == {
        **of_session(sessions.void, status="void"),
        "reason": "power cut",
        "refunded": 3,
        "pool": "30.00",
    }
    assert Outcome.objects.count() == 3


def test_participants(sessions):
    last = sessions.players[3]
    place = Participant.objects.get(session=sessions.played, user=last)
    who = {"participant_id": place.pk, "user_id": last.pk, "username": last.username}
    here = of_session(sessions.played, status="pending")
    assert told("participant.joined", user_id=last.pk) == {**here, **who, "participants_count": 4}
    assert told("participant.left") == {**here, **who, "participants_count": 3}


def of_job(job: Job, pot_number: int | None) -> dict[str, Any]:
    return {"job_id": str(job.public_id), "kind": job.kind, "game_id": job.game_id, "pot_number": pot_number}


def test_pots_and_their_jobs(pots):
    assert told("pot.paid", pot_number=1) == {
        **of_job(pots.paid, 1),
        "payments": [{"plyr_id": "ada-lake", "token": "GOLD", "amount": "10.00"}],
    }
    assert told("pot.earned") == {
        **of_job(pots.ended, 1),
        "distributions": [{"plyr_id": "ada-lake", "token": "GOLD", "amount": "10.00", "fee": "0.25"}],
    }
    assert told("pot.ended") == of_job(pots.ended, 1)
    assert told("pot.closed") == {**of_job(pots.closed, 2), "returned": [{"token": "GOLD", "amount": "7.00"}]}
    done = ((pots.paid, 1), (pots.ended, 1), (pots.short, 2), (pots.closed, 2))
    for job, number in done:
        assert told("job.finished", job_id=str(job.public_id)) == {
            **of_job(job, number),
            "receipt_hash": job.receipt_hash,
        }
        assert re.fullmatch("[0-9a-f]{64}", job.receipt_hash)
    assert Event.objects.filter(type="job.finished").count() == len(done)
    assert told("job.failed", kind="end") == {
        **of_job(pots.refused, 1),
        "error_code": "ROOM_NOT_EMPTY",
        "error_message": "Room is not empty",
    }
    assert told("job.failed", kind="create_join_pay") == {
        **of_job(pots.too_much, None),
        "error_code": "INSUFFICIENT_FUNDS",
        "error_message": "Insufficient balance: ada-lake",
    }
    assert set(Event.objects.filter(type__startswith="pot.").values_list("type", flat=True)) == {
        kind for kind in EventType if kind.startswith("pot.")
    }


def test_wallets(wallets):
    for kind, amount in (("deposit", "10.50"), ("withdrawal", "0.50")):
        assert told({"deposit": "wallet.deposited", "withdrawal": "wallet.withdrawn"}[kind]) == {
            "adjustment_id": str(Adjustment.objects.get(kind=kind).public_id),
            "user_id": wallets.pk,
            "username": "player",
            "token": "GOLD",
            "amount": amount,
        }


def test_chat(chat):
    room = {"room_id": str(chat.room.pk)}
    message = {
        **room,
        "message_id": str(chat.message["id"]),
        "seq": 1,
        "sender_id": "lan",
        "sender_name": "Lan",
        "content": "Xin chào",
        "message_type": "text",
        "meta": {"a": 1},
        "is_deleted": False,
        "created_at": time_text(chat.message["created_at"]),
        "edited_at": None,
    }
    assert told("chat.participant.joined") == {**room, "user_id": "lan", "user_name": "Lan", "participant_count": 1}
    assert told("chat.message.created") == message
    edited = {**message, "content": "Chào", "edited_at": time_text(chat.now)}
    assert told("chat.message.updated") == edited
    assert told("chat.message.deleted") == {**room, "message_id": message["message_id"], "seq": 1, "deleted_by": "lan"}
    assert told("chat.participant.left") == {**room, "user_id": "lan", "participant_count": 0}
    assert told("chat.room.deactivated") == {**room, "name": "Lounge", "is_active": False}
    assert told("chat.room.activated") == {**room, "name": "Lounge", "is_active": True}
    assert told("chat.moderation.acted", act="mute") == {
        **room,
        "act": "mute",
        "actor": "staff",
        "user_id": "lan",
        "message_id": None,
        "reason": "noise",
        "expires_at": time_text(chat.until),
    }


# --- The document ------------------------------------------------------------------------------------------------


def fields_in(text: str) -> dict[str, set[str]]:
    """The names in a cell of the table, each with those of its parts: `` `a`, `b` (each: `c`) ``."""
    cells = re.findall(r"`([a-z_]+)`(?: \(each: ([^)]*)\))?", text)
    return {name: set(re.findall(r"`([a-z_]+)`", parts)) for name, parts in cells}


def documented() -> dict[str, dict[str, set[str]]]:
    text = DOCUMENT.read_text()
    rows = re.findall(r"^\| `([a-z]+\.[a-z.]+)` \|.*\| (.*)\|$", text, re.MULTILINE)
    groups = {
        prefix.removesuffix("…"): fields_in(cells)
        for names, cells in re.findall(r"^\| ((?:`[a-z]+\.…`(?:, )?)+) \| (.*) \|$", text, re.MULTILINE)
        for prefix in re.findall("`([^`]+)`", names)
    }
    assert set(groups) == set(GROUPS)
    return {
        kind: {name: parts for group in groups if kind.startswith(group) for name, parts in groups[group].items()}
        | fields_in(cell)
        for kind, cell in rows
    }


def sent(data: dict[str, Any]) -> dict[str, set[str]]:
    """The names in what is sent, in the same shape. What a client's ``meta`` holds is its own."""
    return {
        name: {part for row in value for part in row}
        if isinstance(value, list) and value and isinstance(value[0], dict)
        else set()
        for name, value in data.items()
    }


def test_the_document_names_exactly_the_fields_that_are_sent(sessions, pots, wallets, chat, listen):
    endpoints.send_test(endpoint_id=listen().endpoint.pk, among=endpoints.existing(), actor=None, now=clock.now())
    described = documented()
    assert set(described) == {*EventType.values, TEST}
    seen = set()
    for event in Event.objects.all():
        assert sent(event.data) == described[event.type], event.type
        seen.add(event.type)
    assert seen == set(described)


def test_the_documents_example_and_snippet_are_true(sessions, receiver):
    text = DOCUMENT.read_text()
    (example,) = re.findall(r'^\{"type".*?^```', text, re.MULTILINE | re.DOTALL)
    example = orjson.loads(example.removesuffix("```"))
    assert set(example) == {"type", "timestamp", "data"}
    assert sent(example["data"]) == documented()[example["type"]]

    (snippet,) = re.findall(r"^  ```python\n(.*?)^  ```", text, re.MULTILINE | re.DOTALL)
    courier.advance(now=clock.now())
    assert receiver.got
    made: dict[str, Any] = {}
    exec(re.sub("^  ", "", snippet, flags=re.MULTILINE), made)
    rotated = endpoints.existing().get(user=None, client=None)
    secret = endpoints.rotate_secret(
        endpoint_id=rotated.pk, among=endpoints.existing(), old_ends_at=clock.now(), actor=None, now=clock.now()
    ).secret
    endpoints.send_test(endpoint_id=rotated.pk, among=endpoints.existing(), actor=None, now=clock.now())
    courier.advance(now=clock.now())
    last = receiver.got[-1]
    assert made["event_of"](secret, last.body, last.headers) == last.json
    assert (last.json["type"], set(last.json)) == (TEST, set(example))
    assert set(re.findall(r"^(webhook-\w+|content-type|user-agent):", text, re.MULTILINE)) <= set(last.headers)
    with pytest.raises(Exception, match="No matching signature found"):
        made["event_of"](secret, last.body.replace(b"test", b"text"), last.headers)
