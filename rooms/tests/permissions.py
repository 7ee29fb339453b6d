"""The room routes' rows of the authorisation matrix. The room and its sessions are ``master``'s."""

from tests.support.permissions import Ask, Row, everybody, signed_in

PRIZES = [{"rank": 1, "percent": 60}, {"rank": 2, "percent": 40}]


def room(world):
    return Ask(query={"room_id": world.room.pk})


def new_room(world):
    terms = {"name": "matrix", "participation_amount": 10, "prizes_num": 2}
    return Ask(body={"game_room": terms, "game_set_prizes": PRIZES, "game_type_id": world.game.pk})


def session(world):
    return Ask(path={"session_id": world.room.current_session_id})


ROWS = {
    ("game-rooms", "GET"): signed_in(200),
    ("game-rooms", "POST"): Row((401, 403, 403, 200, 200, 200), new_room),
    # To another master the room is as unknown as one that never was.
    ("game-rooms", "PATCH"): Row(
        (401, 403, 403, 200, 404, 200),
        lambda world: Ask(query={"id": world.room.pk}, body={"name_new": "matrix"}),
    ),
    ("game-rooms", "DELETE"): Row((401, 403, 403, 200, 404, 200), lambda world: Ask(query={"id": world.room.pk})),
    ("game-rooms-find-by-id", "GET"): signed_in(200, room),
    ("game-rooms-ticket", "POST"): signed_in(201),
    ("game-sessions-one", "GET"): signed_in(200, session),
    ("game-sessions-results", "GET"): signed_in(200, session),
    ("game-sessions-proof", "GET"): signed_in(200, session),
    # No user may: only a game's server with its key (rooms/tests/test_submitted_results.py).
    ("game-sessions-result", "POST"): everybody(
        401, lambda world: Ask(path={"session_id": world.room.current_session_id}, body={"ranking": [1]})
    ),
    # Decided by a draw: nobody's score counts.
    ("game-sessions-score", "POST"): signed_in(
        409, lambda world: Ask(path={"session_id": world.room.current_session_id}, body={"score": 1})
    ),
    ("game-join-rooms", "GET"): signed_in(200),
    # The player is in already; the others have a wallet and money.
    ("game-join-rooms", "POST"): Row(
        (401, 409, 201, 201, 201, 201),
        lambda world: Ask(body={"room_id": world.room.pk, "session_id": world.room.current_session_id, "amount": 10}),
    ),
    # Nobody leaves for somebody else.
    ("game-join-rooms-leave", "POST"): Row(
        (401, 200, 409, 409, 409, 409), lambda world: Ask(body={"session_id": world.room.current_session_id})
    ),
    ("game-join-rooms-joiners", "GET"): signed_in(200, room),
    ("game-join-rooms-joiner", "GET"): signed_in(200, lambda world: Ask(query={"join_id": world.join_id})),
    ("game-join-rooms-by-room", "GET"): signed_in(200, room),
    ("game-join-rooms-joiner-by-room", "GET"): signed_in(200),
    ("game-join-rooms-joiners-refund", "GET"): signed_in(
        200, lambda world: Ask(query={"session_id": world.out_session_id})
    ),
    ("game-join-rooms-expired-sessions", "GET"): signed_in(200),
    ("game-join-rooms-process-refund", "POST"): Row(
        (401, 403, 403, 200, 404, 200), lambda world: Ask(query={"session_id": world.out_session_id})
    ),
    ("game-join-rooms-check-new-session", "GET"): signed_in(200, room),
}
