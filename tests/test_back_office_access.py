"""Every page of the back-office, opened by every role, against one table."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from core.models import AuditEntry
from gameplatform.operations.groups import GROUPS
from rooms import tick
from rooms.models import Participant, Session
from tests.support.backoffice import crew, one_of_each, run_session
from tests.support.books import everything, nothing_moves

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
            "payments.job": {"retry"},
            "rounds.leaderboardentry": {"remove"},
            "accounts.user": {"freeze", "unfreeze"},
            "axes.accesslog": SEEN,
            "axes.accessattempt": SEEN,
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
# Pages that are not of one model; each has a test of its own below.
APART = {"autocomplete", "view_on_site", "app_list"}
# What needs a superuser: rights, the keys of programs, and what sets a game up.
SUPERUSER_ONLY = {
    "accounts.user": {"add", "password_change", "reset-authenticator", "rights"},
    "accounts.game": {"add"},
    "accounts.apiclient": {*SEEN, "add", "history", "issue-key", "revoke-all"},
    "accounts.apikey": {*SEEN, "history", "rotate", "revoke"},
    "accounts.rightsrequest": {*SEEN, "history", "approve", "reject"},
    "auth.group": {*SEEN, "add", "delete", "history"},
    "payments.potgame": {*SEEN, "add", "history"},
    "rounds.gameaccess": {*SEEN, "add", "history", "renew-token", "service-key"},
    **{label: {"history"} for label in CHAT},
}
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
    "accounts.rightsrequest",
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
    named = {name for _, name in addresses(admin.site.get_urls()) if name is not None}
    for name in sorted(named - ANYBODY_INSIDE - APART):
        start = max((prefix for prefix in labels if name.startswith(f"{prefix}_")), key=len)
        yield labels[start], name.removeprefix(f"{start}_"), name


def addresses(patterns: list[URLPattern | URLResolver], start: str = "") -> Iterator[tuple[str, str | None]]:
    """(pattern, name) of every address."""
    for pattern in patterns:
        here = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here)
        else:
            yield here, pattern.name


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


def test_every_address_of_the_back_office_has_a_row_here_and_every_row_an_address():
    rows: dict[str, set[str]] = {}
    for table in (*TABLE.values(), SUPERUSER_ONLY, NOBODY):
        for label, listed in table.items():
            rows.setdefault(label, set()).update(listed)
    found: dict[str, set[str]] = {}
    for label, page, _ in pages():
        found.setdefault(label, set()).add(page)
    assert found == rows
    every = list(addresses(admin.site.get_urls()))
    assert {name for _, name in every if name} >= ANYBODY_INSIDE | APART
    # Without a name: the way from an object's bare address to its page, and the page of what is not found.
    bare = {f"{model._meta.app_label}/{model._meta.model_name}/<path:object_id>/" for model in admin.site._registry}
    assert {where for where, name in every if name is None} == bare | {"(?P<url>.*)$"}


def test_a_superusers_pages_are_closed_to_everybody_else_in_the_table():
    for role, table in TABLE.items():
        shared = {label: pages & SUPERUSER_ONLY.get(label, set()) for label, pages in table.items()}
        assert not any(shared.values()), (role, shared)


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


def test_a_superuser_opens_everything_but_what_nobody_may_and_opening_does_nothing(world, staff):
    client = Client()
    client.force_login(staff)
    wrong = []
    noted = AuditEntry.objects.order_by("-id")[0].pk
    before = everything()
    for label, page, name in pages():
        sample = world.get(label)
        if sample is None and page not in ("changelist", *EXPORTS):
            continue
        expected = "closed" if page in NOBODY.get(label, ()) else "open"
        found = outcome(client, address(name, sample.pk if sample else 1))
        if found != expected:
            wrong.append((label, page, found))
    assert wrong == []
    assert everything() == before
    assert set(AuditEntry.objects.filter(pk__gt=noted).values_list("action", flat=True)) == {"list exported"}


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


def test_an_act_that_the_table_does_not_give_does_nothing_when_it_is_sent(world, make_room, player, master):
    live = make_room(name="A live room")
    world |= {"rooms.room": live, "rooms.session": Session.objects.get(pk=live.current_session_id)}
    form = {"reason": "because I want to", "request_key": "1", "post": "yes", "amount": "5", "hours": "1"}
    form |= {"token": world["payments.token"].pk, "scopes": "results"}
    people = {"player": player, "master": master, **crew()}
    noted = AuditEntry.objects.order_by("-id")[0].pk
    wrong = []
    with nothing_moves():
        for role, user in people.items():
            client = Client()
            client.force_login(user)
            for label, page, name in pages():
                if page in {*LIST, "history", "proof", "download", *TABLE[role].get(label, ())}:
                    continue
                answer = client.post(address(name, world[label].pk if label in world else 1), form)
                target = answer.headers.get("Location", "")
                # To the login, or from a row that does not exist for this user to the start.
                is_away = target == reverse("admin:index") or target.startswith(reverse("admin:login"))
                if answer.status_code not in (403, 404) and not is_away:
                    wrong.append((role, label, page, answer.status_code, target))
    assert wrong == []
    assert not AuditEntry.objects.filter(pk__gt=noted).exists()


def test_the_pages_of_no_model_open_for_everybody_inside_and_nobody_else(world, player, master):
    # The way in, and what its page needs.
    for_anybody = {"login", "login_code", "language", "jsi18n"}
    for role, user in {"player": player, "master": master, **crew()}.items():
        found = {}
        for page in sorted(ANYBODY_INSIDE - {"logout"}):
            client = Client()
            client.force_login(user)
            found[page] = outcome(client, reverse(f"admin:{page}"))
        closed = {page for page, how in found.items() if how == "login" and page not in for_anybody}
        assert closed == (ANYBODY_INSIDE - {"logout"} - for_anybody if role == "player" else set()), role


def test_an_app_shows_its_models_to_who_sees_one_of_them(world, player, master):
    labels = {model._meta.app_label for model in admin.site._registry}
    for role, user in {"player": player, "master": master, **crew()}.items():
        client = Client()
        client.force_login(user)
        seen = {label.split(".")[0] for label, pages in TABLE[role].items() if "changelist" in pages}
        found = {app: outcome(client, reverse("admin:app_list", args=[app])) for app in labels}
        unseen = "login" if role == "player" else "unknown"
        assert found == {app: "open" if app in seen else unseen for app in labels}, role


def test_rows_are_offered_to_choose_from_only_to_who_may_list_them(world, player, master):
    fields = [
        (model._meta, field.name, field.related_model._meta.label_lower)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model in admin.site._registry
    ]
    assert len(fields) > 30
    for role, user in {"player": player, "master": master, **crew()}.items():
        client = Client()
        client.force_login(user)
        listed = {label for label, pages in TABLE[role].items() if "changelist" in pages}
        for meta, field, label in fields:
            query = {"app_label": meta.app_label, "model_name": meta.model_name, "field_name": field}
            found = outcome(client, reverse("admin:autocomplete", query=query))
            assert found != "open" or label in listed, (role, meta.label, field)


def test_the_address_of_an_object_on_the_site_leads_nowhere(world, staff):
    client = Client()
    client.force_login(staff)
    for label, sample in world.items():
        kind = ContentType.objects.get_for_model(sample)
        url = reverse("admin:view_on_site", args=[kind.pk, sample.pk])
        assert outcome(client, url) == "unknown", label


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
