"""S24: keys of callers and keys of the house never meet, and keys from before the two spaces stay known."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from payments import adjustments
from payments.models import Adjustment
from tests.support.backoffice import worker
from tests.support.books import balance, findings, nothing_moves

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def fred(db):
    return worker("finance", "fred")


@pytest.fixture
def fiona(db):
    return worker("finance", "fiona")


@pytest.fixture
def terms(player, gold, fred):
    return {"user": player, "token": gold, "reason": "a gift", "actor": fred, "now": NOW}


@pytest.fixture
def request_of_fred(terms):
    return adjustments.request_adjustment(
        kind=Adjustment.Kind.DEPOSIT, amount_minor=5_000_000, request_key="asked", **terms
    )


def approve(request, actor):
    return adjustments.approve_adjustment(request_id=request.pk, actor=actor, reason="fine", now=NOW)


def forget_space(adjustment):
    """As the release before wrote it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payments_adjustment SET key_space = '' WHERE id = %s", [adjustment.pk])


@pytest.mark.parametrize("was_before", [False, True])
def test_callers_key_does_not_block_an_approval(terms, request_of_fred, fiona, player, was_before):
    made = adjustments.deposit(amount_minor=5, request_key=f"request:{request_of_fred.pk}", **terms)
    if was_before:
        forget_space(made)
    approve(request_of_fred, fiona)
    assert balance(player) == 5_000_005
    assert findings() == []


def test_callers_key_does_not_answer_with_an_approval(terms, request_of_fred, fiona, player):
    approved = approve(request_of_fred, fiona)
    forget_space(approved)
    made = adjustments.deposit(amount_minor=5, request_key=f"request:{request_of_fred.pk}", **terms)
    assert made != approved
    assert balance(player) == 5_000_005


def test_key_from_before_is_still_known(terms):
    first = adjustments.deposit(amount_minor=5, request_key="once", **terms)
    forget_space(first)
    with nothing_moves():
        assert adjustments.deposit(amount_minor=5, request_key="once", **terms) == first
