"""The shapes of `rooms.api.shapes` as the OpenAPI document shows them (contract: rooms)."""

from typing import Any

from rest_framework import serializers

from accounts.models import Game
from core.wire.openapi import ID, TIME, Schema
from core.wire.outputs import Described
from rooms.api import shapes
from rooms.models import Outcome, Session
from rooms.prizes import PRIZES_MAX

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
ROOM_STATUS: Schema = {"type": "string", "enum": ["wait", "run", "inactive", "delete"]}
SESSION_STATUS: Schema = {"type": "string", "enum": [*dict.fromkeys(shapes.SESSION_STATUS.values())]}
JOIN_STATUS: Schema = {"type": "string", "enum": [*shapes.PARTICIPANT_STATUS.values()]}
RESULT_MODE: Schema = {"type": "string", "enum": [*Game.ResultMode.values]}

Output = serializers.Serializer[Any]


class UserBriefOutput(Output):
    id = Described(ID)
    username = serializers.CharField()


class PrizeOutput(Output):
    rank = Described(RANK | {"maximum": PRIZES_MAX})
    percent = Described(PERCENT)


class GameBriefOutput(Output):
    id = Described(ID)
    name = serializers.CharField()
    symbol = serializers.CharField()


class RoomGameOutput(GameBriefOutput):
    status = Described({"type": "string", "enum": [*Game.Status.values]})


class CurrentSessionOutput(Output):
    id = Described(ID)
    status = Described(SESSION_STATUS)
    time_start = Described(TIME)
    time_end = Described(TIME)
    session = Described(CODE)
    participants_count = Described(COUNT)
    max_participants = Described(COUNT)
    can_join = serializers.BooleanField()


class RoomOutput(Output):
    """An item of the room list; ``current_session`` is null before a room's first session."""

    id = Described(ID)
    name = serializers.CharField()
    symbol = serializers.CharField(allow_null=True)
    participation_amount = Described(AMOUNT)
    prizes_num = Described(COUNT)
    total_amount = Described(AMOUNT)
    game_type_id = RoomGameOutput()
    status = Described(ROOM_STATUS)
    owner_id = UserBriefOutput()
    event_seq = Described(COUNT)
    current_session = CurrentSessionOutput(allow_null=True)


class RoomJoinerOutput(Output):
    username = serializers.CharField()
    amount = Described(AMOUNT)
    status = Described(JOIN_STATUS)
    time_join = Described(TIME)
    tx_hash = Described(HASH)


class PendingChangeOutput(Output):
    """The terms that apply when the current session is over; only those that change."""

    name = serializers.CharField(required=False)
    symbol = serializers.CharField(required=False)
    participation_amount = Described(AMOUNT, required=False)
    game_set_prizes = PrizeOutput(many=True, required=False)
    max_participants = Described(COUNT, required=False)
    join_window_seconds = Described(COUNT, required=False)
    run_seconds = Described(COUNT, required=False)


class RoomDetailOutput(RoomOutput):
    """A room by itself; ``pending_change`` is there for those who manage the room, while there is one."""

    max_participants = Described(COUNT)
    join_window_seconds = Described(COUNT)
    run_seconds = Described(COUNT)
    conversation_id = serializers.UUIDField(allow_null=True)
    game_set_prizes = PrizeOutput(many=True)
    join_room_num = Described(COUNT)
    joiners = RoomJoinerOutput(many=True)
    pending_change = PendingChangeOutput(required=False)


class RoomNamedOutput(Output):
    id = Described(ID)
    name = serializers.CharField()


class RoomEditedOutput(RoomNamedOutput):
    """``applied`` is false while the change waits for the live session to be over."""

    applied = serializers.BooleanField()


class TicketOutput(Output):
    """A ticket opens one socket, once, within ``expires_in`` seconds."""

    ticket = serializers.CharField()
    expires_in = Described(COUNT)


class SessionBriefOutput(Output):
    id = Described(ID)
    session = Described(CODE)
    time_start = Described(TIME)
    status = Described(SESSION_STATUS)


class RoomTermsOutput(Output):
    id = Described(ID)
    name = serializers.CharField()
    participation_amount = Described(AMOUNT)
    prizes_num = Described(COUNT)


class RoomSymbolOutput(Output):
    id = Described(ID)
    name = serializers.CharField()
    symbol = serializers.CharField(allow_null=True)


class ParticipationOutput(Output):
    """An item of the participation lists."""

    id = Described(ID)
    wallet_address = serializers.CharField()
    amount = Described(AMOUNT)
    time_join = Described(TIME)
    status = Described(JOIN_STATUS)
    tx_hash = Described(HASH)
    session = SessionBriefOutput()
    room = RoomTermsOutput()
    user = UserBriefOutput()


class JoinedOutput(Output):
    """The place that a join paid for."""

    id = Described(ID)
    public_id = serializers.UUIDField()
    session_id = Described(ID)
    room_id = Described(ID)
    wallet_address = serializers.CharField()
    amount = Described(AMOUNT)
    time_join = Described(TIME)
    status = Described(JOIN_STATUS)
    tx_hash = Described(HASH)
    participants_count = Described(COUNT)
    user = UserBriefOutput()


class LeftOutput(Output):
    """The place that was given back; ``tx_hash`` is the refund's."""

    id = Described(ID)
    status = Described(JOIN_STATUS)
    tx_hash = Described(HASH)
    participants_count = Described(COUNT)


class JoinerUserOutput(UserBriefOutput):
    fullname = serializers.CharField()
    avatar = serializers.CharField()


class JoinerOutput(Output):
    """An item of ``joiners``."""

    id = Described(ID)
    wallet_address = serializers.CharField()
    amount = Described(AMOUNT_TEXT)
    time_join = Described(TIME)
    status = Described(JOIN_STATUS)
    tx_hash = Described(HASH)
    session = SessionBriefOutput()
    room = RoomSymbolOutput()
    user = JoinerUserOutput()


class JoinerFlatOutput(Output):
    id = Described(ID)
    wallet_address = serializers.CharField()
    amount = Described(AMOUNT_TEXT)
    total_amount = Described(AMOUNT_TEXT)
    hash = Described(HASH)
    time_join = Described(TIME)
    status = Described(JOIN_STATUS)


class JoinerOwnerOutput(UserBriefOutput):
    """``email`` is null for everybody but the joiner and staff."""

    email = serializers.CharField(allow_null=True)


class JoinerRoomOutput(RoomSymbolOutput):
    game_type_id = GameBriefOutput()
    owner_id = UserBriefOutput()


class JoinerDetailOutput(JoinerFlatOutput):
    tx_hash = Described(HASH)
    user = JoinerOwnerOutput()
    session = SessionBriefOutput()
    room = JoinerRoomOutput()


class JoinersSessionOutput(Output):
    id = Described(ID)
    session = Described(CODE)
    time_start = Described(TIME)


class RefundedOutput(Output):
    """A participant of a session that was called off."""

    id = Described(ID)
    wallet_address = serializers.CharField()
    amount = Described(AMOUNT_TEXT)
    time_join = Described(TIME)
    status = Described(JOIN_STATUS)
    user = UserBriefOutput()


class ExpiredBriefOutput(SessionBriefOutput):
    room_id = Described(ID)


class ExpiredSessionOutput(Output):
    session = ExpiredBriefOutput()
    participants = RefundedOutput(many=True)
    required_prizes = Described(COUNT)
    participants_count = Described(COUNT)
    is_insufficient = serializers.BooleanField()


class ProcessedOutput(Output):
    id = Described(ID)
    wallet_address = serializers.CharField()
    original_amount = Described(AMOUNT)
    refund_amount = Described(AMOUNT)
    tx_hash = Described(HASH)
    user = UserBriefOutput()


class RefundSummaryOutput(Output):
    total_original_amount = Described(AMOUNT)
    total_refund_amount = Described(AMOUNT)


class RefundOutput(Output):
    """The record of a called-off session's refunds."""

    session = SessionBriefOutput()
    processed_participants = ProcessedOutput(many=True)
    financial_summary = RefundSummaryOutput()


class NewSessionOutput(Output):
    room_id = Described(ID)
    latest_session_id = Described(ID, allow_null=True)
    session_status = Described(SESSION_STATUS, allow_null=True)
    session_available = serializers.BooleanField()
    can_join = serializers.BooleanField()
    session_start_time = Described(TIME, allow_null=True)
    message = serializers.CharField()


class SessionDetailOutput(SessionBriefOutput):
    """A session with its frozen terms."""

    public_id = serializers.UUIDField()
    room = RoomNamedOutput()
    time_open = Described(TIME)
    time_end = Described(TIME)
    participation_amount = Described(AMOUNT)
    prizes_num = Described(COUNT)
    game_set_prizes = PrizeOutput(many=True)
    participants_count = Described(COUNT)
    max_participants = Described(COUNT)
    total_amount = Described(AMOUNT)
    result_mode = Described(RESULT_MODE)
    score_order = Described({"type": "string", "enum": ["asc", "desc"]}, allow_null=True)
    multiplayer_game_round_id = Described(
        ID | {"description": "The number under which game clients send their rounds."}, allow_null=True
    )
    draw_commit = Described(HASH)
    draw_roster = Described(HASH, allow_null=True)
    can_join = serializers.BooleanField()


class StandingOutput(Output):
    """One rank: what it won, and how that was computed; ``score`` is there when scores decide."""

    rank = Described(RANK)
    join_id = Described(ID)
    public_id = serializers.UUIDField()
    user = UserBriefOutput()
    percent = Described(PERCENT)
    prize = Described(AMOUNT)
    tx_hash = Described(HASH, allow_null=True)
    score = Described(SCORE, allow_null=True, required=False)
    how = serializers.CharField()


class ResultsOutput(Output):
    """Standings and awards; no standings while the session is live or when it was called off."""

    session = SessionBriefOutput()
    result_mode = Described(RESULT_MODE)
    rule = serializers.CharField()
    rounding = serializers.CharField()
    outcome = Described({"type": "string", "enum": [*Outcome.Kind.values]}, allow_null=True)
    total_amount = Described(AMOUNT)
    game_set_prizes = PrizeOutput(many=True)
    standings = StandingOutput(many=True)


class ProofEntryOutput(Output):
    """An entry of the draw; its ticket, rank and prize are there when the session has ended."""

    id = serializers.UUIDField()
    ticket = Described(HASH, required=False)
    rank = Described(RANK, required=False, allow_null=True)
    prize_minor = Described(MINOR, required=False, allow_null=True)


class ProofOutput(Output):
    """The draw's public record at this moment."""

    version = serializers.CharField()
    session = serializers.UUIDField()
    status = Described({"type": "string", "enum": [*Session.Status.values]})
    result_mode = Described(RESULT_MODE)
    commit = Described(HASH)
    roster = Described(HASH, allow_null=True)
    beacon = serializers.CharField()
    entry_fee_minor = Described(MINOR)
    prize_shares_bp = serializers.ListField(child=Described({"type": "integer", "minimum": 1, "maximum": 10_000}))
    pool_minor = Described(MINOR)
    seed = Described(HASH, allow_null=True)
    key = Described(HASH, allow_null=True)
    entries = ProofEntryOutput(many=True)


class SubmittedResultOutput(Output):
    """The ranking that stands: participants' ids, best first."""

    session_id = Described(ID)
    ranking = serializers.ListField(child=Described(ID))
    submitted_at = Described(TIME)


class ScoreOutput(Output):
    """The score that counts so far."""

    session_id = Described(ID)
    score = Described(SCORE)
