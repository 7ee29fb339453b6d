"""S23: a superuser cannot make an accomplice alone."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from accounts import rights
from accounts.errors import NotPermitted
from accounts.models import RightsRequest, User
from core.models import AuditEntry
from gameplatform.operations.groups import set_up_groups

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _groups(db):
    set_up_groups()


@pytest.fixture
def second(db):
    return User.objects.create_superuser("second", password="second's password")


@pytest.fixture
def asked(staff, player):
    wanted = rights.rights(is_staff=True, is_superuser=False, groups=["finance"])
    return rights.change_rights(user_id=player.pk, wanted=wanted, actor=staff, reason="new colleague", now=NOW)


def held(user):
    return rights.rights_of(User.objects.get(pk=user.pk)).as_json()


NOTHING = {"is_staff": False, "is_superuser": False, "groups": []}
FINANCE = {"is_staff": True, "is_superuser": False, "groups": ["finance"]}


def test_rights_wait_for_a_second_superuser(asked, staff, second, player):
    assert held(player) == NOTHING
    with pytest.raises(rights.SecondSuperuserNeeded):
        rights.approve_rights(request_id=asked.pk, actor=staff, reason="fine", now=NOW)
    assert held(player) == NOTHING
    rights.approve_rights(request_id=asked.pk, actor=second, reason="I know her", now=NOW)
    assert held(player) == FINANCE
    told = list(AuditEntry.objects.order_by("id").values_list("action", "actor__username", "reason"))
    assert told == [("rights requested", "staff", "new colleague"), ("rights changed", "second", "I know her")]


def test_receiver_cannot_approve_its_own_rights(staff, second):
    wanted = rights.rights(is_staff=True, is_superuser=True, groups=["finance"])
    request = rights.change_rights(user_id=second.pk, wanted=wanted, actor=staff, reason="more", now=NOW)
    with pytest.raises(rights.SecondSuperuserNeeded):
        rights.approve_rights(request_id=request.pk, actor=second, reason="for me", now=NOW)


def test_decided_request_stays_decided(asked, second, player):
    rights.reject_rights(request_id=asked.pk, actor=second, reason="no", now=NOW)
    with pytest.raises(rights.RightsRequestDecided):
        rights.approve_rights(request_id=asked.pk, actor=second, reason="yes", now=NOW)
    assert held(player) == NOTHING


def test_taking_away_needs_one_superuser(asked, staff, second, player):
    rights.approve_rights(request_id=asked.pk, actor=second, reason="fine", now=NOW)
    nothing = rights.rights(is_staff=False, is_superuser=False, groups=[])
    assert rights.change_rights(user_id=player.pk, wanted=nothing, actor=staff, reason="left", now=NOW) is None
    assert held(player) == NOTHING


def test_others_neither_ask_nor_decide(asked, player, master):
    wanted = rights.rights(is_staff=True, is_superuser=True, groups=[])
    with pytest.raises(NotPermitted):
        rights.change_rights(user_id=master.pk, wanted=wanted, actor=master, reason="me", now=NOW)
    with pytest.raises(NotPermitted):
        rights.approve_rights(request_id=asked.pk, actor=master, reason="fine", now=NOW)


def test_user_page_gives_no_rights(client, staff, player):
    client.force_login(staff)
    form = {"username": "player", "is_staff": "on", "is_superuser": "on", "groups": [Group.objects.first().pk]}
    client.post(reverse("admin:accounts_user_change", args=[player.pk]), form)
    assert held(player) == NOTHING


def test_group_page_gives_no_permissions(client, staff):
    support = Group.objects.get(name="support")
    before = support.permissions.count()
    client.force_login(staff)
    url = reverse("admin:auth_group_change", args=[support.pk])
    client.post(url, {"name": "support", "permissions": ["1"]})
    assert support.permissions.count() == before


@pytest.mark.django_db(transaction=True)
def test_button_asks_for_a_second_superuser(client, staff, player):
    set_up_groups()
    client.force_login(staff)
    form = {"request_key": "1", "reason": "new colleague", "is_staff": "on", "groups": [Group.objects.first().pk]}
    client.post(reverse("admin:accounts_user_rights", args=[player.pk]), form)
    assert held(player) == NOTHING
    assert RightsRequest.objects.get().requester == staff


def test_command_grants_the_first_rights(player):
    call_command("grant_rights", "player", "--group", "finance", "--reason", "the first")
    assert held(player) == FINANCE
    assert (AuditEntry.objects.get().actor, AuditEntry.objects.get().reason) == (None, "the first")
