"""One small world that the OpenAPI document's examples tell of: a room, its sessions, and who played.

The master of room 12 is "binh.pham". Session 53 takes entries of 10.50 and is joined by three players; session 52 was
called off before it. The draw's hashes are computed as any draw's are.
"""

from typing import Any

from core.redis import tickets
from rooms import draw
from rooms.api import shapes

Example = dict[str, Any]

OPENED = "2026-03-01T12:00:00.000Z"
STARTED = "2026-03-01T12:03:00.000Z"
ENDED = "2026-03-01T12:04:00.000Z"
PLAYERS = [
    (21, "linh.d", "gp1q8linhwallet0001", "2026-03-01T12:00:41.250Z"),
    (22, "quang_88", "gp1q8quangwallet002", "2026-03-01T12:01:02.800Z"),
    (23, "mai-anh", "gp1q8maianhwallet03", "2026-03-01T12:02:30.015Z"),
]
TX = [
    "8f3b6c1d5e9a4f70b2c8d6e1a3f59072c4b8e6d1f0a397526b8c4d1e7f9a3052",
    "1d7a90c5e2b84f36a9e18c07f4d3b265e09a7c81d5f3b6208e5a1c96d0f7b3e4",
    "e4c2b7d90a5f4861938d7e0c6b1fa452d7390e8c5ab64f12907d3e8b6c5a1f04",
]
REFUND_TX = "63d0f8a1b94c4e27865f1a0d7c3be94820d6f5a8c1374b9e80f2d5c6a7b3914e"
PRIZE_TX = [
    "a90d4c7e3b5f4182960c8d7e1fa35b604c2e9d8b7a6f4531820c9d7e6b5a4f31",
    "5b8e1f4a7d0c4396a2859f6e3b1d7c08f4a5e2d9c6b34187905e8d2c7f1a6b43",
    "0c9f3e6d5a8b4271b4e7d0a9c8f52e36187b6d5c4f3a4e29807d6c5b4a3f2e1d",
]
PUBLIC_IDS = [
    "0f4c3b1e-6d5a-4e8f-9b7c-2a1d3e5f7081",
    "7c2d9e0a-1b3f-4a5c-8d6e-9f0b1c2d3e4f",
    "d3a5b7c9-e1f2-4031-a2b4-c6d8e0f1a3b5",
]
SESSION_PUBLIC_ID = "4b9e2d70-8c31-4f6a-b5d2-1e0f9a8c7b6d"
SEED = bytes.fromhex("5e1f0a9c8b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f")
FEE_MINOR = 1_050
SHARES_BP = [5_000, 3_000, 2_000]
POOL_MINOR = FEE_MINOR * len(PLAYERS)
PRIZES_MINOR = [1_575, 945, 630]

PRIZES = shapes.prize_table(SHARES_BP)
GAME: Example = {"id": 3, "name": "Lucky Lanterns", "symbol": "LANTERN"}
MASTER: Example = {"id": 7, "username": "binh.pham"}
SESSION: Example = {"id": 53, "session": "1772366400000", "time_start": STARTED, "status": "pending"}
OUT_SESSION: Example = {
    "id": 52,
    "session": "1772366210000",
    "time_start": "2026-03-01T11:59:50.000Z",
    "status": "out",
}
PAGINATION: Example = {"page": 1, "limit": 10, "total": 1, "totalPages": 1, "hasNext": False, "hasPrev": False}


def _player(index: int) -> Example:
    return {"id": PLAYERS[index][0], "username": PLAYERS[index][1]}


ROOM: Example = {
    "id": 12,
    "name": "GOLD_LANTERN_001",
    "symbol": "LANTERN",
    "participation_amount": 10.5,
    "prizes_num": 3,
    "total_amount": 31.5,
    "game_type_id": GAME | {"status": "active"},
    "status": "wait",
    "owner_id": MASTER,
    "event_seq": 17,
    "current_session": {
        "id": 53,
        "status": "pending",
        "time_start": STARTED,
        "time_end": ENDED,
        "session": SESSION["session"],
        "participants_count": 3,
        "max_participants": 100,
        "can_join": True,
    },
}
ROOM_DETAIL: Example = ROOM | {
    "max_participants": 100,
    "join_window_seconds": 180,
    "conversation_id": "7b1e0a52-6a0e-4f0e-9d0b-3f1f6f2c8a11",
    "run_seconds": 60,
    "game_set_prizes": PRIZES,
    "join_room_num": 3,
    "joiners": [
        {"username": username, "amount": 10.5, "status": "executed", "time_join": time_join, "tx_hash": tx}
        for (_, username, _, time_join), tx in zip(PLAYERS, TX, strict=True)
    ],
    "pending_change": {"participation_amount": 12, "max_participants": 50},
}
CREATE_ROOM: Example = {
    "game_room": {"participation_amount": 10.5, "prizes_num": 3, "max_participants": 100, "symbol": "LANTERN"},
    "game_set_prizes": PRIZES,
    "game_type_id": 3,
}
EDIT_FLAT: Example = {"name_new": "Lantern night", "participation_amount_new": 12}
EDIT_NESTED: Example = {
    "game_room": {"participation_amount": "12.00", "prizes_num": 2},
    "game_set_prizes": [{"rank": 1, "percent": 66.67}, {"rank": 2, "percent": 33.33}],
}
TICKET: Example = {
    "ticket": "ticket_q7yVfN2hT0bKx3mJ8sLrW5cZ1dGpE9uA4iOoB6t",
    "expires_in": tickets.LIFETIME_SECONDS,
}

JOIN: Example = {"session_id": 53, "room_id": 12, "amount": 10.5}
JOINED: Example = {
    "id": 301,
    "public_id": PUBLIC_IDS[0],
    "session_id": 53,
    "room_id": 12,
    "wallet_address": PLAYERS[0][2],
    "amount": 10.5,
    "time_join": PLAYERS[0][3],
    "status": "executed",
    "tx_hash": TX[0],
    "participants_count": 1,
    "user": _player(0),
}
LEFT: Example = {"id": 301, "status": "cancelled", "tx_hash": REFUND_TX, "participants_count": 0}
PARTICIPATION: Example = {
    "id": 301,
    "wallet_address": PLAYERS[0][2],
    "amount": 10.5,
    "time_join": PLAYERS[0][3],
    "status": "executed",
    "tx_hash": TX[0],
    "session": SESSION,
    "room": {"id": 12, "name": ROOM["name"], "participation_amount": 10.5, "prizes_num": 3},
    "user": _player(0),
}
JOINERS: Example = {
    "data": [
        PARTICIPATION
        | {
            "amount": "10.5",
            "room": {"id": 12, "name": ROOM["name"], "symbol": ROOM["symbol"]},
            "user": _player(0) | {"fullname": "Linh Đặng", "avatar": ""},
        }
    ],
    "totalAmount": 10.5,
    "currentSession": {"id": 53, "session": SESSION["session"], "time_start": STARTED},
    "pagination": PAGINATION,
}
_FLAT: Example = {
    "id": 301,
    "wallet_address": PLAYERS[0][2],
    "amount": "10.5",
    "total_amount": "31.5",
    "hash": TX[0],
    "time_join": PLAYERS[0][3],
    "status": "executed",
}
JOINER: Example = _FLAT | {
    "data": _FLAT
    | {
        "tx_hash": TX[0],
        "user": _player(0) | {"email": None},
        "session": SESSION,
        "room": {
            "id": 12,
            "name": ROOM["name"],
            "symbol": ROOM["symbol"],
            "game_type_id": GAME,
            "owner_id": MASTER,
        },
    }
}
REFUNDED: Example = {
    "id": 298,
    "wallet_address": PLAYERS[1][2],
    "amount": "10.5",
    "time_join": "2026-03-01T11:57:12.500Z",
    "status": "refunded",
    "user": _player(1),
}
EXPIRED: Example = {
    "session": OUT_SESSION | {"room_id": 12},
    "participants": [REFUNDED],
    "required_prizes": 3,
    "participants_count": 1,
    "is_insufficient": True,
}
REFUND: Example = {
    "session": OUT_SESSION,
    "processed_participants": [
        {
            "id": 298,
            "wallet_address": PLAYERS[1][2],
            "original_amount": 10.5,
            "refund_amount": 10.5,
            "tx_hash": REFUND_TX,
            "user": _player(1),
        }
    ],
    "financial_summary": {"total_original_amount": 10.5, "total_refund_amount": 10.5},
}
NEW_SESSION: Example = {
    "room_id": 12,
    "latest_session_id": 53,
    "session_status": "pending",
    "session_available": True,
    "can_join": True,
    "session_start_time": STARTED,
    "message": "You can join the new session now",
}
WAITING: Example = NEW_SESSION | {
    "session_status": "running",
    "session_available": False,
    "can_join": False,
    "message": "Please wait for the next session",
}
NO_SESSION: Example = NEW_SESSION | {
    "latest_session_id": None,
    "session_status": None,
    "session_available": False,
    "can_join": False,
    "session_start_time": None,
    "message": "The room has no session",
}

_COMMIT = draw.commit(session_id=SESSION_PUBLIC_ID, seed=SEED)
_DRAW = draw.draw(session_id=SESSION_PUBLIC_ID, seed=SEED, entry_ids=PUBLIC_IDS)
SESSION_DETAIL: Example = SESSION | {
    "public_id": SESSION_PUBLIC_ID,
    "room": {"id": 12, "name": ROOM["name"]},
    "time_open": OPENED,
    "time_end": ENDED,
    "participation_amount": 10.5,
    "prizes_num": 3,
    "game_set_prizes": PRIZES,
    "participants_count": 3,
    "max_participants": 100,
    "total_amount": 31.5,
    "result_mode": "draw",
    "score_order": None,
    "multiplayer_game_round_id": None,
    "draw_commit": _COMMIT,
    "draw_roster": None,
    "can_join": True,
}
STANDINGS: list[Example] = [
    {
        "rank": rank,
        "join_id": 301 + place,
        "public_id": PUBLIC_IDS[place],
        "user": _player(place),
        "percent": PRIZES[rank - 1]["percent"],
        "prize": shapes.number(prize_minor),
        "tx_hash": PRIZE_TX[rank - 1],
        "how": shapes.arithmetic(pool_minor=POOL_MINOR, share_bp=SHARES_BP[rank - 1], prize_minor=prize_minor),
    }
    for rank, (place, prize_minor) in enumerate(
        zip(map(PUBLIC_IDS.index, _DRAW.order), PRIZES_MINOR, strict=True), start=1
    )
]
PROOF: Example = {
    "version": draw.DOMAIN,
    "session": SESSION_PUBLIC_ID,
    "status": "ended",
    "result_mode": "draw",
    "commit": _COMMIT,
    "roster": draw.roster(session_id=SESSION_PUBLIC_ID, entry_ids=PUBLIC_IDS),
    "beacon": draw.NO_BEACON,
    "entry_fee_minor": FEE_MINOR,
    "prize_shares_bp": SHARES_BP,
    "pool_minor": POOL_MINOR,
    "seed": SEED.hex(),
    "key": _DRAW.key,
    "entries": [
        {"id": entry, "ticket": _DRAW.tickets[entry], "rank": rank, "prize_minor": PRIZES_MINOR[rank - 1]}
        for rank, entry in enumerate(_DRAW.order, start=1)
    ],
}
SUBMITTED: Example = {"session_id": 53, "ranking": [303, 301, 302], "submitted_at": "2026-03-01T12:03:48.120Z"}
