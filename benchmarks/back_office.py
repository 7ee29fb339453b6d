"""How long the back-office's pages take, and how many statements, on whatever DATABASE_URL holds.

    python manage.py seed_demo --size large
    python -m benchmarks.back_office

The pages are opened in this process by a superuser of the demo; nothing is written but its session and, for the lists
that are taken home, their entries in the audit trail.
"""

import os
import statistics
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gameplatform.settings")
django.setup()

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from gameplatform.demo.seeding import STAFF
from rooms.models import Room, Session

TURNS = 9


def pages() -> dict[str, str]:
    """What is opened, by what a reader would call it."""
    room = Room.objects.filter(name="Hall 01").first() or Room.objects.earliest("id")
    session = Session.objects.filter(room=room).latest("id")
    player = User.objects.filter(username="crowd_00000").first() or User.objects.earliest("id")
    lists = {
        "sessions": ("rooms_session", ""),
        "sessions, ended": ("rooms_session", "?status__exact=ended"),
        "sessions of one room": ("rooms_session", f"?room__id__exact={room.pk}"),
        "participants": ("rooms_participant", ""),
        "participants, one player": ("rooms_participant", f"?q={player.username}"),
        "transfers": ("payments_transfer", ""),
        "transfers, page 200": ("payments_transfer", "?p=200"),
        "transfers, prizes": ("payments_transfer", "?code=prize"),
        "transfers of one session": ("payments_transfer", f"?q=session:{session.pk}"),
        "accounts": ("payments_account", ""),
        "users": ("accounts_user", ""),
        "rooms": ("rooms_room", ""),
        "audit trail": ("core_auditentry", ""),
        "messages": ("chat_message", ""),
        "pots": ("payments_pot", ""),
        "rounds": ("rounds_round", ""),
    }
    return {
        "dashboard": reverse("admin:index"),
        **{f"list: {name}": reverse(f"admin:{page}_changelist") + query for name, (page, query) in lists.items()},
        "a session": reverse("admin:rooms_session_change", args=[session.pk]),
        "a room": reverse("admin:rooms_room_change", args=[room.pk]),
        "a player with its wallet": reverse("admin:accounts_user_change", args=[player.pk]),
        "export, too long for at once": reverse("admin:payments_transfer_export"),
    }


class Count:
    """Counts the statements that pass."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.statements += 1
        return execute(sql, params, many, context)


def measure(client: Client, url: str) -> tuple[int, float]:
    """Statements of one opening, and the median time of some, in ms."""
    asked = Count()
    with connection.execute_wrapper(asked):
        answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    times = []
    for _ in range(TURNS):
        began = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - began) * 1_000)
    return asked.statements, statistics.median(times)


def main() -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=STAFF))
    found = pages()
    client.get(found["dashboard"])
    cache.clear()
    asked = Count()
    with connection.execute_wrapper(asked):
        began = time.perf_counter()
        client.get(found["dashboard"])
        first = (time.perf_counter() - began) * 1_000
    print("| page | statements | median |\n|---|---|---|")
    print(f"| dashboard, every balance added up anew (once a minute) | {asked.statements} | {first:.0f} ms |")
    for name, url in found.items():
        count, milliseconds = measure(client, url)
        print(f"| {name} | {count} | {milliseconds:.0f} ms |")


if __name__ == "__main__":
    main()
