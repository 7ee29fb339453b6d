"""The frames of `/ws/game-rooms`: the stream's snapshot and events in this API's words and amounts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.wire.fields import iso_ms
from rooms import events, wording
from rooms.models import Participant, Room, Session
from rooms.stream import Snapshot

ROOM_STATES = {Room.Status.OPEN: "open", Room.Status.INACTIVE: "inactive", Room.Status.DELETED: "delete"}


def snapshot(state: Snapshot) -> dict[str, Any]:
    """The first frame: all that the events after ``seq`` build upon."""
    room = state.room
    return {
        "type": "snapshot",
        "seq": state.seq,
        "room_id": room["id"],
        "data": {
            "room": _room(room),
            "session": _session(state.session) if state.session else None,
            "joiners": [_joiner(row["id"], row["user__id"], row["user__username"]) for row in state.joiners],
            "results": [
                _result(row["rank"], row["id"], row["user__id"], row["user__username"], row["prize_minor"])
                for row in state.standings
            ],
        },
    }


def event(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The frame of an event, as kept in the database or as published."""
    at = kept.get("created_at")
    return {
        "type": kept["type"],
        "seq": kept["seq"],
        "room_id": kept["room_id"],
        "session_id": kept["session_id"],
        "timestamp": iso_ms(at) if at is not None else iso_ms(datetime.fromisoformat(kept["at"])),
        "data": _DATA[kept["type"]](kept["session_id"], kept["payload"]),
    }


def _room(terms: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": terms["name"],
        "symbol": terms["symbol"],
        "state": ROOM_STATES[terms["status"]],
        "participation_amount": wording.number(terms["entry_fee_minor"]),
        "game_set_prizes": wording.prize_table(terms["prize_shares_bp"]),
        "max_participants": terms["max_participants"],
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.pk,
        "session": session.code,
        "status": wording.SESSION_STATUS[session.status],
        "time_start": iso_ms(session.starts_at),
        "time_end": iso_ms(session.ends_at),
        "participation_amount": wording.number(session.entry_fee_minor),
        "game_set_prizes": wording.prize_table(session.prize_shares_bp),
        "max_participants": session.max_participants,
        "participants_count": session.participants_count,
        "draw_commit": session.draw_commit,
        "draw_roster": session.draw_roster,
    }


def _joiner(join_id: int, user_id: int, username: str) -> dict[str, Any]:
    return {"join_id": join_id, "user": {"id": user_id, "username": username}}


def _result(rank: int, join_id: int, user_id: int, username: str, prize_minor: int) -> dict[str, Any]:
    return {"rank": rank, "prize": wording.number(prize_minor), **_joiner(join_id, user_id, username)}


def _time(text: str) -> str:
    return iso_ms(datetime.fromisoformat(text).astimezone(UTC))


def _opened(session_id: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    session = {
        "id": session_id,
        "session": payload["session"],
        "status": "pending",
        "time_start": _time(payload["starts_at"]),
        "time_end": _time(payload["ends_at"]),
        "participation_amount": wording.number(payload["entry_fee_minor"]),
        "game_set_prizes": wording.prize_table(payload["prize_shares_bp"]),
        "max_participants": payload["max_participants"],
        "participants_count": 0,
        "draw_commit": payload["draw_commit"],
        "draw_roster": None,
    }
    return {"session": session}


def _seat(session_id: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    joiner = _joiner(payload["participant_id"], payload["user_id"], payload["username"])
    return {**joiner, "participants_count": payload["participants_count"]}


def _running(session_id: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": "running",
        "time_end": _time(payload["ends_at"]),
        "participants_count": payload["participants_count"],
        "draw_roster": payload["draw_roster"],
    }


def _out(session_id: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": "out",
        "reason": payload["reason"],
        "refunded": payload["refunded"],
        "total_amount": wording.number(payload["pool_minor"]),
        "participant_status": wording.PARTICIPANT_STATUS[Participant.Status.REFUNDED],
    }


def _ended(session_id: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    results = [
        _result(row["rank"], row["participant_id"], row["user_id"], row["username"], row["prize_minor"])
        for row in payload["results"]
    ]
    return {"status": "end", "total_amount": wording.number(payload["pool_minor"]), "results": results}


def _changed(session_id: int | None, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"change": payload["change"], "room": _room(payload)}


_DATA = {
    events.Type.OPENED: _opened,
    events.Type.JOINED: _seat,
    events.Type.LEFT: _seat,
    events.Type.RUNNING: _running,
    events.Type.OUT: _out,
    events.Type.ENDED: _ended,
    events.Type.ROOM_CHANGED: _changed,
}
