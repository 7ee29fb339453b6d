"""The wallet and pot routes' rows of the authorisation matrix.

Pots are for game servers, which sign each request: no token of a user opens them. What a key may do is in
``test_signing.py`` and ``test_player_access.py``.
"""

from functools import partial

from tests.support.permissions import Ask, everybody, signed_in, staff_only


def adjustment(world):
    body = {"user_id": world.player.pk, "token": "GOLD", "amount": "5", "reason": "matrix"}
    return Ask(body=body, headers={"Idempotency-Key": "matrix-1"})


def _asked(path, world):
    return Ask(path=path)


SIGNED_POSTS = (
    "pot-create",
    "pot-join",
    "pot-leave",
    "pot-pay",
    "pot-earn",
    "pot-end",
    "pot-close",
    "pot-create-join-pay",
    "pot-join-pay",
    "pot-earn-leave",
    "pot-earn-leave-end",
    "allowance-approve",
    "allowance-revoke",
    "player-login",
    "player-login-approve",
    "player-logout",
    "player-session-verify",
    "guest-register",
)
SIGNED_GETS = {
    "pot-is-joined": {},
    "pot-room": {"room_id": "1"},
    "task-one": {"task_id": "1"},
    "allowance-left": {"plyr_id": "player", "game_id": "1", "token": "gold"},
    "player-balances": {"plyr_id": "player"},
    "player-balance": {"plyr_id": "player", "token": "gold"},
    "player-info": {"plyr_id": "player"},
    "player-exists": {"text": "player"},
    "session-public-key": {},
    "now": {},
}

ROWS = {
    ("wallet", "GET"): signed_in(200),
    ("wallet-statement", "GET"): signed_in(200, lambda world: Ask(query={"token": "GOLD"})),
    ("wallet-deposits", "POST"): staff_only(201, adjustment),
    ("wallet-withdrawals", "POST"): staff_only(201, adjustment),
    ("token-list", "GET"): everybody(200),
    **{(name, "POST"): everybody(401) for name in SIGNED_POSTS},
    **{(name, "GET"): everybody(401, partial(_asked, path)) for name, path in SIGNED_GETS.items()},
}
