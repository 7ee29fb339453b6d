"""Masters and staff at work in the back-office: what the buttons do, say and leave in the trail."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEntry
from rooms import tick
from rooms.models import Room, Session
from tests.support.backoffice import worker
from tests.support.books import balance, findings, nothing_moves

ADD = "/admin/rooms/room/add/"
TERMS = {
    "request_key": "1",
    "name": "Evening Reels",
    "symbol": "",
    "entry_fee": "2.50",
    "prizes": ["65", "32.5", "2.5"],
    "max_participants": "20",
    "join_window_seconds": "60",
    "run_seconds": "30",
    "gap_seconds": "5",
}
REASON = {"reason": "a player asked", "request_key": "1"}


def page(name, pk):
    return reverse(f"admin:{name}", args=[pk])


def text(answer) -> str:
    return answer.content.decode()


@pytest.fixture
def browser(client, master):
    client.force_login(master)
    return client


@pytest.fixture
def operator(client, db):
    user = worker("operator")
    client.force_login(user)
    return user


def test_a_master_creates_a_room_with_its_prize_table_and_its_first_session(browser, master, game, gold):
    answer = browser.post(ADD, {**TERMS, "game": game.pk}, follow=True)
    assert "The room Evening Reels is open" in text(answer)
    room = Room.objects.get()
    assert (room.owner, room.entry_fee_minor, room.prize_shares_bp) == (master, 250, [6_500, 3_250, 250])
    assert (room.max_participants, room.join_window_seconds, room.run_seconds, room.gap_seconds) == (20, 60, 30, 5)
    assert Session.objects.get().status == "pending"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.ip) == ("room created", master, "127.0.0.1")
    assert entry.after["entry_fee_minor"] == 250


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"prizes": ["60", "30"]}, "Total percent of prizes must equal 100, but is 90"),
        ({"prizes": ["30", "70"]}, "Percent must decrease with rank"),
        ({"prizes": ["half", "50"]}, "The percent of rank 1 is not a number"),
        ({"prizes": ["NaN", "50"]}, "The percent of rank 1 is not a number"),
        ({"prizes": ["", ""]}, "A game room must have between 1 and 20 prizes"),
        ({"entry_fee": "2,50"}, "The amount must be a plain decimal number"),
        ({"entry_fee": "1000"}, "must not be greater than 100"),
        ({"max_participants": "2"}, "must be at least the number of prizes"),
        ({"run_seconds": "0"}, "greater than or equal to 1"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_a_table_or_a_term_that_breaks_a_rule_is_named_and_nothing_is_made(browser, game, gold, change, complaint):
    answer = browser.post(ADD, {**TERMS, "game": game.pk, **change})
    assert answer.status_code in (400, 409)
    assert complaint in text(answer)
    assert Room.objects.count() == AuditEntry.objects.count() == 0


def test_what_was_typed_is_still_there_after_a_refusal(browser, game, gold):
    content = text(browser.post(ADD, {**TERMS, "game": game.pk, "prizes": ["60", "30", "5"]}))
    assert all(f'value="{typed}"' in content for typed in ("Evening Reels", "2.50", "60", "30", "5"))


def test_a_name_that_is_taken_is_refused_with_what_to_do(browser, make_room, game):
    make_room(name="Evening Reels")
    answer = browser.post(ADD, {**TERMS, "game": game.pk})
    assert answer.status_code == 409
    assert "Game room name already exists" in text(answer)
    assert "Choose another name" in text(answer)


def test_an_edit_beside_a_live_session_waits_and_shows(browser, make_room):
    room = make_room(name="Evening Reels")
    form = browser.get(page("rooms_room_edit", room.pk))
    assert 'value="10.00"' in text(form)
    edited = {**TERMS, **REASON, "entry_fee": "12.50", "prizes": ["50", "30", "20"], "max_participants": "100"}

    edited |= {"join_window_seconds": str(room.join_window_seconds), "run_seconds": str(room.run_seconds)}
    edited["gap_seconds"] = str(room.gap_seconds)
    answer = browser.post(page("rooms_room_edit", room.pk), edited, follow=True)

    assert "count from the next session on" in text(answer)
    assert "From the next session on" in text(answer)
    assert "12.50 GOLD" in text(answer)
    room.refresh_from_db()
    assert (room.entry_fee_minor, room.pending_change) == (1_000, {"entry_fee_minor": 1_250})
    entry = AuditEntry.objects.order_by("-id").first()
    assert (entry.reason, entry.before, entry.after) == (
        "a player asked",
        {"entry_fee_minor": 1_000},
        {"entry_fee_minor": 1_250},
    )


@pytest.mark.parametrize("is_live", [True, False])
def test_a_rooms_symbol_is_taken_away_by_an_edit_that_leaves_it_empty(browser, make_room, is_live):
    room = make_room(symbol="REELS")
    session = Session.objects.get(pk=room.current_session_id)
    if not is_live:
        # Nobody came, and the room opens no other session.
        browser.post(page("rooms_room_pause", room.pk), REASON)
        tick.advance(now=session.starts_at)
    edited = {
        **REASON,
        "name": room.name,
        "symbol": "",
        "entry_fee": "10",
        "prizes": ["50", "30", "20"],
        "max_participants": room.max_participants,
        "join_window_seconds": room.join_window_seconds,
        "run_seconds": room.run_seconds,
        "gap_seconds": room.gap_seconds,
    }
    assert browser.post(page("rooms_room_edit", room.pk), edited).status_code == 302
    entry = AuditEntry.objects.order_by("-id").first()
    assert (entry.before, entry.after) == ({"symbol": "REELS"}, {"symbol": ""})
    if is_live:
        room.refresh_from_db()
        assert (room.symbol, room.pending_change) == ("REELS", {"symbol": ""})
        # The same again is nothing new.
        assert browser.post(page("rooms_room_edit", room.pk), edited).status_code == 400
        tick.advance(now=session.starts_at)
    room.refresh_from_db()
    assert (room.symbol, room.pending_change) == (None, None)
    assert browser.post(page("rooms_room_edit", room.pk), edited).status_code == 400


def test_an_edit_that_changes_nothing_is_refused(browser, make_room):
    room = make_room(name="Evening Reels")
    same = {
        **REASON,
        "name": room.name,
        "symbol": "",
        "entry_fee": "10",
        "prizes": ["50", "30", "20"],
        "max_participants": room.max_participants,
        "join_window_seconds": room.join_window_seconds,
        "run_seconds": room.run_seconds,
        "gap_seconds": room.gap_seconds,
    }
    answer = browser.post(page("rooms_room_edit", room.pk), same)
    assert (answer.status_code, "Nothing is different" in text(answer)) == (400, True)


def test_a_master_pauses_resumes_and_deletes_its_room(browser, make_room):
    room = make_room()
    for act, status in (("pause", "inactive"), ("resume", "open"), ("remove", "deleted")):
        assert browser.post(page(f"rooms_room_{act}", room.pk), REASON).status_code == 302
        room.refresh_from_db()
        assert room.status == status
    entries = AuditEntry.objects.order_by("id").values_list("action", "before", "after")
    assert [entry[0] for entry in entries] == ["room created", "room switched off", "room switched on", "room deleted"]
    assert entries[1][1:] == ({"status": "open"}, {"status": "inactive"})
    assert browser.post(page("rooms_room_pause", room.pk), REASON).status_code == 409


@pytest.mark.parametrize("reason", ["", "  ", "no"])
def test_an_act_without_a_reason_does_nothing(client, operator, make_room, reason):
    room = make_room()
    with nothing_moves():
        answer = client.post(page("rooms_session_void", room.current_session_id), {**REASON, "reason": reason})
        assert answer.status_code == 400


def test_looking_at_an_act_does_nothing(client, operator, make_room):
    room = make_room()
    with nothing_moves():
        assert client.get(page("rooms_session_void", room.current_session_id)).status_code == 200
        assert client.get(page("rooms_room_remove", room.pk)).status_code == 200


def test_an_operator_voids_a_session_and_everybody_is_refunded(client, operator, make_room, player, fund, join):
    fund(player, 1_500)
    room = make_room()
    join(room, player)
    url = page("rooms_session_void", room.current_session_id)
    assert "all entries (1) are paid back" in text(client.get(url))

    answer = client.post(url, REASON, follow=True)

    assert "every entry fee is refunded" in text(answer)
    assert balance(player) == 1_500
    assert findings() == []
    entry = AuditEntry.objects.order_by("-id").first()
    assert (entry.action, entry.actor, entry.reason) == ("session voided and refunded", operator, "a player asked")
    assert (entry.before, entry.after) == ({"status": "pending", "entries": 1}, {"status": "out"})
    with nothing_moves():
        again = client.post(url, REASON)
        assert (again.status_code, "See the timeline" in text(again)) == (409, True)


def test_an_operator_edits_another_masters_room(client, operator, make_room):
    room = make_room()
    assert client.post(page("rooms_room_pause", room.pk), REASON).status_code == 302
    assert AuditEntry.objects.order_by("-id").first().actor == operator


def test_a_list_asks_as_often_for_many_sessions_as_for_few(client, operator, make_room, django_assert_num_queries):
    url = reverse("admin:rooms_session_changelist")
    make_room()
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _ in range(12):
        make_room()
    with django_assert_num_queries(len(few)):
        client.get(url)


def test_the_seed_of_a_draw_is_on_no_page(client, operator, make_room):
    session = Session.objects.get(pk=make_room().current_session_id)
    for name in ("rooms_session_change", "rooms_session_proof"):
        content = text(client.get(page(name, session.pk)))
        assert session.draw_commit in content
        assert bytes(session.seed_encrypted).decode() not in content
    proof = client.get(page("rooms_session_proof", session.pk)).json()
    assert (proof["seed"], proof["commit"]) == (None, session.draw_commit)


def test_a_live_sessions_page_follows_it_until_it_is_over_set_aside_or_left_open_for_long(client, operator, make_room):
    session = Session.objects.get(pk=make_room().current_session_id)

    def followed(**changes):
        Session.objects.filter(pk=session.pk).update(**changes)
        return client.get(page("rooms_session_change", session.pk)).headers.get("Refresh")

    assert followed() == "5"
    assert followed(quarantined_at=session.opens_at) is None
    far = session.starts_at + timedelta(hours=1)
    assert followed(quarantined_at=None, starts_at=far, ends_at=far + timedelta(minutes=1)) is None
    assert client.get(page("rooms_session_void", session.pk)).headers.get("Refresh") is None


def test_a_session_is_found_by_what_stands_in_the_list_by_its_id_and_by_its_room(client, operator, make_room):
    room = make_room(name="Evening Reels")
    other = make_room(name="Another room")
    Session.objects.filter(pk=other.current_session_id).update(code="1")
    session = Session.objects.get(pk=room.current_session_id)
    client.force_login(operator)
    for term in (session.code, str(session.pk), "Evening Reels"):
        listed = client.get(reverse("admin:rooms_session_changelist"), {"q": term}).context["cl"].queryset
        assert list(listed) == [session], term


def test_an_entry_of_the_trail_leads_to_all_that_was_done_to_its_object(client, operator, make_room):
    room = make_room()
    make_room()
    client.post(page("rooms_room_pause", room.pk), REASON)
    entry = AuditEntry.objects.order_by("-id")[0]
    answer = client.get(page("core_auditentry_history", entry.pk), follow=True)
    assert [found.action for found in answer.context["cl"].queryset] == ["room switched off", "room created"]


def test_an_empty_list_says_so_and_one_that_is_filtered_says_why(client, operator):
    url = reverse("admin:rooms_session_changelist")
    assert "Nothing here yet." in text(client.get(url))
    assert "Nothing matches the search and the filters." in text(client.get(url, {"status__exact": "ended"}))
