"""Muting, kicking, banning and reporting: who may, on whom, for how long, and that it is written down."""

import pytest
import time_machine

from chat.models import Conversation, Member, ModerationAct, Report, Sanction


@pytest.fixture
def ranks(tenant, lounge):
    """Beside the members Lan and Minh: a moderator, a second one, an owner."""
    for user_id, role in (("mod", "moderator"), ("mod2", "moderator"), ("own", "owner")):
        tenant.api.post(
            f"/api/v1/rooms/{lounge.pk}/join", {"user_id": user_id, "user_name": user_id, "meta": {"role": role}}
        )


@pytest.fixture
def act(tenant, lounge):
    """``act("mute", user_id="lan")``: status and code of the answer."""

    def call(what, **body):
        response = tenant.api.post(f"/api/v1/rooms/{lounge.pk}/{what}", body)
        return response.status_code, response.json().get("error", {}).get("code")

    return call


@pytest.fixture
def post(tenant, lounge):
    """``post("lan")``: status and error of a message by that user."""

    def call(user_id):
        response = tenant.api.post(f"/api/v1/rooms/{lounge.pk}/messages/", {"sender_id": user_id, "content": "hi"})
        return response.status_code, response.json().get("error")

    return call


def test_a_muted_user_reads_and_does_not_post_until_the_time_is_over(tenant, act, post):
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        assert act("mute", user_id="lan", duration_seconds=60, reason="loud") == (200, None)
        status, error = post("lan")
        assert status == 403
        assert error == {
            "code": "USER_MUTED",
            "message": "You are muted in this room",
            "details": {"expires_at": "2026-03-01T12:01:00.000Z"},
        }
        assert post("minh")[0] == 201
    with time_machine.travel("2026-03-01T12:01:00Z", tick=False):
        assert post("lan")[0] == 201
    noted = ModerationAct.objects.get(act="mute")
    assert (noted.actor, noted.user_id, noted.reason) == (f"client:{tenant.client.name}", "lan", "loud")


def test_a_mute_is_lifted_and_a_newer_one_replaces_it(act, post):
    act("mute", user_id="lan")
    act("mute", user_id="lan", duration_seconds=3600)
    assert Sanction.objects.filter(lifted_at__isnull=True).count() == 1
    assert act("unmute", user_id="lan") == (200, None)
    assert post("lan")[0] == 201
    assert list(ModerationAct.objects.order_by("id").values_list("act", flat=True)) == ["mute", "mute", "unmute"]


def test_a_kicked_user_is_out_and_may_come_back(tenant, lounge, act):
    assert act("kick", user_id="lan", reason="afk") == (200, None)
    assert not Member.objects.filter(conversation=lounge, user_id="lan").exists()
    assert Conversation.objects.get(pk=lounge.pk).participant_count == 1
    assert act("kick", user_id="lan") == (404, "PARTICIPANT_NOT_FOUND")
    assert act("join", user_id="lan", user_name="Lan") == (200, None)
    assert ModerationAct.objects.filter(act="kick").count() == 1


def test_a_banned_user_is_out_and_stays_out_until_the_ban_ends(tenant, lounge, act):
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        assert act("ban", user_id="lan", expires_at="2026-03-02T12:00:00Z", reason="spam") == (200, None)
        assert Conversation.objects.get(pk=lounge.pk).participant_count == 1
        refused = tenant.api.post(f"/api/v1/rooms/{lounge.pk}/join", {"user_id": "lan", "user_name": "Lan"})
        assert refused.status_code == 403
        assert refused.json()["error"] == {
            "code": "ROOM_ACCESS_DENIED",
            "message": "User is banned from this room",
            "details": {"reason": "spam", "expires_at": "2026-03-02T12:00:00.000Z"},
        }
        sanctions = tenant.api.get(f"/api/v1/rooms/{lounge.pk}/sanctions").json()["data"]
        assert sanctions == [
            {
                "user_id": "lan",
                "kind": "ban",
                "reason": "spam",
                "created_at": "2026-03-01T12:00:00.000Z",
                "expires_at": "2026-03-02T12:00:00.000Z",
            }
        ]
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False):
        assert act("join", user_id="lan", user_name="Lan") == (200, None)


def test_a_ban_can_be_lifted_and_can_hit_somebody_who_is_not_there(act):
    assert act("ban", user_id="troll") == (200, None)
    assert act("join", user_id="troll", user_name="T") == (403, "ROOM_ACCESS_DENIED")
    assert act("unban", user_id="troll") == (200, None)
    assert act("join", user_id="troll", user_name="T") == (200, None)


@pytest.mark.parametrize(
    ("moderator", "target", "allowed"),
    [
        ("lan", "minh", False),
        ("stranger", "minh", False),
        ("mod", "minh", True),
        ("mod", "mod2", False),
        ("mod", "own", False),
        ("own", "mod", True),
        (None, "own", True),
    ],
)
def test_one_acts_only_on_those_below(ranks, act, lounge, moderator, target, allowed):
    by = {} if moderator is None else {"moderator_id": moderator}
    before = Conversation.objects.get(pk=lounge.pk).participant_count
    for what in ("mute", "ban"):
        assert act(what, user_id=target, **by) == ((200, None) if allowed else (403, "ROOM_ACCESS_DENIED"))
    assert Sanction.objects.exists() is allowed
    assert ModerationAct.objects.exists() is allowed
    assert Conversation.objects.get(pk=lounge.pk).participant_count == before - allowed


def test_a_report_is_kept_once_with_the_words_as_they_were(tenant, say):
    message = say("buy coins here", sender_id="minh")
    url = f"/api/v1/messages/{message['id']}"
    assert tenant.api.post(f"{url}/report", {"user_id": "lan", "reason": "spam"}).status_code == 201
    assert tenant.api.post(f"{url}/report", {"user_id": "lan", "reason": "again"}).status_code == 200
    tenant.api.put(url, {"user_id": "minh", "content": "hello"})
    report = Report.objects.get()
    assert (report.reporter_id, report.reason, report.content) == ("lan", "spam", "buy coins here")
    refused = tenant.api.post(f"{url}/report", {"user_id": "stranger", "reason": "r"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ROOM_ACCESS_DENIED")


def test_deleting_a_room_leaves_the_audit(tenant, lounge, act):
    act("kick", user_id="lan")
    tenant.api.delete(f"/api/v1/rooms/{lounge.pk}")
    acts = ModerationAct.objects.filter(conversation_id=lounge.pk).order_by("id")
    assert list(acts.values_list("act", flat=True)) == ["kick", "delete_room"]


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": "lan", "expires_at": "2020-01-01T00:00:00Z"},
        {"user_id": "lan", "expires_at": "2030-01-01T00:00:00"},
        {"user_id": "lan", "duration_seconds": 0},
        {"user_id": "lan", "duration_seconds": 60, "expires_at": "2030-01-01T00:00:00Z"},
        {"user_id": "lan", "reason": "x" * 501},
        {},
    ],
)
def test_a_sanction_that_makes_no_sense_is_refused(tenant, lounge, body):
    response = tenant.api.post(f"/api/v1/rooms/{lounge.pk}/mute", body)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
    assert not Sanction.objects.exists()
