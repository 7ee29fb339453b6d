"""The processes of docker/ on the test's database, and a Valkey of their own."""

from collections.abc import Iterator

import httpx
import pytest

from accounts.models import User
from core.tests.servers import Valkey
from payments import adjustments
from tests.deployment.stack import Stack
from tests.support.servers import environment

PASSWORD = "the password of the boss"


@pytest.fixture
def stack(tmp_path, settings) -> Iterator[Stack]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    valkey = Valkey(tmp_path)
    valkey.start()
    tested = Stack(tmp_path, database_url=environment(tmp_path)["DATABASE_URL"], redis_url=valkey.url)
    # What the test writes, the processes can read.
    settings.FIELD_ENCRYPTION_KEYS = [(tested.secrets / "field_encryption_keys").read_text().strip()]
    settings.SEAL_KEYS = [(tested.secrets / "seal_keys").read_text().strip()]
    User.objects.create_superuser("boss", password=PASSWORD)
    adjustments.create_token(symbol="GOLD", name="Gold", decimals=2)
    try:
        yield tested
    finally:
        tested.kill()
        valkey.stop()


def signed_in(client: httpx.Client) -> str:
    answer = client.post("/api/v1/auth/login", json={"username": "boss", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["data"]["access"]
    return token
