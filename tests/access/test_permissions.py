"""Use cases refuse actors without the right, whatever a page has checked before."""

import pytest

from accounts.errors import NotPermitted
from accounts.models import User
from chat.models import Sanction
from core.db import clock
from core.errors import Forbidden
from core.models import AuditEntry
from rooms.terms import TermsChange
from tests.support.backoffice import acts, one_of_each, run_session
from tests.support.books import nothing_moves
from webhooks import endpoints
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(staff, player, gold, make_room, people, fund, join):
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
    room = make_room()
    found = one_of_each(room=room, session=run_session(room, guests, join), superuser=staff, player=player, gold=gold)
    return {**found, "accounts.user": guests[0]}


@pytest.fixture
def colleague(db) -> User:
    """Works in the back-office, and may nothing there."""
    return User.objects.create_user("colleague", password="colleague's password", is_staff=True)


@pytest.fixture
def form(world, gold):
    """What the forms of all acts ask, cleaned."""
    room = world["rooms.room"]
    return {
        "reason": "because I want to",
        "request_key": "1",
        "token": gold,
        "amount_minor": 500,
        "scopes": ["chat"],
        "expires_in_days": None,
        "old_lives_hours": 1,
        "hours": 24,
        "name": "elsewhere",
        "url": "https://8.8.8.8/elsewhere",
        "types": ["session.ended"],
        "client": None,
        "master": None,
        "change": TermsChange(name="elsewhere"),
        "game": room.game,
        "symbol": None,
        "entry_fee": 100,
        "prizes": [],
        "max_participants": 4,
        "join_window_seconds": 60,
        "run_seconds": 60,
        "gap_seconds": 10,
        "is_staff": True,
        "is_superuser": True,
        "groups": [],
    }


def test_no_act_runs_without_the_right(world, form, colleague, player):
    entries = AuditEntry.objects.count()
    performed = []
    for name, model, act in acts():
        for actor in (colleague, player):
            with nothing_moves():
                try:
                    act.run(actor=actor, obj=world.get(model._meta.label_lower), data=form, now=clock.now())
                except Forbidden:
                    continue
            performed.append((name, actor))
    assert performed == []
    assert AuditEntry.objects.count() == entries
    assert Sanction.objects.filter(lifted_at=None).count() == 1


def test_frozen_colleague_has_no_rights(world, form, staff):
    User.objects.filter(pk=staff.pk).update(is_active=False)
    staff.refresh_from_db()
    void = next(act for name, _, act in acts() if name == "rooms.session.void")
    with nothing_moves(), pytest.raises(NotPermitted):
        void.run(actor=staff, obj=world["rooms.session"], data=form, now=clock.now())


def test_master_changes_only_its_own_endpoints(world, master):
    own = Endpoint.objects.get(pk=world["webhooks.endpoint"].pk)
    Endpoint.objects.filter(pk=own.pk).update(client=None, user=master)
    by_master = {"endpoint_id": own.pk, "among": endpoints.existing(), "actor": master, "now": clock.now()}
    assert endpoints.disable(**by_master, reason="mine").disabled_at is not None
    Endpoint.objects.filter(pk=own.pk).update(user=None)
    with pytest.raises(NotPermitted):
        endpoints.enable(**by_master, reason="not mine")
    assert Endpoint.objects.get(pk=own.pk).disabled_at is not None
