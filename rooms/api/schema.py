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
from core.wire.outputs import Described
from payments.errors import InsufficientFunds
from rooms import errors
from rooms.api import examples, outputs, shapes
from rooms.api.filters import HOST_LENGTH_MAX
from rooms.api.serializers import CreateRoomInput, EditRoomInput, JoinInput, LeaveInput, ResultInput, ScoreInput
from rooms.errors import RoomInvalid
from rounds.standings import InvalidScore


def _required(name: str, example: int) -> tuple[Any, Any]:
    refusal = exceptions.ValidationError({name: ["This field is required."]})
    return query(name, ID, required=True, example=example), refusal


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
    answer=envelope("RoomsAnswer", LISTED, data=outputs.RoomOutput(many=True), paginated=True),
    examples={"one room": {"message": LISTED, "data": [examples.ROOM], "pagination": examples.PAGINATION}},
    refusals=[PAGE_REFUSED],
)

create_room = documented(
    "createRoom",
    tag="rooms",
    summary="Make a room and open its first session (masters and staff)",
    body=CreateRoomInput,
    bodies={"three prizes, a generated name": examples.CREATE_ROOM},
    answer=envelope("CreateRoomAnswer", "Game room created successfully", data=outputs.RoomNamedOutput()),
    examples={
        "created": {"message": "Game room created successfully", "data": {"id": 12, "name": examples.ROOM["name"]}}
    },
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
    answer=envelope("EditRoomAnswer", EDITED, data=outputs.RoomEditedOutput()),
    examples={
        "waits for the session to be over": {
            "message": EDITED,
            "data": {"id": 12, "name": examples.ROOM["name"], "applied": False},
        },
        "in force": {"message": EDITED, "data": {"id": 12, "name": "Lantern night", "applied": True}},
    },
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
    answer=envelope("RoomAnswer", DETAILED, data=outputs.RoomDetailOutput()),
    examples={"a room, as its master sees it": {"message": DETAILED, "data": examples.ROOM_DETAIL}},
    refusals=[ROOM_ID_REFUSED, errors.RoomNotFound],
)

TICKET = "Ticket issued successfully"
issue_ticket = documented(
    "issueStreamTicket",
    tag="rooms",
    summary="A one-use ticket for a browser to open a room's stream or the lobby with",
    status=201,
    answer=envelope("TicketAnswer", TICKET, data=outputs.TicketOutput()),
    examples={"a ticket": {"message": TICKET, "data": examples.TICKET}},
)

# --- Participation ------------------------------------------------------------------------------------------------

FETCHED = "Game join room fetched successfully"
PARTICIPATIONS = envelope("ParticipationsAnswer", FETCHED, data=outputs.ParticipationOutput(many=True), paginated=True)
ONE_PARTICIPATION = {
    "one place": {"message": FETCHED, "data": [examples.PARTICIPATION], "pagination": examples.PAGINATION}
}

list_participations = documented(
    "listParticipations",
    tag="participation",
    summary="Participations, newest first",
    parameters=PARTICIPATION_QUERY,
    answer=PARTICIPATIONS,
    examples=ONE_PARTICIPATION,
    refusals=[PAGE_REFUSED],
)

list_by_room = documented(
    "listParticipationsByRoom",
    tag="participation",
    summary="Participations of a room or of one of its sessions",
    parameters=PARTICIPATION_QUERY,
    answer=PARTICIPATIONS,
    examples=ONE_PARTICIPATION,
    refusals=[PAGE_REFUSED],
)

list_own = documented(
    "listOwnParticipations",
    tag="participation",
    summary="The caller's place in its newest session per room",
    parameters=PARTICIPATION_QUERY,
    answer=PARTICIPATIONS,
    examples=ONE_PARTICIPATION,
    refusals=[PAGE_REFUSED],
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
    answer=envelope("JoinAnswer", JOINED, data=outputs.JoinedOutput()),
    examples={"joined": {"message": JOINED, "data": examples.JOINED}},
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
    answer=envelope("LeaveAnswer", LEFT, data=outputs.LeftOutput()),
    examples={"left": {"message": LEFT, "data": examples.LEFT}},
    refusals=[errors.SessionNotFound, errors.NotJoined, errors.LeaveWindowClosed],
)

list_joiners = documented(
    "listJoiners",
    tag="participation",
    summary="Who is in a session, given by itself or as its room's newest one",
    parameters=PARTICIPATION_QUERY,
    answer=shape(
        "JoinersAnswer",
        data=outputs.JoinerOutput(many=True),
        totalAmount=Described(outputs.AMOUNT),
        currentSession=outputs.JoinersSessionOutput(allow_null=True),
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
    answer=type("JoinerAnswer", (outputs.JoinerFlatOutput,), {"data": outputs.JoinerDetailOutput()}),
    examples={"a joiner": examples.JOINER},
    refusals=[JOIN_ID_REFUSED, errors.JoinerNotFound],
)

list_expired = documented(
    "listExpiredSessions",
    tag="participation",
    summary="Sessions that were called off, each with who was in it",
    parameters=PAGING,
    answer=shape("ExpiredSessionsAnswer", data=outputs.ExpiredSessionOutput(many=True), pagination=PaginationOutput()),
    examples={"one session": {"data": [examples.EXPIRED], "pagination": examples.PAGINATION}},
    refusals=[PAGE_REFUSED],
)

REFUNDED = "Joiners refund data retrieved successfully"
list_refunded = documented(
    "listRefundedJoiners",
    tag="participation",
    summary="Who was refunded by a session",
    parameters=[SESSION_ID, *PAGING],
    answer=envelope("RefundedAnswer", REFUNDED, data=outputs.RefundedOutput(many=True), paginated=True),
    examples={
        "one player": {"message": REFUNDED, "data": [examples.REFUNDED], "pagination": examples.PAGINATION},
    },
    refusals=[SESSION_ID_REFUSED, PAGE_REFUSED, errors.SessionNotFound("Session not found")],
)

PROCESSED = "Expired session refund processed successfully"
process_refund = documented(
    "processRefund",
    tag="participation",
    summary="The record of a called-off session's refunds (the room's master and staff)",
    parameters=[SESSION_ID],
    idempotent=True,
    answer=envelope("ProcessRefundAnswer", PROCESSED, data=outputs.RefundOutput()),
    examples={"one refund": {"message": PROCESSED, "data": examples.REFUND}},
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
    answer=envelope("NewSessionAnswer", AVAILABLE, NOT_YET, NONE, data=outputs.NewSessionOutput()),
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
    answer=envelope("SessionAnswer", FOUND, data=outputs.SessionDetailOutput()),
    examples={"pending": {"message": FOUND, "data": examples.SESSION_DETAIL}},
    refusals=SESSION_REFUSALS,
)

RESULTS = "Game session results fetched successfully"
get_results = documented(
    "getResults",
    tag="sessions",
    summary="Standings and awards with rule and arithmetic",
    parameters=[SESSION_IN_PATH],
    answer=envelope("ResultsAnswer", RESULTS, data=outputs.ResultsOutput()),
    examples={
        "ended": {
            "message": RESULTS,
            "data": {
                "session": examples.SESSION | {"status": "end"},
                "result_mode": "draw",
                "rule": shapes.RULES["draw"],
                "rounding": shapes.ROUNDING,
                "outcome": "settled",
                "total_amount": 31.5,
                "game_set_prizes": examples.PRIZES,
                "standings": examples.STANDINGS,
            },
        }
    },
    refusals=SESSION_REFUSALS,
)

PROVED = "Game session proof fetched successfully"
get_proof = documented(
    "getProof",
    tag="sessions",
    summary="The draw's public record at this moment",
    parameters=[SESSION_IN_PATH],
    answer=envelope("ProofAnswer", PROVED, data=outputs.ProofOutput()),
    examples={"ended": {"message": PROVED, "data": examples.PROOF}},
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
    answer=envelope("SubmitResultAnswer", SUBMITTED, data=outputs.SubmittedResultOutput()),
    examples={"kept": {"message": SUBMITTED, "data": examples.SUBMITTED}},
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
    answer=envelope("SubmitScoreAnswer", SCORED, data=outputs.ScoreOutput()),
    examples={"kept": {"message": SCORED, "data": {"session_id": 53, "score": 1280.5}}},
    refusals=[
        *SESSION_REFUSALS,
        InvalidScore,
        errors.ScoreRefused("You have not joined this session"),
        errors.ScoreRefused("Scores are taken while the session is running"),
    ],
)
