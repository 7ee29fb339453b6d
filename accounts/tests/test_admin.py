import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import Game, User

PAGES = ["accounts_user_changelist", "accounts_user_add", "accounts_game_changelist", "accounts_game_add"]


@pytest.fixture
def clerk(db) -> User:
    """Staff that may see, add and change users, and nothing else."""
    clerk = User.objects.create_user("clerk", password="clerk's password", is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(content_type__app_label="accounts", codename__endswith="_user")
    )
    return clerk


def change_page(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def posted(user, **changes):
    fields = {"username": user.username, "fullname": user.fullname, "email": user.email or "", "avatar": ""}
    flags = {"is_active": "on"} if user.is_active else {}
    return fields | {"wallet_address": user.wallet_address or ""} | flags | changes


@pytest.mark.parametrize("page", PAGES)
def test_pages_open_for_staff_only(client, staff, player, page):
    client.force_login(player)
    assert client.get(reverse(f"admin:{page}")).status_code == 302
    client.force_login(staff)
    assert client.get(reverse(f"admin:{page}")).status_code == 200


def test_staff_adds_a_user(client, staff):
    client.force_login(staff)
    form = {"username": "newcomer", "password1": "a fine password", "password2": "a fine password"}

    answer = client.post(reverse("admin:accounts_user_add"), form | {"usable_password": "true"})

    assert answer.status_code == 302
    assert User.objects.get(username="newcomer").check_password("a fine password")


def test_staff_cannot_add_a_name_that_differs_in_case_only(client, staff, player):
    client.force_login(staff)
    form = {"username": "PLAYER", "password1": "a fine password", "password2": "a fine password"}

    answer = client.post(reverse("admin:accounts_user_add"), form | {"usable_password": "true"})

    assert answer.status_code == 200
    assert "A user with that username already exists." in answer.content.decode()
    assert set(User.objects.values_list("username", flat=True)) == {"staff", "player"}


def test_staff_empties_an_email_and_a_wallet_to_null(client, staff, player):
    client.force_login(staff)

    answer = client.post(change_page(player), posted(player, email="", wallet_address="", is_master="on"))

    assert answer.status_code == 302
    player.refresh_from_db()
    assert (player.email, player.wallet_address, player.is_master) == (None, None, True)


def test_a_clerk_changes_a_profile_but_no_rights(client, clerk, player):
    client.force_login(clerk)
    wish = posted(player, fullname="Renamed", is_staff="on", is_superuser="on", user_permissions=["1"])

    answer = client.post(change_page(player), wish)

    assert answer.status_code == 302
    player.refresh_from_db()
    assert player.fullname == "Renamed"
    assert (player.is_staff, player.is_superuser, player.user_permissions.count()) == (False, False, 0)


def test_a_clerk_cannot_touch_a_superuser_or_its_password(client, clerk, staff):
    client.force_login(clerk)
    before = User.objects.filter(pk=staff.pk).values().get()

    assert client.post(change_page(staff), posted(staff, email="clerk@example.com")).status_code == 403
    new_password = {"password1": "a fine password", "password2": "a fine password", "usable_password": "true"}
    password_page = reverse("admin:auth_user_password_change", args=[staff.pk])
    assert client.post(password_page, new_password).status_code == 403
    assert User.objects.filter(pk=staff.pk).values().get() == before


def test_users_cannot_be_deleted(client, staff, player):
    client.force_login(staff)

    assert client.post(reverse("admin:accounts_user_delete", args=[player.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=player.pk).exists()


def test_staff_adds_a_game(client, staff):
    client.force_login(staff)
    form = {"name": "Dice", "symbol": "DICE", "status": "active", "result_mode": "score", "score_order": "asc"}

    assert client.post(reverse("admin:accounts_game_add"), form | {"symbol": "dice!"}).status_code == 200
    assert Game.objects.count() == 0
    assert client.post(reverse("admin:accounts_game_add"), form).status_code == 302
    assert Game.objects.values_list("symbol", "result_mode", "score_order").get() == ("DICE", "score", "asc")
