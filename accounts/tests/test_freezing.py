"""Freezing a user closes every door at once, and only that."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts import freezing
from accounts.freezing import CannotFreeze
from accounts.models import User
from core.db import clock
from core.models import AuditEntry
from tests.support.books import nothing_moves

PASSWORD = "player's password"


@pytest.fixture
def guard(db) -> User:
    """Staff that may see and freeze users, and nothing else."""
    guard = User.objects.create_user("guard", password="guard's password", is_staff=True)
    allowed = Permission.objects.filter(content_type__app_label="accounts", codename__in=("view_user", "freeze_user"))
    guard.user_permissions.set(allowed)
    return guard


def freeze(user, actor, reason="chargebacks"):
    return freezing.freeze_user(user_id=user.pk, actor=actor, reason=reason, now=clock.now())


def unfreeze(user, actor, reason="it was a mistake"):
    return freezing.unfreeze_user(user_id=user.pk, actor=actor, reason=reason, now=clock.now())


def sign_in(api):
    return api(None).post("/api/v1/auth/login", {"username": "player", "password": PASSWORD})


def trail():
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor__username", "reason", "before", "after"))


def test_frozen_user_stays_signed_out(api, player, staff, fund):
    fund(player, 5_000)
    refresh = sign_in(api).json()["data"]["refresh"]
    session = api(player)
    assert session.get("/api/v1/game-rooms").status_code == 200
    with nothing_moves():
        assert freeze(player, staff) is True
    assert session.get("/api/v1/game-rooms").status_code == 401
    assert sign_in(api).status_code == 401
    assert unfreeze(player, staff) is True
    assert sign_in(api).status_code == 200
    # What was signed in before the freeze stays signed out.
    assert session.get("/api/v1/game-rooms").status_code == 401
    assert api(None).post("/api/v1/auth/refresh", {"refresh": refresh}).status_code == 401
    assert trail() == [
        ("user frozen", "staff", "chargebacks", {"is_active": True}, {"is_active": False}),
        ("user unfrozen", "staff", "it was a mistake", {"is_active": False}, {"is_active": True}),
    ]


def test_a_second_freeze_changes_and_records_nothing(player, staff):
    assert (freeze(player, staff), freeze(player, staff)) == (True, False)
    assert (unfreeze(player, staff), unfreeze(player, staff)) == (True, False)
    assert len(trail()) == 2


def test_only_a_superuser_freezes_staff(player, staff, guard):
    for user, actor in ((staff, staff), (guard, guard), (staff, guard)):
        with pytest.raises(CannotFreeze):
            freeze(user, actor)
    assert freeze(guard, staff) is True
    with pytest.raises(CannotFreeze):
        unfreeze(guard, guard)
    assert [actor for _, actor, *_ in trail()] == ["staff"]


def test_a_member_of_staff_freezes_by_a_button_that_asks_why(client, player, guard):
    client.force_login(guard)
    page = reverse("admin:accounts_user_freeze", args=[player.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"request_key": "1", "reason": ""}).status_code == 400
    player.refresh_from_db()
    assert player.is_active
    assert client.post(page, {"request_key": "1", "reason": "chargebacks"}).status_code == 302
    player.refresh_from_db()
    assert not player.is_active
    shown = client.get(reverse("admin:accounts_user_change", args=[player.pk])).content.decode()
    assert (">Unfreeze<" in shown.replace("\n", "").replace(" ", ""), "/freeze/" in shown) == (True, False)


def test_who_may_change_users_cannot_freeze_by_the_form_and_without_a_reason(client, player, db):
    clerk = User.objects.create_user("clerk", is_staff=True)
    codenames = ("view_user", "change_user")
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts", codename__in=codenames))
    client.force_login(clerk)
    form = {"username": "player", "fullname": "", "email": "", "avatar": "", "wallet_address": ""}
    assert client.post(reverse("admin:accounts_user_change", args=[player.pk]), form).status_code == 302
    assert client.post(reverse("admin:accounts_user_freeze", args=[player.pk]), {"reason": "why"}).status_code == 403
    player.refresh_from_db()
    assert (player.is_active, player.fullname) == (True, "")
