from tests.support.pots import other_game, person, seated, server, server_of

__all__ = ["other_game", "person", "seated", "server", "server_of"]
