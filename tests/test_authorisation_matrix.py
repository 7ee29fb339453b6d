"""Every route, every method, every role: who may do what, held against the URL configuration itself.

A route without a row and a row without a route fail: nothing is mounted that nobody has thought about.
"""

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import sign_in
from accounts.models import User
from rooms import tick
from rooms.models import Session
from tests.support.permissions import ROLES, Row
from tests.support.webhooks import an_endpoint, deliveries_of

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Not one request to one view: the back-office has its own permissions and tests.
ELSEWHERE = {"admin"}


def rows() -> dict[tuple[str, str], Row]:
    """The rows of every app that has some, and those of no app."""
    found: dict[tuple[str, str], Row] = {}
    folders = [settings.BASE_DIR / "tests", *(Path(app.path) / "tests" for app in apps.get_app_configs())]
    for file in (folder / "permissions.py" for folder in folders):
        if file.is_file() and file.is_relative_to(settings.BASE_DIR):
            name = ".".join(file.relative_to(settings.BASE_DIR).with_suffix("").parts)
            own = importlib.import_module(name).ROWS
            assert not own.keys() & found.keys(), f"{name} repeats a row"
            found |= own
    return found


def routes(patterns: list[URLPattern | URLResolver] | None = None, inside: str = "") -> Iterator[tuple[str, str]]:
    """The name and method of everything that can be called, from the URL configuration."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            if (pattern.namespace or "") not in ELSEWHERE:
                yield from routes(
                    pattern.url_patterns, f"{inside}{pattern.namespace}:" if pattern.namespace else inside
                )
        elif pattern.name not in ELSEWHERE:
            view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
            name = f"{inside}{pattern.name or pattern.pattern}"
            # A ViewSet answers the methods that its router gave it.
            known = getattr(pattern.callback, "actions", None) or {
                m.lower() for m in METHODS if hasattr(view, m.lower())
            }
            yield from ((name, method) for method in METHODS if view is None or method.lower() in known)


ROWS = rows()


def test_every_route_has_a_row_and_every_row_a_route():
    # A redirect answers every method alike: GET stands for all.
    mounted = {route for route in routes() if route[0] != "home" or route[1] == "GET"}
    assert sorted(mounted - ROWS.keys()) == [], "routes without a row"
    assert sorted(ROWS.keys() - mounted) == [], "rows without a route"


def test_every_row_says_something_of_every_role():
    assert [key for key, row in ROWS.items() if len(row.statuses) != len(ROLES)] == []


@pytest.fixture
def world(player, rival, master, staff, game, make_room, fund, join):
    """The player in the master's open room, and in a session of the master's that was called off; the master's webhook
    endpoint.
    """
    other_master = User.objects.create_user("other", wallet_address="wallet-of-other", is_master=True)
    for user in (player, rival, master, other_master, staff):
        fund(user, 10_000)
    with time_machine.travel(START - timedelta(minutes=10), tick=False):
        off = make_room()
        join(off, player)
        out_session_id = Session.objects.get(room=off).pk
        tick.advance(now=START - timedelta(minutes=7))
    with time_machine.travel(START, tick=False):
        room = make_room()
        endpoint = an_endpoint(user=master, now=START)
        yield SimpleNamespace(
            anonymous=None,
            player=player,
            rival=rival,
            master=master,
            other_master=other_master,
            staff=staff,
            game=game,
            room=room,
            join_id=join(room, player, now=START).participant_id,
            out_session_id=out_session_id,
            endpoint=endpoint,
            dead_delivery=deliveries_of(endpoint, now=START)[0],
            refresh=sign_in.log_in(username="player", password="player's password", now=START).refresh,
        )


@pytest.mark.parametrize(("name", "method"), sorted(ROWS), ids=lambda part: part)
def test_each_role_gets_its_status(api, world, name, method):
    row = ROWS[name, method]
    ask = row.ask(world)
    address = reverse(name, kwargs=ask.path) + (f"?{urlencode(ask.query)}" if ask.query else "")
    statuses = []
    for role in ROLES:
        before = transaction.savepoint()
        call = getattr(api(getattr(world, role)), method.lower())
        answer = call(address, ask.body, headers=ask.headers)
        statuses.append(answer.status_code)
        transaction.savepoint_rollback(before)
    assert dict(zip(ROLES, statuses, strict=True)) == dict(zip(ROLES, row.statuses, strict=True))
