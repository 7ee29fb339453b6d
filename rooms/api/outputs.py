"""The objects of the rooms' answers (contract: rooms).

Whether an amount is a number or a text differs by endpoint, as in the documents' own examples. A row of a model's
instance is ``vars(instance)``.
"""

from typing import Any

from orjson import Fragment

from accounts.models import Game
from core.wire.fields import iso_ms
from core.wire.openapi import ID, TIME, Schema
from core.wire.outputs import ABSENT, FLAG, TEXT, Member, Output, Row, Source, nested, same, value
from rooms import queries, wording
from rooms.models import Outcome, Session
from rooms.prizes import PRIZES_MAX
from rooms.terms import COUNT_TERMS
from rooms.wording import number, percent, text
from rounds.standings import score_text

AMOUNT: Schema = {"type": "number", "minimum": 0, "description": "Whole tokens, at most two decimals."}
AMOUNT_TEXT: Schema = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]*)(\.[0-9]{1,2})?$",
    "description": "Whole tokens, without trailing zeros.",
}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}
MINOR: Schema = {"type": "integer", "minimum": 0, "description": "Minor units: hundredths of a token."}
COUNT: Schema = {"type": "integer", "minimum": 0}
SCORE: Schema = {"type": "number", "description": "Exact: every digit as it was sent."}
RANK: Schema = {"type": "integer", "minimum": 1}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
CODE: Schema = {"type": "string", "pattern": "^[0-9]+$", "description": "Creation time in epoch milliseconds."}
UUID: Schema = {"type": "string", "format": "uuid"}
ROOM_STATUS: Schema = {"type": "string", "enum": ["wait", "run", "inactive", "delete"]}
SESSION_STATUS: Schema = {"type": "string", "enum": [*dict.fromkeys(wording.SESSION_STATUS.values())]}
JOIN_STATUS: Schema = {"type": "string", "enum": [*wording.PARTICIPANT_STATUS.values()]}
RESULT_MODE: Schema = {"type": "string", "enum": [*Game.ResultMode.values]}
SHARES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 10_000}}


def _amount(source: Source) -> Member:
    return value(AMOUNT, source, write=number)


def _amount_text(source: Source) -> Member:
    return value(AMOUNT_TEXT, source, write=text)


def _moment(source: Source) -> Member:
    return value(TIME, source, write=iso_ms)


def _length(source: str) -> Member:
    return value(COUNT, source, write=len)


def _score() -> Member:
    """With its very digits; ``ABSENT`` where scores do not decide."""
    return value(SCORE, write=lambda score: Fragment(score_text(score)), nullable=True, required=False)


def _session_status(source: str = "status", **options: Any) -> Member:
    return value(SESSION_STATUS, source, write=wording.SESSION_STATUS.__getitem__, **options)


def pool_minor(session: Row) -> int:
    """What the escrow of the session holds."""
    return queries.pool_minor(
        status=session["status"],
        entry_fee_minor=session["entry_fee_minor"],
        participants_count=session["participants_count"],
    )


def is_joinable(session: Row) -> bool:
    """Whether a join could succeed at the row's ``now``."""
    return queries.can_join(
        status=session["status"],
        opens_at=session["opens_at"],
        starts_at=session["starts_at"],
        count=session["participants_count"],
        seats=session["max_participants"],
        now=session["now"],
    )


JOIN = value(JOIN_STATUS, "status", write=wording.PARTICIPANT_STATUS.__getitem__)
PRIZE = Output("PrizeOutput", rank=value(RANK | {"maximum": PRIZES_MAX}), percent=value(PERCENT))
PRIZES = nested(PRIZE, lambda row: wording.prize_table(row["prize_shares_bp"]), many=True)

USER = Output("UserBriefOutput", id=value(ID), username=value(TEXT))
GAME = Output("GameBriefOutput", id=value(ID), name=value(TEXT), symbol=value(TEXT))
ROOM_GAME = GAME.extended("RoomGameOutput", status=value({"type": "string", "enum": [*Game.Status.values]}))

# --- Rooms --------------------------------------------------------------------------------------------------------

CURRENT_SESSION = Output(
    "CurrentSessionOutput",
    id=value(ID),
    status=_session_status(),
    time_start=_moment("starts_at"),
    time_end=_moment("ends_at"),
    session=value(CODE, "code"),
    participants_count=value(COUNT),
    max_participants=value(COUNT),
    can_join=value(FLAG),
)


def _room_status(room: Row) -> str:
    return wording.room_status(status=room["status"], session_status=room["current_session__status"])


ROOM = Output(
    "RoomOutput",
    "An item of the room list; ``current_session`` is null before a room's first session.",
    id=value(ID),
    name=value(TEXT),
    symbol=value(TEXT, nullable=True),
    participation_amount=_amount("entry_fee_minor"),
    prizes_num=_length("prize_shares_bp"),
    total_amount=_amount("held_minor"),
    game_type_id=nested(ROOM_GAME, prefix="game__"),
    status=value(ROOM_STATUS, _room_status),
    owner_id=nested(USER, prefix="owner__"),
    current_session=nested(
        CURRENT_SESSION,
        # Null before the room's first session.
        lambda row: row if row["current_session__status"] else None,
        prefix="current_session__",
        nullable=True,
    ),
    # Where the lobby's events of this room go on from.
    event_seq=value(COUNT),
)

ROOM_JOINER = Output(
    "RoomJoinerOutput",
    username=value(TEXT, "user__username"),
    amount=_amount("amount_minor"),
    status=JOIN,
    time_join=_moment("joined_at"),
    tx_hash=value(HASH, "entry_tx_hash"),
)


def _changed(schema: Schema, name: str, **options: Any) -> Member:
    return value(schema, lambda change: change.get(name, ABSENT), required=False, **options)


PENDING_CHANGE = Output(
    "PendingChangeOutput",
    "The terms that apply when the current session is over; only those that change.",
    name=_changed(TEXT, "name"),
    symbol=_changed(TEXT, "symbol"),
    **{name: _changed(COUNT, name) for name in COUNT_TERMS},
    participation_amount=_changed(AMOUNT, "entry_fee_minor", write=number),
    game_set_prizes=nested(
        PRIZE,
        lambda change: wording.prize_table(change["prize_shares_bp"]) if "prize_shares_bp" in change else ABSENT,
        many=True,
        required=False,
    ),
)

# Its row has ``joiners`` and ``may_manage``.
ROOM_DETAIL = ROOM.extended(
    "RoomDetailOutput",
    "A room by itself; ``pending_change`` is there for those who manage the room, while there is one.",
    **{name: value(COUNT) for name in COUNT_TERMS},
    game_set_prizes=PRIZES,
    # The room's chat, for the calls of the chat API.
    conversation_id=value(UUID, write=str, nullable=True),
    join_room_num=_length("joiners"),
    joiners=nested(ROOM_JOINER, many=True),
    pending_change=nested(
        PENDING_CHANGE,
        lambda row: row["pending_change"] if row["may_manage"] and row["pending_change"] is not None else ABSENT,
        required=False,
    ),
)

ROOM_NAMED = Output("RoomNamedOutput", id=value(ID), name=value(TEXT))
ROOM_EDITED = ROOM_NAMED.extended(
    "RoomEditedOutput",
    "``applied`` is false while the change waits for the live session to be over.",
    applied=value(FLAG, lambda row: row["pending_change"] is None),
)
TICKET = Output(
    "TicketOutput",
    "A ticket opens one socket, once, within ``expires_in`` seconds.",
    ticket=value(TEXT),
    expires_in=value(COUNT),
)

# --- Participation ------------------------------------------------------------------------------------------------

SESSION_BRIEF = Output(
    "SessionBriefOutput",
    id=value(ID),
    session=value(CODE, "code"),
    time_start=_moment("starts_at"),
    status=_session_status(),
)
ROOM_TERMS = Output(
    "RoomTermsOutput",
    id=value(ID),
    name=value(TEXT),
    participation_amount=_amount("entry_fee_minor"),
    prizes_num=_length("prize_shares_bp"),
)
ROOM_SYMBOL = Output("RoomSymbolOutput", id=value(ID), name=value(TEXT), symbol=value(TEXT, nullable=True))

PARTICIPATION = Output(
    "ParticipationOutput",
    "An item of the participation lists.",
    id=value(ID),
    wallet_address=value(TEXT),
    amount=_amount("amount_minor"),
    time_join=_moment("joined_at"),
    status=JOIN,
    tx_hash=value(HASH, "entry_tx_hash"),
    session=nested(SESSION_BRIEF, prefix="session__"),
    room=nested(ROOM_TERMS, prefix="room__"),
    user=nested(USER, prefix="user__"),
)
JOINER = PARTICIPATION.extended(
    "JoinerOutput",
    "An item of ``joiners``.",
    amount=_amount_text("amount_minor"),
    room=nested(ROOM_SYMBOL, prefix="room__"),
    user=nested(USER.extended("JoinerUserOutput", fullname=value(TEXT), avatar=value(TEXT)), prefix="user__"),
)
JOINERS_SESSION = Output(
    "JoinersSessionOutput", id=value(ID), session=value(CODE, "code"), time_start=_moment("starts_at")
)
JOINER_FLAT = Output(
    "JoinerFlatOutput",
    id=value(ID),
    wallet_address=value(TEXT),
    amount=_amount_text("amount_minor"),
    total_amount=_amount_text("held_minor"),
    hash=value(HASH, "entry_tx_hash"),
    time_join=_moment("joined_at"),
    status=JOIN,
)
JOINER_DETAIL = JOINER_FLAT.extended(
    "JoinerDetailOutput",
    tx_hash=value(HASH, "entry_tx_hash"),
    user=nested(
        USER.extended(
            "JoinerOwnerOutput",
            "``email`` is null unless the caller is the joiner or staff.",
            email=value(TEXT, nullable=True),
        ),
        prefix="user__",
    ),
    session=nested(SESSION_BRIEF, prefix="session__"),
    room=nested(
        ROOM_SYMBOL.extended(
            "JoinerRoomOutput", game_type_id=nested(GAME, prefix="game__"), owner_id=nested(USER, prefix="owner__")
        ),
        prefix="room__",
    ),
)
# One participation: its flat keys, and the same under ``data`` with user, session and room in detail.
JOINER_ANSWER = JOINER_FLAT.extended("JoinerAnswer", data=nested(JOINER_DETAIL, same))

JOINED = Output(
    "JoinedOutput",
    "The place that a join paid for.",
    id=value(ID, "participant_id"),
    public_id=value(UUID, write=str),
    session_id=value(ID),
    room_id=value(ID),
    wallet_address=value(TEXT),
    amount=_amount("amount_minor"),
    time_join=_moment("joined_at"),
    status=JOIN,
    tx_hash=value(HASH),
    participants_count=value(COUNT),
    user=nested(USER),
)
LEFT = Output(
    "LeftOutput",
    "The place that was given back; ``tx_hash`` is the refund's.",
    id=value(ID, "participant_id"),
    status=JOIN,
    tx_hash=value(HASH),
    participants_count=value(COUNT),
)

REFUNDED = Output(
    "RefundedOutput",
    "A participant of a session that was called off.",
    id=value(ID),
    wallet_address=value(TEXT),
    amount=_amount_text("amount_minor"),
    time_join=_moment("joined_at"),
    status=JOIN,
    user=nested(USER, prefix="user__"),
)
EXPIRED = Output(
    "ExpiredSessionOutput",
    session=nested(SESSION_BRIEF.extended("ExpiredBriefOutput", room_id=value(ID)), same),
    participants=nested(REFUNDED, many=True),
    required_prizes=_length("prize_shares_bp"),
    participants_count=_length("participants"),
    is_insufficient=value(FLAG, lambda row: len(row["participants"]) < len(row["prize_shares_bp"])),
)
PROCESSED = Output(
    "ProcessedOutput",
    id=value(ID),
    wallet_address=value(TEXT),
    original_amount=_amount("amount_minor"),
    refund_amount=_amount("amount_minor"),
    tx_hash=value(HASH, "refund_tx_hash"),
    user=nested(USER, prefix="user__"),
)
REFUND = Output(
    "RefundOutput",
    "The record of a called-off session's refunds.",
    session=nested(SESSION_BRIEF),
    processed_participants=nested(PROCESSED, "participants", many=True),
    financial_summary=nested(
        Output(
            "RefundSummaryOutput",
            total_original_amount=_amount("total_minor"),
            total_refund_amount=_amount("total_minor"),
        ),
        lambda row: {"total_minor": sum(place["amount_minor"] for place in row["participants"])},
    ),
)
NEW_SESSION = Output(
    "NewSessionOutput",
    room_id=value(ID),
    latest_session_id=value(ID, "id", nullable=True),
    session_status=_session_status(nullable=True),
    session_available=value(FLAG),
    can_join=value(FLAG),
    session_start_time=value(TIME, "starts_at", write=iso_ms, nullable=True),
    message=value(TEXT),
)

# --- Sessions -----------------------------------------------------------------------------------------------------

# Its row has ``room``, ``multiplayer_id`` and ``now``.
SESSION_DETAIL = SESSION_BRIEF.extended(
    "SessionDetailOutput",
    "A session with its frozen terms.",
    public_id=value(UUID, write=str),
    room=nested(ROOM_NAMED),
    time_open=_moment("opens_at"),
    time_end=_moment("ends_at"),
    participation_amount=_amount("entry_fee_minor"),
    prizes_num=_length("prize_shares_bp"),
    game_set_prizes=PRIZES,
    participants_count=value(COUNT),
    max_participants=value(COUNT),
    total_amount=_amount(pool_minor),
    result_mode=value(RESULT_MODE),
    score_order=value(
        {"type": "string", "enum": ["asc", "desc"]},
        lambda row: row["score_order"] if row["contest_id"] else None,
        nullable=True,
    ),
    multiplayer_game_round_id=value(
        ID | {"description": "The number under which game clients send their rounds."}, "multiplayer_id", nullable=True
    ),
    draw_commit=value(HASH),
    draw_roster=value(HASH, nullable=True),
    can_join=value(FLAG, is_joinable),
)

STANDING = Output(
    "StandingOutput",
    "One rank: what it won, and how that was computed; ``score`` is there when scores decide.",
    rank=value(RANK),
    join_id=value(ID, "id"),
    public_id=value(UUID, write=str),
    user=nested(USER, prefix="user__"),
    percent=value(PERCENT, "share_bp", write=percent),
    prize=_amount("prize_minor"),
    tx_hash=value(HASH, "prize_tx_hash", nullable=True),
    score=_score(),
    how=value(TEXT),
)
RESULTS = Output(
    "ResultsOutput",
    "Standings and awards; no standings while the session is live or when it was called off.",
    session=nested(SESSION_BRIEF, same),
    result_mode=value(RESULT_MODE),
    rule=value(TEXT, "result_mode", write=wording.RULES.__getitem__),
    rounding=value(TEXT, lambda row: wording.ROUNDING),
    outcome=value({"type": "string", "enum": [*Outcome.Kind.values]}, nullable=True),
    total_amount=_amount("pool_minor"),
    game_set_prizes=PRIZES,
    standings=nested(STANDING, many=True),
)

PROOF = Output(
    "ProofOutput",
    "The draw's public record at this moment.",
    version=value(TEXT),
    session=value(UUID),
    status=value({"type": "string", "enum": [*Session.Status.values]}),
    result_mode=value(RESULT_MODE),
    commit=value(HASH),
    roster=value(HASH, nullable=True),
    beacon=value(TEXT),
    entry_fee_minor=value(MINOR),
    prize_shares_bp=value(SHARES),
    pool_minor=value(MINOR),
    seed=value(HASH, nullable=True),
    key=value(HASH, nullable=True),
    entries=nested(
        Output(
            "ProofEntryOutput",
            "An entry of the draw; its ticket, rank and prize are there when the session has ended.",
            id=value(UUID),
            ticket=value(HASH, lambda entry: entry.get("ticket", ABSENT), required=False),
            rank=value(RANK, lambda entry: entry.get("rank", ABSENT), nullable=True, required=False),
            prize_minor=value(MINOR, lambda entry: entry.get("prize_minor", ABSENT), nullable=True, required=False),
        ),
        many=True,
    ),
)

SUBMITTED = Output(
    "SubmittedResultOutput",
    "The ranking that stands: participants' ids, best first.",
    session_id=value(ID),
    ranking=value({"type": "array", "items": ID}),
    submitted_at=_moment("submitted_at"),
)
SCORED = Output(
    "ScoreOutput",
    "The score that counts so far.",
    session_id=value(ID),
    score=value(SCORE, write=lambda s: Fragment(score_text(s))),
)
