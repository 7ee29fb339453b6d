"""Two tabs refresh at the same moment: both stay signed in, with the same successor."""

import pytest
from django.db.models import QuerySet

from accounts import sign_in
from accounts.models import SignIn
from core.db import clock
from tests.support.threads import together

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


def refreshed(raw):
    """The refresh tokens, or errors, of six refreshes of one token at once."""
    found = together([lambda: sign_in.refresh(raw=raw, now=clock.now())] * 6)
    return {getattr(each, "refresh", each) for each in found}


def signed_in():
    return sign_in.log_in(username="player", password="player's password", now=clock.now()).refresh


def test_refreshes_at_once_give_the_same_successor(player):
    for _ in range(5):
        [successor] = refreshed(signed_in())

        assert sign_in.refresh(raw=successor, now=clock.now())
    assert SignIn.objects.count() == 5


def test_without_the_lock_successors_differ(player, monkeypatch):
    """The control: with the user read but not locked, refreshes at once give several tokens, of which one is good."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)

    assert any(len(refreshed(signed_in())) > 1 for _ in range(20))


def test_signing_out_everywhere_beside_refreshes_leaves_nothing(player):
    for _ in range(5):
        raw = signed_in()

        together(
            [lambda raw=raw: sign_in.refresh(raw=raw, now=clock.now())] * 3
            + [lambda: sign_in.sign_out_everywhere(user_id=player.pk)]
        )

        assert SignIn.objects.count() == 0
