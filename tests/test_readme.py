"""The README's first call, run as it stands against the real server and a real tick."""

import json
import re
import subprocess
import sys

import pytest
from django.conf import settings

from accounts.models import User
from payments import adjustments
from tests.support.books import findings
from tests.support.servers import WebServer, environment

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SCRIPT = re.compile(r"<!-- first call -->\n```sh\n(.*?)```", re.DOTALL)


def test_the_first_call_leads_from_registering_to_a_closed_session(tmp_path, settings, make_room):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    User.objects.create_superuser("demo_staff", password="the demo's password")
    adjustments.create_token(symbol="GOLD", name="Gold", decimals=2)
    make_room(join_window_seconds=8, run_seconds=1)
    (tmp_path / "logins.json").write_text(json.dumps({"demo_staff": "the demo's password"}))
    surroundings = environment(tmp_path)
    web = WebServer(surroundings).start()
    command = [sys.executable, "manage.py", "advance_sessions", "--loop"]
    tick = subprocess.Popen(command, cwd=settings.BASE_DIR, env=surroundings)
    try:
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script()],
            env=surroundings | {"URL": f"{web.url}/api/v1", "LOGINS": str(tmp_path / "logins.json")},
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        tick.kill()
        tick.wait()
        web.kill()
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["message"] for answer in answers] == [
        "User updated successfully",
        "Deposit made successfully",
        "Successfully joined game room",
        "Game session results fetched successfully",
        "Statement fetched successfully",
    ]
    # Ada was alone in a room of three prizes: the session was called off and her fee came back.
    assert answers[3]["data"]["outcome"] == "refunded"
    assert [(line["code"], line["amount"]) for line in answers[4]["data"]] == [
        ("refund", "10.00"),
        ("entry_fee", "-10.00"),
        ("deposit", "50.00"),
    ]
    assert findings() == []


def script() -> str:
    found = SCRIPT.search((settings.BASE_DIR / "README.md").read_text())
    assert found
    return found[1]
