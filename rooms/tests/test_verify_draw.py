"""The published script finds a sound draw sound, and names whatever was tampered with."""

import json
import subprocess
import sys
from copy import deepcopy

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from rooms import lifecycle, proof, settlement
from rooms.models import Participant, Session

SCRIPT = settings.BASE_DIR / "docs" / "verify_draw.py"


@pytest.fixture
def session(make_room, people, fund, join) -> Session:
    """A session of five that has ended."""
    room = make_room(entry_fee_minor=333)
    for guest in people(5):
        fund(guest, 333)
        join(room, guest)
    session = Session.objects.get(pk=room.current_session_id)
    lifecycle.start_session(session_id=session.pk, now=session.starts_at)
    settlement.settle_session(session_id=session.pk, now=session.ends_at)
    session.refresh_from_db()
    return session


def check(record: dict) -> subprocess.CompletedProcess:
    """The script as a player runs it: alone, without our packages or settings."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), "-"], input=json.dumps(record), capture_output=True, text=True
    )


def test_sound_draw_verifies_in_both_forms(session):
    record = proof.proof(session)
    for form in (record, {"message": "Game session proof fetched successfully", "data": record}):
        done = check(form)
        assert (done.returncode, done.stdout.split()[0]) == (0, "RIGHT")


def other_seed(record):
    record["seed"] = "00" * 32


def other_roster(record):
    record["entries"][-1]["id"] = "00000000-0000-4000-8000-00000000000f"


def one_entry_left_out(record):
    record["entries"].pop()


def order_swapped(record):
    first, second = record["entries"][:2]
    first["rank"], second["rank"] = second["rank"], first["rank"]


def ticket_bought(record):
    record["entries"][-1]["ticket"] = "0" * 64


def prize_raised(record):
    record["entries"][0]["prize_minor"] += 1


def pool_skimmed(record):
    record["pool_minor"] -= 5


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (other_seed, "seed:"),
        (other_roster, "roster:"),
        (one_entry_left_out, "roster:"),
        (order_swapped, "order:"),
        (ticket_bought, "ticket:"),
        (prize_raised, "prize:"),
        (pool_skimmed, "prize:"),
    ],
)
def test_whatever_is_tampered_with_is_caught_and_named(session, tamper, named):
    record = deepcopy(proof.proof(session))
    tamper(record)
    done = check(record)
    assert done.returncode == 1
    assert any(line.startswith(f"WRONG  {named}") for line in done.stdout.splitlines())


@pytest.mark.parametrize("record", [{}, [], {"version": "gameplatform-draw-v1", "seed": None}])
def test_unfinished_proof_is_refused(record):
    done = check(record)
    assert (done.returncode, done.stdout.split(":")[0]) == (2, "not a finished proof")


def test_the_script_stays_short_enough_to_read():
    code = [line for line in SCRIPT.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(code) <= 80


def test_operators_check_many_at_once(session, capsys):
    call_command("verify_draw")
    assert "1 draws are as published." in capsys.readouterr().out
    Participant.objects.filter(session=session, rank=1).update(prize_minor=1)
    with pytest.raises(CommandError, match="1 things do not follow"):
        call_command("verify_draw", str(session.pk))
    with pytest.raises(CommandError, match="No draw has ended in session 999999"):
        call_command("verify_draw", "999999")
