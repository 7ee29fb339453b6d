"""The back-office: every page opens, and its actions are the audited use cases."""

import pytest
from django.urls import reverse

from chat.models import Conversation, Member, Message, ModerationAct, Report, Sanction
from gameplatform.accounts.models import ApiClient, ApiKey
from gameplatform.core.models import AuditEntry


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


def choose(office, model, action, *objects):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    body = {"action": action, "_selected_action": [str(thing.pk) for thing in objects]}
    return office.post(url, body, follow=True)


@pytest.mark.parametrize("model", [Conversation, Member, Message, Report, Sanction, ModerationAct, ApiClient])
def test_every_list_and_page_opens(office, rows, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert office.get(reverse(f"{name}_changelist")).status_code == 200
    assert office.get(reverse(f"{name}_change", args=[model.objects.first().pk])).status_code == 200
    if model is not ApiClient:
        assert office.get(reverse(f"{name}_add")).status_code == 403


def test_staff_take_a_reported_message_down_and_bring_it_back(office, rows):
    choose(office, Report, "take_down", Report.objects.get())
    message = Message.objects.get()
    assert (message.is_deleted, Report.objects.get().resolved_at is not None) == (True, True)
    choose(office, Message, "restore", message)
    assert Message.objects.get().is_deleted is False
    acts = ModerationAct.objects.filter(actor="staff:staff").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["delete_message", "resolve_report", "restore_message"]


def test_staff_mute_kick_ban_and_lift(office, rows, lounge):
    lan, minh = Member.objects.get(user_id="lan"), Member.objects.get(user_id="minh")
    choose(office, Member, "kick", lan)
    choose(office, Member, "ban", minh)
    assert Conversation.objects.get(pk=lounge.pk).participant_count == 0
    choose(office, Sanction, "lift", Sanction.objects.get(kind="ban"))
    assert Sanction.objects.get(kind="ban").lifted_at is not None
    acts = ModerationAct.objects.filter(actor="staff:staff").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["kick", "ban", "unban"]


def test_staff_close_and_open_a_room_of_a_game_too(office, game_table):
    choose(office, Conversation, "deactivate", game_table)
    assert Conversation.objects.get().is_active is False
    choose(office, Conversation, "activate", game_table)
    assert Conversation.objects.get().is_active is True


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
    trail = AuditEntry.objects.order_by("id").values_list("action", "reason")
    assert [entry for entry in trail if entry[1]] == [
        ("API key issued", "a new server"),
        ("API key revoked", "a new server"),
        ("API key revoked", "a new server"),
    ]
