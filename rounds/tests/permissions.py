"""The GameFuse routes' rows of the authorisation matrix.

None of the platform's roles is a game user: their tokens open nothing here but the sign-in at a game. What game users
may do to each other is in this folder's other tests.
"""

from core.db import clock
from rounds import access
from tests.support.permissions import Ask, Row, everybody


def at_game(world, **more):
    opened = access.open_access(game=world.game, now=clock.now())
    return {"game_id": opened.pk, "game_token": opened.token, **more}


def sign_up(world):
    body = at_game(world, email="new@example.com", username="new", password="secret word")
    return Ask(body={**body, "password_confirmation": "secret word"})


def of_one(world):
    return Ask(path={"id": 1})


CLOSED_TO_PLATFORM_USERS = everybody(401, of_one)
SWITCHED_OFF = everybody(404)

ROWS = {
    ("gamefuse-game", "GET"): everybody(200, lambda world: Ask(query=at_game(world))),
    ("gamefuse-game-variables", "GET"): everybody(200, lambda world: Ask(query=at_game(world))),
    ("gamefuse-store-items", "GET"): everybody(200, lambda world: Ask(query=at_game(world))),
    ("gamefuse-users", "POST"): everybody(200, sign_up),
    ("gamefuse-sessions", "POST"): Row((401, 200, 200, 200, 200, 200), lambda world: Ask(body=at_game(world))),
    ("gamefuse-rounds", "GET"): everybody(401),
    ("gamefuse-rounds", "POST"): everybody(401),
    ("gamefuse-suite-game", "POST"): SWITCHED_OFF,
    ("gamefuse-suite-user", "POST"): SWITCHED_OFF,
    ("gamefuse-suite-clean-up", "DELETE"): SWITCHED_OFF,
    **{
        (f"gamefuse-{route}", method): CLOSED_TO_PLATFORM_USERS
        for route, *methods in (
            ("game-entries", "GET"),
            ("user", "GET"),
            ("add-credits", "POST"),
            ("set-credits", "POST"),
            ("add-score", "POST"),
            ("set-score", "POST"),
            ("attributes", "GET"),
            ("add-attribute", "POST"),
            ("remove-attribute", "GET", "POST", "DELETE"),
            ("user-store-items", "GET"),
            ("user-entries", "GET"),
            ("add-entry", "POST"),
            ("clear-entries", "POST"),
            ("round", "GET", "PUT", "PATCH", "DELETE"),
        )
        for method in methods
    },
}
