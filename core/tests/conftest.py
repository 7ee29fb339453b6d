import pytest

from core.tests.servers import Valkey


@pytest.fixture
def valkey(tmp_path, settings):
    """A Valkey of this test's own; settings.REDIS_URL names it."""
    server = Valkey(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    yield server
    if server.process is not None:
        server.stop()
