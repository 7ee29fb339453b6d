"""The account routes' rows of the authorisation matrix."""

from tests.support.permissions import Ask, Row, everybody, signed_in

ROWS = {
    ("auth-register", "POST"): everybody(
        201, lambda world: Ask(body={"username": "newcomer", "password": "nine-lanterns-7"})
    ),
    ("auth-login", "POST"): everybody(
        200, lambda world: Ask(body={"username": "player", "password": "player's password"})
    ),
    ("auth-refresh", "POST"): everybody(200, lambda world: Ask(body={"refresh": world.refresh})),
    ("auth-logout", "POST"): everybody(200, lambda world: Ask(body={"refresh": world.refresh})),
    ("auth-logout-everywhere", "POST"): signed_in(200),
    ("auth-step-up", "POST"): Row((401, 409, 409, 409, 409, 409), lambda world: Ask(body={"code": "123456"})),
    ("auth-me", "GET"): signed_in(200),
    ("auth-me", "PATCH"): signed_in(200, lambda world: Ask(body={"fullname": "Somebody Else"})),
    ("game-lists", "GET"): everybody(200),
    ("game-lists-find-by-id", "GET"): everybody(200, lambda world: Ask(query={"id": world.game.pk})),
}
