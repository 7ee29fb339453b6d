"""`manage.py seed_demo`: makes what is missing, once."""

import io
import json
import re
import stat

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Game, User
from accounts.sign_in import log_in
from core.db import clock
from payments.models import Account, Adjustment, Token, Transfer
from rooms import offers
from rooms.models import Room, Session
from tests.support.books import findings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    return settings.DATA_DIR


def seed_demo(*words):
    output = io.StringIO()
    call_command("seed_demo", *words, stdout=output)
    return output.getvalue().splitlines()


def counts():
    return {model.__name__: model.objects.count() for model in (User, Game, Token, Adjustment, Transfer, Room, Session)}


def logins(lines):
    """(role, username, password) as printed."""
    return [tuple(line.split()) for line in lines if re.match(r"(staff|master|player) ", line)]


def test_everything_is_made_once_and_a_repetition_makes_nothing():
    first = seed_demo()
    made = counts()
    assert made == {
        "User": 5,
        "Game": 4,
        "Token": 1,
        "Adjustment": 3,
        "Transfer": 3,
        "Room": 5,
        "Session": 5,
    }
    second = seed_demo()
    assert counts() == made
    assert second[0] == "The demo data is complete."
    assert logins(second) == logins(first)


def test_the_printed_logins_sign_in_with_the_rights_of_their_role():
    found = logins(seed_demo())
    assert [role for role, _, _ in found] == ["staff", "master", "player", "player", "player"]
    rights = {"staff": (True, True, False), "master": (False, False, True), "player": (False, False, False)}
    for role, username, password in found:
        user = log_in(username=username, password=password, now=clock.now()).user
        assert (user.is_staff, user.is_superuser, user.is_master) == rights[role]
        assert user.wallet_address == f"wallet-of-{username}"


def test_each_player_has_a_thousand_tokens_and_the_books_are_right():
    seed_demo()
    wallets = Account.objects.filter(kind="wallet").order_by("owner__username")
    assert list(wallets.values_list("owner__username", "balance_minor")) == [
        ("demo_player1", 100_000),
        ("demo_player2", 100_000),
        ("demo_player3", 100_000),
    ]
    assert findings() == []


def test_the_rooms_are_short_and_one_of_them_wants_twenty_players():
    seed_demo()
    rooms = {room.name: (len(room.prize_shares_bp), room.max_participants) for room in Room.objects.all()}
    assert rooms == {
        "Reels for a Few": (2, 6),
        "Wheel of Three": (3, 12),
        "Canyon Time Trial": (3, 24),
        "The Big Evening": (5, 60),
        "Twenty or Nothing": (20, 40),
    }
    assert set(Room.objects.values_list("join_window_seconds", "run_seconds")) == {(20, 10)}


def test_one_of_the_rooms_is_decided_by_the_lowest_score_and_the_others_by_draw():
    seed_demo()
    scored = Session.objects.filter(result_mode="score").values_list("room__name", "score_order")
    assert list(scored) == [("Canyon Time Trial", "asc")]
    assert Session.objects.filter(result_mode="draw").count() == 4


def test_passwords_are_random_and_kept_for_their_owner_only(folder, settings):
    first = logins(seed_demo())
    file = folder / "demo-logins.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {username: password for _, username, password in first}
    assert len({password for _, _, password in first}) == 5

    # Another data folder beside the same database: new passwords, and they work.
    settings.DATA_DIR = folder / "other"
    made = counts()
    second = logins(seed_demo())
    assert not {password for _, _, password in first} & {password for _, _, password in second}
    assert counts() == made
    _, username, password = second[0]
    assert log_in(username=username, password=password, now=clock.now()).user.is_superuser


def test_a_dry_run_says_what_is_missing_and_makes_nothing(folder):
    lines = seed_demo("--dry-run")
    assert len(lines) == 18
    assert lines[0] == "Would make token GOLD"
    assert lines[-1] == "Would make room Twenty or Nothing"
    assert set(counts().values()) == {0}
    assert not folder.exists()
    seed_demo()
    assert seed_demo("--dry-run") == ["The demo data is complete."]


def test_what_is_missing_is_made_again_but_not_a_room_that_was_deleted():
    seed_demo()
    staff = User.objects.get(username="demo_staff")
    offers.delete_room(actor=staff, room_id=Room.objects.get(name="Wheel of Three").pk, now=clock.now())
    User.objects.filter(username="demo_master").update(is_master=False)
    made = counts()
    assert seed_demo()[0] == "Made master demo_master"
    assert counts() == made
    assert seed_demo()[0] == "The demo data is complete."


def test_a_file_that_holds_no_logins_is_refused_in_one_sentence(folder):
    folder.mkdir()
    (folder / "demo-logins.json").write_text("[]")
    with pytest.raises(CommandError, match=r"demo-logins\.json cannot be read as demo logins\. Remove it"):
        seed_demo()
    assert set(counts().values()) == {0}
