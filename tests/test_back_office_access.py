"""Every page of the back-office, opened by every role, against one table."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from gameplatform.operations.groups import GROUPS
from rooms import tick
from rooms.models import Participant, Session
from tests.support.backoffice import crew, one_of_each, run_session
from tests.support.books import nothing_moves

EXPORTS = {"export", "export-xlsx"}
SEEN = {"changelist", "change"}
LIST = {*SEEN, *EXPORTS}
ROOM_ACTS = {"edit", "pause", "resume", "remove"}

CHAT = {
    "chat.conversation": {*LIST, "close", "reopen"},
    "chat.member": {*SEEN, "mute", "kick", "ban"},
    "chat.message": {*SEEN, "take-down", "restore"},
    "chat.report": {*LIST, "uphold", "dismiss"},
    "chat.sanction": {*SEEN, "lift"},
    "chat.moderationact": LIST,
}

# Role → model → pages that open. What is not named is closed.
READ = {
    "rooms.room": LIST,
    "rooms.session": {*LIST, "proof"},
    "rooms.participant": LIST,
    "accounts.user": LIST,
    "accounts.game": SEEN,
    "payments.token": SEEN,
    "payments.account": LIST,
    "payments.transfer": LIST,
    "payments.adjustment": LIST,
    "payments.adjustmentrequest": SEEN,
    "payments.pot": LIST,
    "payments.job": LIST,
    "payments.playerprofile": LIST,
    "rounds.contest": LIST,
    "rounds.round": LIST,
    "rounds.leaderboard": SEEN,
    "rounds.leaderboardentry": LIST,
    "accounts.gameuser": LIST,
}
# Everybody inside has its own exports, and nobody else's.
OWN_EXPORTS = {"backoffice.export": {*SEEN, "download"}}


def with_more(more: dict[str, set[str]]) -> dict[str, set[str]]:
    return {label: READ.get(label, set()) | more.get(label, set()) for label in {*READ, *more}}


TABLE: dict[str, dict[str, set[str]]] = {
    "player": {},
    "master": {
        "rooms.room": {*LIST, "add", *ROOM_ACTS},
        "rooms.session": {*LIST, "proof"},
        "rooms.participant": LIST,
    },
    "support": READ,
    "finance": with_more(
        {
            "core.auditentry": LIST,
            "accounts.user": {"deposit", "withdraw"},
            "payments.adjustmentrequest": {"approve", "reject"},
            "payments.token": {"release"},
        }
    ),
    "moderator": {
        "accounts.user": LIST,
        **CHAT,
    },
    "operator": with_more(
        {
            "core.auditentry": LIST,
            "rooms.room": {"add", *ROOM_ACTS},
            "rooms.session": {"void", "retry"},
            "axes.accesslog": LIST - {"export"},
            "axes.accessattempt": LIST - {"export"},
            "webhooks.endpoint": {
                "changelist",
                "change",
                "add",
                "edit",
                "rotate",
                "disable",
                "enable",
                "test",
                "replay-dead",
                "remove",
            },
            "webhooks.delivery": {"changelist", "change", "replay"},
            "webhooks.event": {"changelist", "change"},
        }
    ),
}
for role in TABLE:
    if role != "player":
        TABLE[role] = {**TABLE[role], **OWN_EXPORTS}
# Whoever sees an object and the trail sees the object's trail.
for role in ("finance", "operator"):
    TABLE[role] = {label: pages | {"history"} if "change" in pages else pages for label, pages in TABLE[role].items()}

ANYBODY_INSIDE = {
    *("index", "login", "login_code", "logout", "password_change", "password_change_done"),
    *("preferences", "second_factor", "language", "jsi18n", "search"),
}
# Pages that check for themselves, tested below, or that lead nowhere.
APART = {"autocomplete", "view_on_site", "app_list", None}
# What not even a superuser finds: money and history are written by the platform alone, users are kept.
WRITTEN_BY_THE_PLATFORM = (
    "core.auditentry",
    "payments.token",
    "payments.account",
    "payments.transfer",
    "payments.adjustment",
    "payments.adjustmentrequest",
    "rooms.session",
    "rooms.participant",
    "accounts.apikey",
    "backoffice.export",
    "chat.conversation",
    "chat.member",
    "chat.message",
    "chat.report",
    "chat.sanction",
    "chat.moderationact",
    "payments.pot",
    "payments.job",
    "payments.playerprofile",
    "rounds.contest",
    "rounds.round",
    "rounds.leaderboard",
    "rounds.leaderboardentry",
    "accounts.gameuser",
    "axes.accesslog",
    "axes.accessattempt",
    "webhooks.delivery",
    "webhooks.event",
)
NOBODY = {
    **{label: {"add", "delete"} for label in WRITTEN_BY_THE_PLATFORM},
    "rooms.room": {"delete"},
    "accounts.user": {"delete"},
    "accounts.game": {"delete"},
    "accounts.apiclient": {"delete"},
    "rounds.gameaccess": {"delete"},
    "payments.potgame": {"delete"},
    "webhooks.endpoint": {"delete"},
}


def pages() -> Iterator[tuple[str, str, str]]:
    """(model, page, name) of every named page of every model."""
    labels = {f"{m._meta.app_label}_{m._meta.model_name}": m._meta.label_lower for m in admin.site._registry}
    # UserAdmin names this one after the model that Django ships.
    labels["auth_user"] = "accounts.user"
    for name in sorted(names(admin.site.get_urls()) - ANYBODY_INSIDE - APART - {None}):
        start = max((prefix for prefix in labels if name.startswith(f"{prefix}_")), key=len)
        yield labels[start], name.removeprefix(f"{start}_"), name


def names(patterns: list[URLPattern | URLResolver]) -> set[str | None]:
    found: set[str | None] = set()
    for pattern in patterns:
        found |= names(pattern.url_patterns) if isinstance(pattern, URLResolver) else {pattern.name}
    return found


def address(name: str, pk: object) -> str:
    for arguments in ([], [pk]):
        try:
            return reverse(f"admin:{name}", args=arguments)
        except Exception:
            continue
    raise AssertionError(f"no address for {name}")


def outcome(client: Client, url: str) -> str:
    answer = client.get(url)
    if answer.status_code == 302:
        target = answer["Location"]
        if target.startswith(reverse("admin:login")):
            return "login"
        return "unknown" if target == reverse("admin:index") else "open"
    if hasattr(answer, "streaming_content"):
        list(answer.streaming_content)
    return {200: "open", 403: "closed", 404: "unknown", 405: "open"}.get(answer.status_code, str(answer.status_code))


@pytest.fixture
def world(staff, master, player, gold, make_room, people, fund, join):
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
    room = make_room()
    session = run_session(room, guests, join)
    return one_of_each(room=room, session=session, superuser=staff, player=player, gold=gold)


def test_every_page_opens_for_whom_the_table_says_and_for_nobody_else(world, player, master):
    people = {"player": player, "master": master, **crew()}
    assert set(TABLE) == set(people) == {"player", "master", *GROUPS}
    wrong = []
    for role, user in people.items():
        client = Client()
        client.force_login(user)
        for label, page, name in pages():
            sample = world.get(label)
            found = outcome(client, address(name, sample.pk if sample else 1))
            allowed = page in TABLE[role].get(label, ())
            if role == "player":
                expected = {"login"}
            elif not allowed:
                # A page of rows that do not exist for this user may say so instead.
                expected = {"closed", "unknown"}
            else:
                expected = {"open"} if sample or page in ("changelist", "add", *EXPORTS) else {"unknown"}
            if found not in expected:
                wrong.append((role, label, page, found))
    assert wrong == []


def test_a_superuser_opens_everything_but_what_nobody_may(world, staff):
    client = Client()
    client.force_login(staff)
    wrong = []
    for label, page, name in pages():
        sample = world.get(label)
        if sample is None and page not in ("changelist", *EXPORTS):
            continue
        expected = "closed" if page in NOBODY.get(label, ()) else "open"
        found = outcome(client, address(name, sample.pk if sample else 1))
        if found != expected:
            wrong.append((label, page, found))
    assert wrong == []


def test_who_is_not_signed_in_is_asked_to_and_sees_nothing(world):
    client = Client()
    found = {outcome(client, address(name, world[label].pk if label in world else 1)) for label, _, name in pages()}
    assert found == {"login"}
    assert outcome(client, reverse("admin:index")) == "login"


def test_for_a_master_other_masters_rooms_do_not_exist(world, rival):
    rival.is_master = True
    rival.save()
    client = Client()
    client.force_login(rival)
    with nothing_moves():
        for label, page, name in pages():
            if not label.startswith("rooms."):
                continue
            url = address(name, world[label].pk)
            if page in ("changelist", *EXPORTS):
                answer = client.get(url)
                content = b"".join(answer) if answer.streaming else answer.content
                assert world["rooms.room"].name.encode() not in content
            elif page != "add":
                assert outcome(client, url) in ("unknown", "closed"), name
                answer = client.post(url, {"reason": "because I want to", "request_key": "1", "post": "yes"})
                assert answer.status_code in (302, 403), name
    assert Session.objects.get(pk=world["rooms.session"].pk).status == "ended"


def test_acts_are_closed_to_who_may_only_look(world, make_room):
    live = make_room()
    client = Client()
    client.force_login(crew()["support"])
    acts = {
        "rooms_room_edit": live.pk,
        "rooms_room_pause": live.pk,
        "rooms_room_remove": live.pk,
        "rooms_session_void": live.current_session_id,
        "rooms_session_retry": live.current_session_id,
        "accounts_user_deposit": world["accounts.user"].pk,
        "accounts_user_withdraw": world["accounts.user"].pk,
        "payments_adjustmentrequest_approve": world["payments.adjustmentrequest"].pk,
    }
    form = {"reason": "because I want to", "request_key": "1", "token": world["payments.token"].pk, "amount": "5"}
    with nothing_moves():
        for name, pk in acts.items():
            assert client.post(reverse(f"admin:{name}", args=[pk]), form).status_code == 403, name
    live.refresh_from_db()
    assert live.status == "open"


def test_a_master_without_the_staff_mark_signs_in_and_a_player_does_not(master, player):
    login = reverse("admin:login")
    client = Client()
    answer = client.post(login, {"username": "player", "password": "player's password"})
    assert answer.status_code == 200
    assert client.get(reverse("admin:index")).status_code == 302
    assert client.post(login, {"username": "master", "password": "master's password"}).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_master_that_lost_the_mark_is_out_at_once(master):
    client = Client()
    client.force_login(master)
    assert client.get(reverse("admin:index")).status_code == 200
    master.is_master = False
    master.save()
    assert client.get(reverse("admin:index")).status_code == 302


def test_nobody_adds_changes_or_deletes_money(world, staff, rf):
    request = rf.get("/")
    request.user = staff
    money = [model for model in admin.site._registry if model._meta.label_lower in WRITTEN_BY_THE_PLATFORM]
    money = [model for model in money if model._meta.app_label in ("payments", "core")]
    assert len(money) == 9
    for model in money:
        pages_of = admin.site._registry[model]
        assert not pages_of.has_add_permission(request), model
        assert not pages_of.has_change_permission(request), model
        assert not pages_of.has_delete_permission(request), model
        assert "delete_selected" not in pages_of.get_actions(request), model


def test_the_pages_of_a_player_who_is_in_a_session_show_no_address_to_the_master(world, master):
    place: Participant = world["rooms.participant"]
    client = Client()
    client.force_login(master)
    for name, pk in (("rooms_participant_change", place.pk), ("rooms_session_change", place.session_id)):
        content = client.get(reverse(f"admin:{name}", args=[pk])).content.decode()
        assert place.user.username in content
        assert place.wallet_address not in content


def test_a_tick_changes_nothing_for_a_quarantined_session_until_it_is_released(world, make_room, staff):
    room = make_room()
    session = Session.objects.get(pk=room.current_session_id)
    Session.objects.filter(pk=session.pk).update(quarantined_at=session.opens_at, failures=5, last_error="it broke")
    assert tick.advance(now=session.starts_at).started == []
    client = Client()
    client.force_login(staff)
    url = reverse("admin:rooms_session_retry", args=[session.pk])
    assert "it broke" in client.get(url).content.decode()
    assert client.post(url, {"reason": "the disk is fixed", "request_key": "1"}).status_code == 302
    assert tick.advance(now=session.starts_at).started == [session.pk]


def test_the_address_without_its_slash_leads_in(client, db):
    assert client.get("/admin")["Location"] == reverse("admin:index")
