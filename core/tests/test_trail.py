from datetime import UTC, datetime

import pytest
from django.db import ProgrammingError, transaction

from core import trail
from core.models import AuditEntry

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def entry(player, staff) -> AuditEntry:
    with transaction.atomic(), trail.acting_from("203.0.113.9"):
        return trail.record(
            actor=staff,
            action="user frozen",
            target=player,
            reason="asked to",
            before={"is_active": True},
            after={"is_active": False},
            now=NOW,
        )


def test_an_entry_says_who_did_what_to_what_when_why_and_from_where(entry, player, staff):
    kept = AuditEntry.objects.get()
    assert (kept.at, kept.actor, kept.action, kept.reason, kept.ip) == (
        NOW,
        staff,
        "user frozen",
        "asked to",
        "203.0.113.9",
    )
    assert (kept.object_type, kept.object_id, kept.object_name) == ("accounts.user", str(player.pk), "player")
    assert (kept.before, kept.after) == ({"is_active": True}, {"is_active": False})


def test_the_address_is_noted_inside_its_block_only(entry, player):
    with transaction.atomic():
        assert trail.record(actor=None, action="seen", target=player, now=NOW).ip == ""


@pytest.mark.parametrize("what", ["update", "delete"])
def test_the_database_refuses_to_change_or_remove_an_entry(entry, what):
    rows = AuditEntry.objects.filter(pk=entry.pk)
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        rows.update(reason="another") if what == "update" else rows.delete()
    assert AuditEntry.objects.get().reason == "asked to"


@pytest.mark.django_db(transaction=True)
def test_an_entry_needs_the_transaction_of_its_act(player):
    with pytest.raises(RuntimeError):
        trail.record(actor=None, action="seen", target=player, now=NOW)
    assert AuditEntry.objects.count() == 0
