"""The wallet routes' rows of the authorisation matrix."""

from tests.support.permissions import Ask, signed_in, staff_only


def adjustment(world):
    body = {"user_id": world.player.pk, "token": "GOLD", "amount": "5", "reason": "matrix"}
    return Ask(body=body, headers={"Idempotency-Key": "matrix-1"})


ROWS = {
    ("wallet", "GET"): signed_in(200),
    ("wallet-statement", "GET"): signed_in(200, lambda world: Ask(query={"token": "GOLD"})),
    ("wallet-deposits", "POST"): staff_only(201, adjustment),
    ("wallet-withdrawals", "POST"): staff_only(201, adjustment),
}
