"""The examples of the OpenAPI document: what the answers' own definitions make of one small world.

The master of room 12 is "binh.pham". Session 53 takes entries of 10.50 and is joined by three players; session 52 was
called off before it. The draw's hashes are computed as any draw's are.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from core.redis import tickets
from core.wire.outputs import ABSENT, Row
from rooms import draw, wording
from rooms.api import outputs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOINED_AT = [NOON + timedelta(seconds=seconds) for seconds in (41.25, 62.8, 150.015)]
USERNAMES = ["linh.d", "quang_88", "mai-anh"]
WALLETS = ["gp1q8linhwallet0001", "gp1q8quangwallet002", "gp1q8maianhwallet03"]
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
SHARES_BP = [5_000, 3_000, 2_000]
PRIZES_MINOR = [1_575, 945, 630]

PAGINATION = {"page": 1, "limit": 10, "total": 1, "totalPages": 1, "hasNext": False, "hasPrev": False}
PRIZES = wording.prize_table(SHARES_BP)


def _inside(row: Row, prefix: str) -> dict[str, Any]:
    return {prefix + name: found for name, found in row.items()}


_TERMS: dict[str, Any] = {"entry_fee_minor": 1_050, "prize_shares_bp": SHARES_BP, "max_participants": 100}
_GAME = {"id": 3, "name": "Lucky Lanterns", "symbol": "LANTERN", "status": "active"}
_MASTER = {"id": 7, "username": "binh.pham"}
_SESSION: dict[str, Any] = {
    **_TERMS,
    "id": 53,
    "code": "1772366400000",
    "status": "pending",
    "opens_at": NOON,
    "starts_at": NOON + timedelta(minutes=3),
    "ends_at": NOON + timedelta(minutes=4),
    "participants_count": 3,
    "room_id": 12,
}
_OUT_SESSION = _SESSION | {
    "id": 52,
    "code": "1772366210000",
    "starts_at": NOON - timedelta(seconds=10),
    "status": "out",
}
_ROOM: dict[str, Any] = {
    **_TERMS,
    "id": 12,
    "name": "GOLD_LANTERN_001",
    "symbol": "LANTERN",
    "status": "open",
    "join_window_seconds": 180,
    "run_seconds": 60,
    "gap_seconds": 10,
    "event_seq": 17,
    "conversation_id": "7b1e0a52-6a0e-4f0e-9d0b-3f1f6f2c8a11",
    "pending_change": {"entry_fee_minor": 1_200, "max_participants": 50},
    **_inside(_GAME, "game__"),
    **_inside(_MASTER, "owner__"),
    **_inside(_SESSION | {"can_join": True}, "current_session__"),
    "held_minor": 3_150,
}
_PLACES: list[dict[str, Any]] = [
    {
        "id": 301 + index,
        "public_id": PUBLIC_IDS[index],
        "status": "paid",
        "amount_minor": 1_050,
        "held_minor": 3_150,
        "wallet_address": WALLETS[index],
        "joined_at": JOINED_AT[index],
        "entry_tx_hash": TX[index],
        "refund_tx_hash": REFUND_TX,
        "user__id": 21 + index,
        "user__username": USERNAMES[index],
        "user__fullname": "Linh Đặng",
        "user__avatar": "",
        "user__email": None,
        **_inside(_SESSION, "session__"),
        **_inside(_ROOM, "room__"),
    }
    for index in range(3)
]
_REFUNDED = _PLACES[1] | {"id": 298, "status": "refunded", "joined_at": NOON - timedelta(seconds=167.5)}

ROOM = outputs.ROOM.of(_ROOM)
ROOM_DETAIL = outputs.ROOM_DETAIL.of(_ROOM | {"joiners": _PLACES, "may_manage": True})
ROOM_NAMED = outputs.ROOM_NAMED.of(_ROOM)
CREATE_ROOM = {
    "game_room": {"participation_amount": 10.5, "prizes_num": 3, "max_participants": 100, "symbol": "LANTERN"},
    "game_set_prizes": PRIZES,
    "game_type_id": 3,
}
EDIT_FLAT = {"name_new": "Lantern night", "participation_amount_new": 12}
EDIT_NESTED = {
    "game_room": {"participation_amount": "12.00", "prizes_num": 2},
    "game_set_prizes": [{"rank": 1, "percent": 66.67}, {"rank": 2, "percent": 33.33}],
}
TICKET = {"ticket": "ticket_q7yVfN2hT0bKx3mJ8sLrW5cZ1dGpE9uA4iOoB6t", "expires_in": tickets.LIFETIME_SECONDS}

JOIN = {"session_id": 53, "room_id": 12, "amount": 10.5}
_MOVED = {"participant_id": 301, "session_id": 53, "room_id": 12, "user": {"id": 21, "username": USERNAMES[0]}}
JOINED = outputs.JOINED.of(_PLACES[0] | _MOVED | {"tx_hash": TX[0], "participants_count": 1})
LEFT = outputs.LEFT.of(_MOVED | {"status": "left", "tx_hash": REFUND_TX, "participants_count": 0})
PARTICIPATION = outputs.PARTICIPATION.of(_PLACES[0])
JOINERS = {
    "data": outputs.JOINER.many(_PLACES[:1]),
    "totalAmount": 10.5,
    "currentSession": outputs.JOINERS_SESSION.of(_SESSION),
    "pagination": PAGINATION,
}
JOINER = outputs.JOINER_ANSWER.of(_PLACES[0])
REFUNDED = outputs.REFUNDED.of(_REFUNDED)
EXPIRED = outputs.EXPIRED.of(_OUT_SESSION | {"participants": [_REFUNDED]})
REFUND = outputs.REFUND.of({"session": _OUT_SESSION, "participants": [_REFUNDED]})
NEW_SESSION = {
    "room_id": 12,
    "latest_session_id": 53,
    "session_status": "pending",
    "session_available": True,
    "can_join": True,
    "session_start_time": "2026-03-01T12:03:00.000Z",
    "message": "You can join the new session now",
}
WAITING = NEW_SESSION | {
    "session_status": "running",
    "session_available": False,
    "can_join": False,
    "message": "Please wait for the next session",
}
NO_SESSION = WAITING | {
    "latest_session_id": None,
    "session_status": None,
    "session_start_time": None,
    "message": "The room has no session",
}

_COMMIT = draw.commit(session_id=SESSION_PUBLIC_ID, seed=SEED)
_DRAW = draw.draw(session_id=SESSION_PUBLIC_ID, seed=SEED, entry_ids=PUBLIC_IDS)
_DETAIL = _SESSION | {
    "public_id": SESSION_PUBLIC_ID,
    "room": _ROOM,
    "result_mode": "draw",
    "score_order": "desc",
    "contest_id": None,
    "multiplayer_id": None,
    "draw_commit": _COMMIT,
    "draw_roster": None,
    "now": JOINED_AT[2],
}
SESSION_DETAIL = outputs.SESSION_DETAIL.of(_DETAIL)
RESULTS = outputs.RESULTS.of(
    _DETAIL
    | {
        "status": "ended",
        "outcome": "settled",
        "pool_minor": 3_150,
        "standings": [
            _PLACES[place]
            | {
                "rank": rank,
                "share_bp": SHARES_BP[rank - 1],
                "prize_minor": prize_minor,
                "prize_tx_hash": PRIZE_TX[rank - 1],
                "score": ABSENT,
                "how": wording.arithmetic(pool_minor=3_150, share_bp=SHARES_BP[rank - 1], prize_minor=prize_minor),
            }
            for rank, (place, prize_minor) in enumerate(
                zip(map(PUBLIC_IDS.index, _DRAW.order), PRIZES_MINOR, strict=True), start=1
            )
        ],
    }
)
PROOF = {
    "version": draw.DOMAIN,
    "session": SESSION_PUBLIC_ID,
    "status": "ended",
    "result_mode": "draw",
    "commit": _COMMIT,
    "roster": draw.roster(session_id=SESSION_PUBLIC_ID, entry_ids=PUBLIC_IDS),
    "beacon": draw.NO_BEACON,
    "entry_fee_minor": 1_050,
    "prize_shares_bp": SHARES_BP,
    "pool_minor": 3_150,
    "seed": SEED.hex(),
    "key": _DRAW.key,
    "entries": [
        {"id": entry, "ticket": _DRAW.tickets[entry], "rank": rank, "prize_minor": PRIZES_MINOR[rank - 1]}
        for rank, entry in enumerate(_DRAW.order, start=1)
    ],
}
SUBMITTED = {"session_id": 53, "ranking": [303, 301, 302], "submitted_at": "2026-03-01T12:03:48.120Z"}
