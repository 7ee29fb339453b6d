import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.roles import is_master, is_staff


def create_master(monkeypatch, *words, typed=""):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    out = io.StringIO()
    call_command("create_master", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_new_name_becomes_a_master_with_the_password_from_stdin(monkeypatch):
    said = create_master(monkeypatch, "boss", "--password-stdin", typed="a fine password\n")

    assert said == "Created the master boss.\n"
    user = User.objects.get()
    assert (user.username, user.is_master, user.is_staff) == ("boss", True, False)
    assert user.check_password("a fine password")


def test_an_existing_user_is_promoted_once_and_keeps_its_password(monkeypatch, player):
    assert create_master(monkeypatch, "PLAYER") == "PLAYER is a master now. Its password stays as it was.\n"
    assert create_master(monkeypatch, "PLAYER") == "PLAYER is a master already. Nothing was changed.\n"
    user = User.objects.get()
    assert (user.is_master, user.check_password("player's password")) == (True, True)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(monkeypatch, player, master):
    before = list(User.objects.order_by("pk").values())

    assert create_master(monkeypatch, "boss", "--dry-run") == "Would create the master boss.\n"
    assert create_master(monkeypatch, "player", "--dry-run") == "Would make player a master.\n"
    assert create_master(monkeypatch, "master", "--dry-run") == "master is a master already. Nothing to do.\n"
    assert list(User.objects.order_by("pk").values()) == before


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "typed"), [("boss", ""), ("boss", "12345678\n"), ("bo ss", "a fine password\n")])
def test_a_bad_name_or_password_creates_nobody(monkeypatch, name, typed):
    with pytest.raises(CommandError):
        create_master(monkeypatch, name, "--password-stdin", typed=typed)

    assert User.objects.count() == 0


def test_roles_end_when_the_user_is_switched_off(master, staff):
    assert (is_master(master), is_staff(master)) == (True, False)
    assert (is_master(staff), is_staff(staff)) == (False, True)
    master.is_active = staff.is_active = False
    assert (is_master(master), is_staff(staff)) == (False, False)
