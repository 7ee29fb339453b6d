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
    ("gamefuse-games-verify", "GET"): everybody(200, lambda world: Ask(query=at_game(world))),
    ("gamefuse-games-fetch-game-variables", "GET"): everybody(200, lambda world: Ask(query=at_game(world))),
    ("gamefuse-games-store-items", "GET"): everybody(200, lambda world: Ask(query=at_game(world))),
    ("gamefuse-game-boards-leaderboard-entries", "GET"): CLOSED_TO_PLATFORM_USERS,
    ("gamefuse-sign-up", "POST"): everybody(200, sign_up),
    ("gamefuse-sessions", "POST"): Row((401, 200, 200, 200, 200, 200), lambda world: Ask(body=at_game(world))),
    ("gamefuse-rounds", "GET"): everybody(401),
    ("gamefuse-rounds", "POST"): everybody(401),
    ("gamefuse-suite-create-game", "POST"): SWITCHED_OFF,
    ("gamefuse-suite-create-user", "POST"): SWITCHED_OFF,
    ("gamefuse-suite-clean-up-test", "DELETE"): SWITCHED_OFF,
    ("gamefuse-unknown", "GET"): everybody(404),
    **{("gamefuse-rounds-one", method): CLOSED_TO_PLATFORM_USERS for method in ("GET", "PUT", "PATCH", "DELETE")},
    **{
        (f"gamefuse-{route}", method): CLOSED_TO_PLATFORM_USERS
        for route, *methods in (
            ("users-one", "GET"),
            ("users-add-credits", "POST"),
            ("users-set-credits", "POST"),
            ("users-add-score", "POST"),
            ("users-set-score", "POST"),
            ("users-game-user-attributes", "GET"),
            ("users-add-game-user-attribute", "POST"),
            ("users-remove-game-user-attributes", "GET", "POST", "DELETE"),
            ("users-game-user-store-items", "GET"),
            ("user-boards-leaderboard-entries", "GET"),
            ("user-boards-add-leaderboard-entry", "POST"),
            ("user-boards-clear-my-leaderboard-entries", "POST"),
        )
        for method in methods
    },
}
