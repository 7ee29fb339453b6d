from tests.support.pots import person, seated, server, server_of
from webhooks.tests.conftest import _private, listen, receiver

__all__ = ["_private", "listen", "person", "receiver", "seated", "server", "server_of"]
