"""The back-office: every page opens, and its actions are the audited use cases."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import ApiClient, ApiKey, User
from chat.models import Conversation, Member, Message, ModerationAct, Report, Sanction
from core.models import AuditEntry


@pytest.fixture
def office(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def rows(tenant, lounge, say):
    """A row in every table."""
    message = say("buy coins", sender_id="minh")
    tenant.api.post(f"/api/v1/messages/{message['id']}/report", {"user_id": "lan", "reason": "spam"})
    tenant.api.post(f"/api/v1/rooms/{lounge.pk}/mute", {"user_id": "lan"})
    return message


def press(office, thing, slug, **form):
    """The button of one object's page, with a reason."""
    opts = thing._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_{slug}", args=[thing.pk])
    return office.post(url, {"reason": "it broke the rules", "request_key": "1", **form})


def trail():
    entries = AuditEntry.objects.filter(action__startswith="chat: ").order_by("id")
    return list(entries.values_list("action", "object_type", "reason", "before", "after"))


@pytest.mark.parametrize("model", [Conversation, Member, Message, Report, Sanction, ModerationAct, ApiClient])
def test_every_list_and_page_opens(office, rows, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert office.get(reverse(f"{name}_changelist")).status_code == 200
    assert office.get(reverse(f"{name}_change", args=[model.objects.first().pk])).status_code == 200
    if model is not ApiClient:
        assert office.get(reverse(f"{name}_add")).status_code == 403


def test_staff_take_a_reported_message_down_and_bring_it_back(office, rows, staff):
    report, message = Report.objects.get(), Message.objects.get()
    assert press(office, report, "uphold").status_code == 302
    message.refresh_from_db()
    assert (message.is_deleted, Report.objects.get().resolved_at is not None) == (True, True)
    assert press(office, message, "restore").status_code == 302
    assert Message.objects.get().is_deleted is False
    acts = ModerationAct.objects.filter(actor="staff:staff").order_by("id").values_list("act", "reason")
    assert list(acts) == [
        ("delete_message", "it broke the rules"),
        ("resolve_report", "it broke the rules"),
        ("restore_message", "it broke the rules"),
    ]
    found = trail()
    assert [(action, kind, before) for action, kind, _, before, _ in found] == [
        ("chat: delete message", "chat.message", {"is_deleted": False}),
        ("chat: resolve report", "chat.report", {"resolved_at": None}),
        ("chat: restore message", "chat.message", {"is_deleted": True}),
    ]
    assert {entry.actor for entry in AuditEntry.objects.filter(action__startswith="chat: ")} == {staff}


def test_a_report_is_dismissed_without_touching_the_message(office, rows):
    assert press(office, Report.objects.get(), "dismiss").status_code == 302
    assert (Message.objects.get().is_deleted, Report.objects.get().resolved_at is None) == (False, False)
    press(office, Report.objects.get(), "dismiss")
    assert ModerationAct.objects.filter(act="resolve_report").count() == 1


def test_staff_mute_kick_ban_and_lift(office, rows, lounge):
    lan, minh = Member.objects.get(user_id="lan"), Member.objects.get(user_id="minh")
    assert press(office, minh, "mute", hours="1").status_code == 302
    muted = Sanction.objects.get(user_id="minh", kind="mute")
    assert muted.expires_at is not None
    assert (muted.expires_at - muted.created_at).total_seconds() == 3600
    press(office, lan, "kick")
    answer = press(office, minh, "ban", hours="")
    assert answer["Location"] == reverse("admin:chat_conversation_change", args=[lounge.pk])
    assert Conversation.objects.get(pk=lounge.pk).participant_count == 0
    press(office, Sanction.objects.get(kind="ban"), "lift")
    assert Sanction.objects.get(kind="ban").lifted_at is not None
    acts = ModerationAct.objects.filter(actor="staff:staff").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["mute", "kick", "ban", "unban"]
    found = trail()
    assert [action for action, *_ in found] == ["chat: mute", "chat: kick", "chat: ban", "chat: unban"]
    assert {(kind, reason) for _, kind, reason, _, _ in found} == {("chat.conversation", "it broke the rules")}
    assert found[1][3:] == ({"user_id": "lan", "member": True}, {"user_id": "lan", "member": False})
    assert found[2][3:] == (
        {"user_id": "minh", "banned": False, "member": True},
        {"user_id": "minh", "banned": True, "until": None, "member": False},
    )


def test_without_a_reason_nothing_happens(office, rows):
    lan = Member.objects.get(user_id="lan")
    assert press(office, lan, "kick", reason="").status_code == 400
    assert (Member.objects.filter(pk=lan.pk).exists(), trail()) == (True, [])


def test_who_may_only_look_moderates_nothing(client, rows):
    guest = User.objects.create_user("guest", is_staff=True)
    for model in ("member", "message", "conversation", "report"):
        guest.user_permissions.add(Permission.objects.get(codename=f"view_{model}", content_type__app_label="chat"))
    client.force_login(guest)
    lan = Member.objects.get(user_id="lan")
    assert client.get(reverse("admin:chat_member_change", args=[lan.pk])).status_code == 200
    statuses = [press(client, lan, slug).status_code for slug in ("mute", "kick", "ban")]
    statuses += [press(client, Message.objects.get(), "take-down").status_code]
    statuses += [press(client, Report.objects.get(), slug).status_code for slug in ("uphold", "dismiss")]
    statuses += [press(client, Conversation.objects.get(), "close").status_code]
    assert statuses == [403] * 7
    assert trail() == []


def test_staff_close_and_open_a_room_of_a_game_too(office, game_table):
    assert press(office, game_table, "close").status_code == 302
    assert Conversation.objects.get().is_active is False
    press(office, game_table, "reopen")
    assert Conversation.objects.get().is_active is True
    assert [(action, after) for action, _, _, _, after in trail()] == [
        ("chat: deactivate room", {"is_active": False}),
        ("chat: activate room", {"is_active": True}),
    ]


def test_a_conversations_page_and_the_lists_ask_the_same_few_questions_however_much_was_said(office, lounge, say):
    pages = [reverse("admin:chat_conversation_change", args=[lounge.pk])]
    pages += [reverse(f"admin:chat_{model}_changelist") for model in ("message", "member", "conversation")]
    say("one", sender_id="minh")

    def counted():
        numbers = []
        for page in pages:
            with CaptureQueriesContext(connection) as asked:
                assert office.get(page).status_code == 200
            numbers.append(len(asked))
        return numbers

    # What a process asks once, at its first page, is asked now.
    counted()
    few = counted()
    for n in range(12):
        say(f"word {n}", sender_id="minh")
    assert counted() == few
    assert max(few) <= 11


def test_rows_are_found_by_ids_and_names(office, rows, lounge):
    def found(model, term):
        answer = office.get(reverse(f"admin:chat_{model}_changelist"), {"q": term})
        return answer.context["cl"].result_count

    assert [found("conversation", lounge.name[:3]), found("conversation", lounge.pk)] == [1, 1]
    assert [found("member", "lan"), found("member", lounge.pk)] == [1, 2]
    assert [found("message", rows["id"]), found("message", lounge.pk), found("message", "lan")] == [1, 1, 0]
    assert found("moderationact", "lan") == 1


def test_keys_are_issued_and_revoked_and_shown_once(office, tenant):
    def act(name, **more):
        url = reverse(f"admin:accounts_apiclient_{name}", args=[tenant.client.pk])
        return office.post(url, {"reason": "a new server", "request_key": "1", **more})

    said = act("issue-key", scopes=["chat"]).content.decode()
    assert "gp_" in said
    assert "gp_" not in office.get(reverse("admin:accounts_apiclient_change", args=[tenant.client.pk])).content.decode()
    assert "two live keys" in act("issue-key", scopes=["chat"]).content.decode()
    act("revoke-all")
    assert ApiKey.objects.filter(revoked_at__isnull=True).count() == 0
    assert tenant.api.get("/api/v1/rooms/").status_code == 401
    entries = AuditEntry.objects.order_by("id").values_list("action", "reason")
    assert [entry for entry in entries if entry[1]] == [
        ("API key issued", "a new server"),
        ("API key revoked", "a new server"),
        ("API key revoked", "a new server"),
    ]
