from gameplatform.webhooks.tests.conftest import _private, listen, receiver
from tests.support.pots import person, seated, server, server_of

__all__ = ["_private", "listen", "person", "receiver", "seated", "server", "server_of"]
