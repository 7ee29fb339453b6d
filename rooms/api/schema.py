"""The room, participation and session operations as the OpenAPI document shows them (contract: rooms)."""

from typing import Any

from rest_framework import exceptions

from core.wire.openapi import (
    ID,
    PAGE_REFUSED,
    PAGING,
    PaginationOutput,
    Refusals,
    documented,
    envelope,
    in_path,
    query,
    shape,
)
from core.wire.outputs import Described, Output
from payments.errors import InsufficientFunds
from rooms import errors
from rooms.api import examples, outputs
from rooms.api.filters import HOST_LENGTH_MAX
from rooms.api.serializers import CreateRoomInput, EditRoomInput, JoinInput, LeaveInput, ResultInput, ScoreInput
from rooms.errors import RoomInvalid
from rounds.standings import InvalidScore


def _required(name: str, example: int) -> tuple[Any, Any]:
    refusal = exceptions.ValidationError({name: ["This field is required."]})
    return query(name, ID, required=True, example=example), refusal


def _answer(name: str, message: str, output: Output, **told: Any) -> dict[str, Any]:
    """An envelope of one object and its examples: the data of each by a name for people."""
    return {
        "answer": envelope(name, message, data=output.serializer()),
        "examples": {title.replace("_", " "): {"message": message, "data": data} for title, data in told.items()},
    }


def _page(name: str, message: str, output: Output, **told: Any) -> dict[str, Any]:
    """An envelope of a page of objects, and its example: a page of one."""
    return {
        "answer": envelope(name, message, data=output.serializer(many=True), paginated=True),
        "examples": {
            title.replace("_", " "): {"message": message, "data": [data], "pagination": examples.PAGINATION}
            for title, data in told.items()
        },
    }


ROOM_ID, ROOM_ID_REFUSED = _required("room_id", 12)
SESSION_ID, SESSION_ID_REFUSED = _required("session_id", 52)
JOIN_ID, JOIN_ID_REFUSED = _required("join_id", 301)
OWN_ROOM_ID, OWN_ROOM_ID_REFUSED = _required("id", 12)
SESSION_IN_PATH = in_path("session_id", ID, example=53)
PARTICIPATION_QUERY = (query("session_id", ID, example=53), query("room_id", ID, example=12), *PAGING)

# --- Rooms --------------------------------------------------------------------------------------------------------

LISTED = "Game rooms fetched successfully"
list_rooms = documented(
    "listRooms",
    tag="rooms",
    summary="Rooms, newest first",
    parameters=[
        query("room_id", ID, example=12),
        query("host_id", ID, example=7),
        query("game_type_id", ID, example=3),
        query(
            "host",
            {"type": "string", "maxLength": HOST_LENGTH_MAX, "description": "Part of the owner's username."},
            example="binh",
        ),
        *PAGING,
    ],
    **_page("RoomsAnswer", LISTED, outputs.ROOM, one_room=examples.ROOM),
    refusals=[PAGE_REFUSED],
)

CREATED = "Game room created successfully"
create_room = documented(
    "createRoom",
    tag="rooms",
    summary="Make a room and open its first session (masters and staff)",
    body=CreateRoomInput,
    bodies={"three prizes, a generated name": examples.CREATE_ROOM},
    **_answer("CreateRoomAnswer", CREATED, outputs.ROOM_NAMED, created=examples.ROOM_NAMED),
    refusals=[
        RoomInvalid("Game room participation amount and prizes number are required"),
        RoomInvalid("Game room prizes number must be equal to the number of prizes"),
        RoomInvalid("Game room participation amount must not be greater than 100"),
        RoomInvalid("Total percent of prizes must equal 100, but is 90"),
        errors.NotMaster,
        errors.GameNotFound,
        errors.RoomNameTaken,
        errors.DefaultSymbolMissing,
    ],
)

EDITED = "Game room updated successfully"
edit_room = documented(
    "editRoom",
    tag="rooms",
    summary="Change a room; a live session keeps its terms",
    parameters=[OWN_ROOM_ID],
    body=EditRoomInput,
    bodies={"the flat form": examples.EDIT_FLAT, "the nested form": examples.EDIT_NESTED},
    **_answer(
        "EditRoomAnswer",
        EDITED,
        outputs.ROOM_EDITED,
        waits_for_the_session_to_be_over=examples.ROOM_NAMED | {"applied": False},
        in_force={"id": 12, "name": "Lantern night", "applied": True},
    ),
    refusals=[
        OWN_ROOM_ID_REFUSED,
        RoomInvalid("Nothing to update"),
        errors.NotMaster,
        errors.RoomNotFound,
        errors.RoomNameTaken,
    ],
)

DELETED = "Game room deleted successfully"
delete_room = documented(
    "deleteRoom",
    tag="rooms",
    summary="Delete a room; a live session finishes as it would",
    parameters=[OWN_ROOM_ID],
    answer=envelope("DeleteRoomAnswer", DELETED),
    examples={"deleted": {"message": DELETED}},
    refusals=[OWN_ROOM_ID_REFUSED, errors.NotMaster, errors.RoomNotFound],
)

DETAILED = "Game room details fetched successfully"
get_room = documented(
    "getRoom",
    tag="rooms",
    summary="One room with its prizes and the joiners of its current session",
    parameters=[ROOM_ID],
    **_answer("RoomAnswer", DETAILED, outputs.ROOM_DETAIL, **{"a room, as its master sees it": examples.ROOM_DETAIL}),
    refusals=[ROOM_ID_REFUSED, errors.RoomNotFound],
)

TICKET = "Ticket issued successfully"
issue_ticket = documented(
    "issueStreamTicket",
    tag="rooms",
    summary="A one-use ticket for a browser to open a room's stream or the lobby with",
    status=201,
    **_answer("TicketAnswer", TICKET, outputs.TICKET, a_ticket=examples.TICKET),
)

# --- Participation ------------------------------------------------------------------------------------------------

FETCHED = "Game join room fetched successfully"
PARTICIPATIONS: dict[str, Any] = {
    "tag": "participation",
    "parameters": PARTICIPATION_QUERY,
    **_page("ParticipationsAnswer", FETCHED, outputs.PARTICIPATION, one_place=examples.PARTICIPATION),
    "refusals": [PAGE_REFUSED],
}
list_participations = documented("listParticipations", summary="Participations, newest first", **PARTICIPATIONS)
list_by_room = documented(
    "listParticipationsByRoom", summary="Participations of a room or of one of its sessions", **PARTICIPATIONS
)
list_own = documented(
    "listOwnParticipations", summary="The caller's place in its newest session per room", **PARTICIPATIONS
)

JOINED = "Successfully joined game room"
join = documented(
    "joinSession",
    tag="participation",
    summary="Pay the entry fee and take a seat",
    status=201,
    body=JoinInput,
    bodies={"the entry fee": examples.JOIN},
    idempotent=True,
    **_answer("JoinAnswer", JOINED, outputs.JOINED, joined=examples.JOINED),
    refusals=[
        errors.RoomNotFound,
        errors.SessionNotFound,
        errors.AlreadyJoined,
        errors.SessionNotOpenYet,
        errors.JoinWindowClosed,
        errors.SessionFull,
        errors.WrongAmount("Amount must equal the participation amount of this session (10.50)"),
        errors.WalletNotConnected,
        InsufficientFunds,
    ],
)

LEFT = "Successfully left game room"
leave = documented(
    "leaveSession",
    tag="participation",
    summary="Give a place back while the session is pending",
    body=LeaveInput,
    bodies={"a session": {"session_id": 53}},
    idempotent=True,
    **_answer("LeaveAnswer", LEFT, outputs.LEFT, left=examples.LEFT),
    refusals=[errors.SessionNotFound, errors.NotJoined, errors.LeaveWindowClosed],
)

list_joiners = documented(
    "listJoiners",
    tag="participation",
    summary="Who is in a session, given by itself or as its room's newest one",
    parameters=PARTICIPATION_QUERY,
    answer=shape(
        "JoinersAnswer",
        data=outputs.JOINER.serializer(many=True),
        totalAmount=Described(outputs.AMOUNT),
        currentSession=outputs.JOINERS_SESSION.serializer(allow_null=True),
        pagination=PaginationOutput(),
    ),
    examples={"one joiner": examples.JOINERS},
    refusals=[PAGE_REFUSED, errors.SessionNotFound],
)

get_joiner = documented(
    "getJoiner",
    tag="participation",
    summary="One participation in detail",
    parameters=[JOIN_ID],
    answer=outputs.JOINER_ANSWER.serializer,
    examples={"a joiner": examples.JOINER},
    refusals=[JOIN_ID_REFUSED, errors.JoinerNotFound],
)

list_expired = documented(
    "listExpiredSessions",
    tag="participation",
    summary="Sessions that were called off, each with who was in it",
    parameters=PAGING,
    answer=shape("ExpiredSessionsAnswer", data=outputs.EXPIRED.serializer(many=True), pagination=PaginationOutput()),
    examples={"one session": {"data": [examples.EXPIRED], "pagination": examples.PAGINATION}},
    refusals=[PAGE_REFUSED],
)

REFUNDED = "Joiners refund data retrieved successfully"
list_refunded = documented(
    "listRefundedJoiners",
    tag="participation",
    summary="Who was refunded by a session",
    parameters=[SESSION_ID, *PAGING],
    **_page("RefundedAnswer", REFUNDED, outputs.REFUNDED, one_player=examples.REFUNDED),
    refusals=[SESSION_ID_REFUSED, PAGE_REFUSED, errors.SessionNotFound("Session not found")],
)

PROCESSED = "Expired session refund processed successfully"
process_refund = documented(
    "processRefund",
    tag="participation",
    summary="The record of a called-off session's refunds (the room's master and staff)",
    parameters=[SESSION_ID],
    idempotent=True,
    **_answer("ProcessRefundAnswer", PROCESSED, outputs.REFUND, one_refund=examples.REFUND),
    refusals=[
        SESSION_ID_REFUSED,
        errors.SessionNotOut,
        errors.NotMaster,
        errors.SessionNotFound("Session not found"),
    ],
)

AVAILABLE, NOT_YET = "New session is available", "No new session available yet"
NONE = "No session found for this room"
check_new_session = documented(
    "checkNewSession",
    tag="participation",
    summary="Whether the room has a session to join",
    parameters=[ROOM_ID],
    answer=envelope("NewSessionAnswer", AVAILABLE, NOT_YET, NONE, data=outputs.NEW_SESSION.serializer()),
    examples={
        "joinable": {"message": AVAILABLE, "data": examples.NEW_SESSION},
        "running": {"message": NOT_YET, "data": examples.WAITING},
        "none yet": {"message": NONE, "data": examples.NO_SESSION},
    },
    refusals=[ROOM_ID_REFUSED, errors.RoomNotFound],
)

# --- Sessions -----------------------------------------------------------------------------------------------------

SESSION_REFUSALS: Refusals = [errors.SessionNotFound, exceptions.NotFound("Not found")]

FOUND = "Game session fetched successfully"
get_session = documented(
    "getSession",
    tag="sessions",
    summary="One session with its frozen terms",
    parameters=[SESSION_IN_PATH],
    **_answer("SessionAnswer", FOUND, outputs.SESSION_DETAIL, pending=examples.SESSION_DETAIL),
    refusals=SESSION_REFUSALS,
)

RESULTS = "Game session results fetched successfully"
get_results = documented(
    "getResults",
    tag="sessions",
    summary="Standings and awards with rule and arithmetic",
    parameters=[SESSION_IN_PATH],
    **_answer("ResultsAnswer", RESULTS, outputs.RESULTS, ended=examples.RESULTS),
    refusals=SESSION_REFUSALS,
)

PROVED = "Game session proof fetched successfully"
get_proof = documented(
    "getProof",
    tag="sessions",
    summary="The draw's public record at this moment",
    parameters=[SESSION_IN_PATH],
    **_answer("ProofAnswer", PROVED, outputs.PROOF, ended=examples.PROOF),
    refusals=SESSION_REFUSALS,
)

SUBMITTED = "Game session result submitted successfully"
submit_result = documented(
    "submitResult",
    tag="sessions",
    summary="The ranking of a running session, posted once by its game's server and signed",
    status=201,
    parameters=[SESSION_IN_PATH],
    body=ResultInput,
    bodies={"best first": {"ranking": examples.SUBMITTED["ranking"]}},
    **_answer("SubmitResultAnswer", SUBMITTED, outputs.SUBMITTED, kept=examples.SUBMITTED),
    refusals=[
        *SESSION_REFUSALS,
        errors.ResultInvalid("The ranking must name every participant of the session exactly once"),
        errors.ResultRefused("Results are taken while the session is running"),
        errors.ResultDiffers,
    ],
)

SCORED = "Score submitted successfully"
submit_score = documented(
    "submitScore",
    tag="sessions",
    summary="The caller's own score in a running session that scores decide; the last one counts",
    parameters=[SESSION_IN_PATH],
    body=ScoreInput,
    bodies={"a score": {"score": 1280.5}},
    **_answer("SubmitScoreAnswer", SCORED, outputs.SCORED, kept={"session_id": 53, "score": 1280.5}),
    refusals=[
        *SESSION_REFUSALS,
        InvalidScore,
        errors.ScoreRefused("You have not joined this session"),
        errors.ScoreRefused("Scores are taken while the session is running"),
    ],
)
