"""Old messages and idle rooms are let go, in steps that can be stopped and taken up again."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from accounts.models import ApiClient, ApiKey
from chat import retention
from chat.models import Conversation, Message, ModerationAct
from core.db import clock


@pytest.fixture
def aged(lounge, say):
    """Three messages of January, of which one is deleted, and two of March."""
    made = []
    for day in ("2026-01-01", "2026-01-02", "2026-01-03", "2026-03-01", "2026-03-02"):
        with time_machine.travel(f"{day}T00:00:00Z", tick=False):
            made.append(say(day))
    return made


def run(command, *arguments):
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def counts(room):
    room.refresh_from_db()
    return room.message_count, room.last_seq, room.pruned_seq


@time_machine.travel("2026-03-10T00:00:00Z", tick=False)
def test_a_dry_run_counts_and_deletes_nothing(aged, lounge):
    said = run("prune_messages", "--older-than", "30d", "--dry-run")
    assert said == "Would delete 3 messages posted before 2026-02-08 00:00:00 UTC."
    assert counts(lounge) == (5, 5, 0)


@time_machine.travel("2026-03-10T00:00:00Z", tick=False)
def test_pruning_takes_the_old_ones_and_keeps_counts_and_numbers_true(tenant, aged, lounge, say):
    tenant.api.delete(f"/api/v1/messages/{aged[1]['id']}?user_id=lan")
    assert run("prune_messages", "--older-than", "30d") == "Deleted 3 messages."
    assert counts(lounge) == (2, 5, 3)
    assert list(Message.objects.order_by("seq").values_list("seq", flat=True)) == [4, 5]
    assert say("next")["seq"] == 6
    assert run("prune_messages", "--older-than", "30d") == "Deleted 0 messages."


@time_machine.travel("2026-03-10T00:00:00Z", tick=False)
def test_a_run_that_was_stopped_is_taken_up_where_it_was(aged, lounge, monkeypatch):
    monkeypatch.setattr(retention, "BATCH_ROWS", 2)
    before = clock.now() - timedelta(days=30)
    assert retention.prune_batch(conversation_id=lounge.pk, before=before) == 2
    assert counts(lounge) == (3, 5, 2)
    assert run("prune_messages", "--older-than", "30d") == "Deleted 1 messages."
    assert counts(lounge) == (2, 5, 3)


@pytest.mark.parametrize("period", ["90", "d", "-1d", "0d", "1y", "999999d", ""])
def test_a_period_that_makes_no_sense_is_refused(db, period):
    with pytest.raises(CommandError):
        run("prune_messages", f"--older-than={period}")


@time_machine.travel("2026-03-10T00:00:00Z", tick=False)
def test_rooms_in_which_nothing_happens_are_closed_and_the_others_stay(tenant, neighbour, aged, lounge, game_table):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        silent = neighbour.api.post("/api/v1/rooms/", {"name": "Silent"}).json()["data"]["id"]
        Conversation.objects.filter(pk=game_table.pk).update(created_at=clock.now(), updated_at=clock.now())
    assert run("close_idle_rooms", "--dry-run").startswith("Would deactivate 1 rooms idle since 2026-02-08")
    assert run("close_idle_rooms") == "Deactivated 1 rooms."
    assert list(Conversation.objects.filter(is_active=False).values_list("pk", flat=True).order_by("pk")) == [
        Conversation.objects.get(pk=silent).pk
    ]
    assert ModerationAct.objects.get().actor == "platform:close_idle_rooms"
    assert run("close_idle_rooms") == "Deactivated 0 rooms."


def test_a_client_is_made_with_a_key_that_works_and_is_shown_once(db, client):
    said = dict(line.split(":", 1) for line in run("create_api_client", "Tea house").splitlines())
    key = said["key"].strip()
    made = ApiClient.objects.get()
    assert (made.name, str(made.public_id)) == ("Tea house", said["client id"].strip())
    assert ApiKey.objects.get().scopes == ["chat"]
    answer = client.get("/api/v1/rooms/", headers={"X-API-Key": key})
    assert answer.status_code == 200
    run("create_api_client", "Tea house", "--new-key", "--expires-days", "30")
    assert ApiKey.objects.count() == 2
    for arguments in (["Tea house"], ["Tea house", "--new-key"], ["Nobody", "--new-key"], ["X", "--game", "NONE"]):
        with pytest.raises(CommandError):
            run("create_api_client", *arguments)
    assert (ApiClient.objects.count(), ApiKey.objects.count()) == (1, 2)


@time_machine.travel("2026-03-10T00:00:00Z", tick=False)
def test_prune_leaves_messages_for_ever_unless_the_setting_says_otherwise(aged, lounge, settings, tmp_path):
    settings.EXPORT_DIR = str(tmp_path)
    assert "chat messages" not in run("prune")
    assert counts(lounge) == (5, 5, 0)
    settings.CHAT_MESSAGES_KEEP_DAYS = 30
    assert "chat messages: 3" in run("prune", "--dry-run")
    assert counts(lounge) == (5, 5, 0)
    assert "chat messages: 3" in run("prune")
    assert counts(lounge) == (2, 5, 3)
