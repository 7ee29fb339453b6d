"""The chat's operations as the OpenAPI document shows them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import exceptions, serializers

from chat.api import outputs
from chat.api import serializers as inputs
from chat.errors import (
    AlreadyInRoom,
    ContentTooLong,
    FieldInvalid,
    MessageNotFound,
    ParticipantNotFound,
    RoomAccessDenied,
    RoomFull,
    RoomInactive,
    RoomNotFound,
    UnauthorizedEdit,
    UserMuted,
)
from chat.models import USER_ID_LENGTH_MAX
from core.wire import chatapi
from core.wire.fields import ID_MAX
from core.wire.openapi import Refusals, documented, in_path, query, shape
from core.wire.outputs import Described, Output, Schema

ROOM_ID = "5f0c1f0e-3f57-4d0e-9d0c-5b9b7c1d2e3f"
MESSAGE_ID = "0195512c-7c1d-7e3f-9d0c-5b9b7c1d2e40"
CLIENT_ID = "9b7c1d2e-3f57-4d0e-9d0c-5f0c1f0e3f40"
TIME_SHOWN = "2026-03-01T12:00:41.250Z"

ROOM: dict[str, Any] = {
    "id": ROOM_ID,
    "name": "Lounge",
    "description": "",
    "client_id": CLIENT_ID,
    "is_active": True,
    "meta": {"max_participants": 50},
    "created_at": TIME_SHOWN,
    "updated_at": TIME_SHOWN,
    "participant_count": 2,
    "message_count": 1,
}
STATE = {name: ROOM[name] for name in outputs.ROOM_STATE.members}
MESSAGE: dict[str, Any] = {
    "id": MESSAGE_ID,
    "room_id": ROOM_ID,
    "client_id": CLIENT_ID,
    "sender_id": "ada",
    "sender_name": "Ada",
    "content": "Good game!",
    "message_type": "text",
    "meta": {},
    "created_at": TIME_SHOWN,
    "updated_at": TIME_SHOWN,
    "edited_at": None,
    "is_deleted": False,
    "seq": 1,
}
PARTICIPANT = {"user_id": "ada", "user_name": "Ada", "joined_at": TIME_SHOWN, "meta": {"role": "owner"}}
SANCTION = {"user_id": "bob", "kind": "mute", "reason": "spam", "created_at": TIME_SHOWN, "expires_at": None}

_USER: Schema = {"type": "string", "minLength": 1, "maxLength": USER_ID_LENGTH_MAX}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "string", "enum": ["true", "false"]}
_SEQ: Schema = {"type": "integer", "minimum": 0, "maximum": ID_MAX}
_WORDS: Schema = {"type": "string", "minLength": 1, "maxLength": inputs.SEARCH_LENGTH_MAX}
_MOMENT: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].*)?$",
}
_WHEN = "A time with its offset, or a day."
_LIST = "Values with commas between them, at most 100; the parameter may be repeated."

_IN_ROOM = in_path("room_id", outputs.UUID, "The room.", example=ROOM_ID)
_OF_MESSAGE = in_path("message_id", outputs.UUID, "The message.", example=MESSAGE_ID)
_ACTING = query("user_id", _USER, "Whom a tenant's key acts as, unless the body says it.")


def _paging(limit_max: int, limit_default: int) -> tuple[OpenApiParameter, ...]:
    skip: Schema = {"type": "integer", "minimum": 0, "maximum": chatapi.SKIP_MAX, "default": 0}
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": limit_max, "default": limit_default}
    return query("skip", skip, "How many rows to leave out."), query("limit", limit, "How many rows to answer.")


PAGING = _paging(chatapi.SkipPagination.limit_max, chatapi.SkipPagination.limit_default)
_PAGE = {"skip": 0, "limit": 50, "total": 1, "has_more": False}
_STATUS = Described({"type": "string", "enum": ["success"]})


class ChatPageOutput(serializers.Serializer[Any]):
    """Which part of a list this is; ``total`` counts up to 10,000."""

    skip = Described(outputs.COUNT)
    limit = Described({"type": "integer", "minimum": 1})
    total = Described(outputs.COUNT)
    has_more = serializers.BooleanField()


def _data(name: str, output: Output, message: str = "") -> type[serializers.Serializer[Any]]:
    """An answer with ``data``."""
    told = {"message": Described({"type": "string", "enum": [message]})} if message else {}
    return shape(name, data=output.serializer(), **told, status=_STATUS)


def _list(name: str, output: Output, *, always_paged: bool = True) -> type[serializers.Serializer[Any]]:
    return shape(
        name,
        data=output.serializer(many=True),
        pagination=ChatPageOutput(required=always_paged),
        status=_STATUS,
    )


def _said(name: str, message: str) -> type[serializers.Serializer[Any]]:
    """An answer that is a sentence."""
    return shape(name, message=Described({"type": "string", "enum": [message]}), status=_STATUS)


def _success(data: Any = ..., message: str = "", **more: Any) -> dict[str, Any]:
    body = {} if data is ... else {"data": data}
    return {**body, **more, **({"message": message} if message else {}), "status": "success"}


_UNREADABLE: Refusals = (
    exceptions.ParseError("The body is not valid JSON"),
    exceptions.UnsupportedMediaType("text/plain"),
)
_BODY: Refusals = (exceptions.ValidationError({"user_id": ["This field is required."]}),)
_QUERY: Refusals = (exceptions.ValidationError({"limit": ["A number from 1 to 100 is required."]}),)
_TENANTS_ONLY: Refusals = (RoomAccessDenied(),)

operation = partial(documented, style=chatapi.STYLE)


def _again(answer: type[serializers.Serializer[Any]], summary: str, example: Any) -> Mapping[int, OpenApiResponse]:
    return {200: OpenApiResponse(answer, summary, [OpenApiExample("the same again", example)])}


# --- Rooms -------------------------------------------------------------------------------------------------------

_ROOM_ANSWER = _data("ChatRoomAnswer", outputs.ROOM)

list_rooms = operation(
    "listChatRooms",
    tag="chat rooms",
    summary="The caller's rooms",
    parameters=[
        query("search", _WORDS, "A part of the name or the description."),
        query("is_active", _FLAG, "Open rooms only, or deactivated ones only."),
        query(
            "sort",
            {"type": "string", "enum": ["name", "created_at", "-created_at"], "default": "-created_at"},
            "The order.",
        ),
        *PAGING,
    ],
    answer=_list("ChatRoomsAnswer", outputs.ROOM),
    examples={"one room": _success([ROOM], pagination=_PAGE)},
    refusals=_QUERY,
)
create_room = operation(
    "createChatRoom",
    tag="chat rooms",
    summary="Make a room of the tenant",
    status=201,
    body=inputs.RoomCreation,
    bodies={"a room": {"name": "Lounge", "meta": {"max_participants": 50}}},
    answer=_ROOM_ANSWER,
    examples={"made": _success(ROOM | {"participant_count": 0, "message_count": 0})},
    refusals=[
        *_TENANTS_ONLY,
        exceptions.ValidationError({"name": ["This field is required."]}),
        FieldInvalid("invite_only must be true or false", field="meta"),
    ],
)
get_room = operation(
    "getChatRoom",
    tag="chat rooms",
    summary="One room",
    parameters=[_IN_ROOM],
    answer=_ROOM_ANSWER,
    examples={"a room": _success(ROOM)},
    refusals=[RoomNotFound()],
)
update_room = operation(
    "updateChatRoom",
    tag="chat rooms",
    summary="Change name, description or meta of a room",
    parameters=[_IN_ROOM],
    body=inputs.RoomChange,
    bodies={"another name": {"name": "Lounge"}},
    answer=_ROOM_ANSWER,
    examples={"changed": _success(ROOM)},
    refusals=[
        *_TENANTS_ONLY,
        RoomNotFound(),
        exceptions.ValidationError(["Give at least one of name, description and meta."]),
    ],
)
delete_room = operation(
    "deleteChatRoom",
    tag="chat rooms",
    summary="Delete a room with everything in it",
    parameters=[_IN_ROOM],
    answer=_said("ChatRoomDeletion", "Room deleted successfully"),
    examples={"deleted": _success(message="Room deleted successfully")},
    refusals=[*_TENANTS_ONLY, RoomNotFound()],
)
deactivate = operation(
    "deactivateChatRoom",
    tag="chat rooms",
    summary="Close a room for new messages and participants",
    parameters=[_IN_ROOM],
    answer=_data("ChatRoomDeactivation", outputs.ROOM_STATE, "Room deactivated successfully"),
    examples={"closed": _success(STATE | {"is_active": False}, "Room deactivated successfully")},
    refusals=[*_TENANTS_ONLY, RoomNotFound()],
)
activate = operation(
    "activateChatRoom",
    tag="chat rooms",
    summary="Open a deactivated room again",
    parameters=[_IN_ROOM],
    answer=_data("ChatRoomActivation", outputs.ROOM_STATE, "Room activated successfully"),
    examples={"open": _success(STATE, "Room activated successfully")},
    refusals=[*_TENANTS_ONLY, RoomNotFound()],
)
join = operation(
    "joinChatRoom",
    tag="chat rooms",
    summary="Add a user to a room",
    parameters=[_IN_ROOM],
    body=inputs.Joining,
    bodies={"a user": {"user_id": "ada", "user_name": "Ada"}},
    answer=_said("ChatJoining", "Successfully joined room"),
    examples={"joined": _success(message="Successfully joined room")},
    refusals=[*_TENANTS_ONLY, RoomNotFound(), AlreadyInRoom(), RoomInactive(), RoomFull(), *_BODY],
)
leave = operation(
    "leaveChatRoom",
    tag="chat rooms",
    summary="Take a user out of a room",
    parameters=[_IN_ROOM],
    body=inputs.Leaving,
    bodies={"a user": {"user_id": "ada"}},
    answer=_said("ChatLeaving", "Successfully left room"),
    examples={"left": _success(message="Successfully left room")},
    refusals=[*_TENANTS_ONLY, RoomNotFound(), ParticipantNotFound(), *_BODY],
)
participants = operation(
    "listChatParticipants",
    tag="chat rooms",
    summary="The participants of a room in the order of joining",
    parameters=[_IN_ROOM, *_paging(1_000, 1_000)],
    answer=_list("ChatParticipantsAnswer", outputs.PARTICIPANT, always_paged=False),
    examples={
        "all of them": _success([PARTICIPANT]),
        "a page": _success([PARTICIPANT], pagination={"skip": 0, "limit": 1, "total": 2, "has_more": True}),
    },
    refusals=[RoomNotFound(), *_QUERY],
)
online = operation(
    "listOnlineChatUsers",
    tag="chat rooms",
    summary="The users with a socket open in the room",
    parameters=[_IN_ROOM],
    answer=_data("ChatOnlineAnswer", outputs.ONLINE),
    examples={"one": _success({"online_users": ["ada"], "total_online": 1})},
    refusals=[RoomNotFound()],
)
ticket = operation(
    "issueChatTicket",
    tag="chat rooms",
    summary="A one-use ticket that opens a socket as this user within 30 seconds",
    status=201,
    parameters=[_IN_ROOM],
    body=inputs.TicketRequest,
    bodies={"by a tenant": {"user_id": "ada", "user_name": "Ada"}, "by a player": {}},
    answer=_data("ChatTicketAnswer", outputs.TICKET),
    examples={"a ticket": _success({"ticket": "ticket_3o2k…", "expires_in": 30})},
    refusals=[
        RoomNotFound(),
        RoomInactive(),
        RoomAccessDenied("The user is not a participant in this room"),
        *_BODY,
    ],
)

# --- Messages ----------------------------------------------------------------------------------------------------

_MESSAGE_ANSWER = _data("ChatMessageAnswer", outputs.MESSAGE)
_MESSAGES_ANSWER = _list("ChatMessagesAnswer", outputs.MESSAGE)
_NO_MEMBER = RoomAccessDenied("The sender is not a participant in this room")
_SPEAKING: Refusals = (
    RoomInactive(),
    UserMuted(expires_at=None),
    ContentTooLong(max_length=10_000, current_length=10_001),
)

list_messages = operation(
    "listChatMessages",
    tag="chat messages",
    summary="The messages of a room, newest first",
    parameters=[
        _IN_ROOM,
        query("sender_id", _USER, "Of this sender."),
        query("message_type", {"type": "string", "minLength": 1, "maxLength": 50}, "Of this type."),
        query("created_after", _MOMENT, _WHEN),
        query("created_before", _MOMENT, _WHEN),
        query("search", _WORDS, "With these words; quotes, `or` and `-` as in a web search."),
        query("include_deleted", _FLAG, "Deleted ones too, for the tenant and moderators."),
        query("sort", {"type": "string", "enum": ["created_at", "-created_at"]}, "The order."),
        query("after_seq", _SEQ, "Only later messages, oldest first."),
        query("before_seq", _SEQ, "Only earlier messages."),
        *PAGING,
    ],
    answer=_MESSAGES_ANSWER,
    examples={"one message": _success([MESSAGE], pagination=_PAGE)},
    refusals=[RoomNotFound(), *_QUERY],
)
post_message = operation(
    "postChatMessage",
    tag="chat messages",
    summary="Post a message",
    status=201,
    parameters=[_IN_ROOM],
    body=inputs.MessageCreation,
    bodies={
        "by a tenant": {"sender_id": "ada", "content": "Good game!", "client_msg_id": "c-1"},
        "by a player": {"content": "Good game!"},
    },
    answer=_MESSAGE_ANSWER,
    examples={"posted": _success(MESSAGE)},
    others=_again(_MESSAGE_ANSWER, "The message that the same client_msg_id posted before", _success(MESSAGE)),
    refusals=[
        RoomNotFound(),
        _NO_MEMBER,
        *_SPEAKING,
        exceptions.ValidationError({"content": ["This field is required."]}),
    ],
)
get_message = operation(
    "getChatMessage",
    tag="chat messages",
    summary="One message; a deleted one only for moderators",
    parameters=[_OF_MESSAGE],
    answer=_MESSAGE_ANSWER,
    examples={"a message": _success(MESSAGE)},
    refusals=[MessageNotFound()],
)
edit_message = operation(
    "editChatMessage",
    tag="chat messages",
    summary="Change a message, as its sender or a moderator",
    parameters=[_OF_MESSAGE, _ACTING],
    body=inputs.MessageChange,
    bodies={"another text": {"user_id": "ada", "content": "Good game, all!"}},
    answer=_MESSAGE_ANSWER,
    examples={"changed": _success(MESSAGE | {"content": "Good game, all!", "edited_at": TIME_SHOWN})},
    refusals=[
        MessageNotFound(),
        UnauthorizedEdit(),
        _NO_MEMBER,
        *_SPEAKING,
        exceptions.ValidationError(["Give content, meta or both."]),
    ],
)
delete_message = operation(
    "deleteChatMessage",
    tag="chat messages",
    summary="Take a message out of sight, as its sender or a moderator",
    parameters=[_OF_MESSAGE, _ACTING],
    answer=_said("ChatMessageDeletion", "Message deleted successfully"),
    examples={"deleted": _success(message="Message deleted successfully")},
    refusals=[MessageNotFound(), UnauthorizedEdit()],
)
restore_message = operation(
    "restoreChatMessage",
    tag="chat messages",
    summary="Bring a deleted message back",
    parameters=[_OF_MESSAGE, _ACTING],
    body=inputs.Acting,
    bodies={"by its sender": {"user_id": "ada"}, "by the tenant": {}},
    answer=_data("ChatMessageRestoration", outputs.RESTORED, "Message restored successfully"),
    examples={
        "restored": _success(
            {"id": MESSAGE_ID, "is_deleted": False, "updated_at": TIME_SHOWN}, "Message restored successfully"
        )
    },
    refusals=[MessageNotFound(), UnauthorizedEdit(), _NO_MEMBER, RoomInactive(), UserMuted(expires_at=None)],
)
_REPORTED = _said("ChatReport", "Message reported successfully")
report_message = operation(
    "reportChatMessage",
    tag="chat messages",
    summary="Tell the moderators about a message",
    status=201,
    parameters=[_OF_MESSAGE],
    body=inputs.Reporting,
    bodies={"by a tenant's user": {"user_id": "bob", "reason": "spam"}},
    answer=_REPORTED,
    examples={"reported": _success(message="Message reported successfully")},
    others=_again(_REPORTED, "Reported by this user before", _success(message="Message reported successfully")),
    refusals=[MessageNotFound(), RoomAccessDenied("The reporter is not a participant in this room"), *_BODY],
)
thread = operation(
    "getChatThread",
    tag="chat messages",
    summary="The thread of a message, oldest first",
    parameters=[_OF_MESSAGE, *PAGING],
    answer=_MESSAGES_ANSWER,
    examples={"one message": _success([MESSAGE], pagination=_PAGE)},
    refusals=[MessageNotFound(), *_QUERY],
)
thread_summary = operation(
    "getChatThreadSummary",
    tag="chat messages",
    summary="How large a thread is, who takes part, and its last message",
    parameters=[_OF_MESSAGE],
    answer=_data("ChatThreadSummaryAnswer", outputs.THREAD),
    examples={
        "a thread": _success(
            {
                "thread_id": MESSAGE_ID,
                "message_count": 1,
                "reply_count": 0,
                "participants": ["ada"],
                "first_message_at": TIME_SHOWN,
                "last_message_at": TIME_SHOWN,
                "last_message": MESSAGE,
            }
        )
    },
    refusals=[MessageNotFound()],
)
search = operation(
    "searchChatMessages",
    tag="chat messages",
    summary="Messages with the words in the caller's rooms, newest first",
    parameters=[
        query("q", _WORDS, "The words.", required=True, example="good game"),
        query("room_ids", _TEXT, _LIST),
        query("sender_ids", _TEXT, _LIST),
        query("message_types", _TEXT, _LIST),
        query("date_from", _MOMENT, _WHEN),
        query("date_to", _MOMENT, _WHEN),
        *PAGING,
    ],
    answer=_MESSAGES_ANSWER,
    examples={"one message": _success([MESSAGE], pagination=_PAGE)},
    refusals=[exceptions.ValidationError({"q": ["This field is required."]})],
)

# --- Moderation --------------------------------------------------------------------------------------------------


def _moderating(
    operation_id: str,
    summary: str,
    message: str,
    *,
    body: type[serializers.Serializer[Any]],
    sample: Mapping[str, Any],
    refusals: Sequence[Exception] = (),
    output: Output | None = None,
    data: Any = ...,
) -> Callable[[Any], Any]:
    name = f"{operation_id[0].upper()}{operation_id[1:]}Answer"
    return operation(
        operation_id,
        tag="chat moderation",
        summary=summary,
        parameters=[_IN_ROOM],
        body=body,
        bodies={"by a tenant": sample, "by a moderator": {**sample, "moderator_id": "ada"}},
        answer=_said(name, message) if output is None else _data(name, output, message),
        examples={"done": _success(data, message)},
        refusals=[RoomNotFound(), RoomAccessDenied(), *_BODY, *refusals],
    )


_TARGET = {"user_id": "bob"}
_TIMED = {"user_id": "bob", "reason": "spam", "duration_seconds": 600}

mute = _moderating(
    "muteChatUser",
    "Let a participant read but not write",
    "User muted successfully",
    body=inputs.Moderating,
    sample=_TIMED,
    refusals=[ParticipantNotFound()],
)
ban = _moderating(
    "banChatUser",
    "Put a user out and keep it out",
    "User banned successfully",
    body=inputs.Moderating,
    sample=_TIMED,
)
kick = _moderating(
    "kickChatUser",
    "Put a participant out; it may join again",
    "User kicked successfully",
    body=inputs.ModeratingOnce,
    sample={"user_id": "bob", "reason": "spam"},
    refusals=[ParticipantNotFound()],
)
unmute = _moderating(
    "unmuteChatUser",
    "End a mute before its time",
    "Done",
    body=inputs.ModeratingOnce,
    sample=_TARGET,
    output=outputs.LIFTED,
    data={"lifted": True},
)
unban = _moderating(
    "unbanChatUser",
    "End a ban before its time",
    "Done",
    body=inputs.ModeratingOnce,
    sample=_TARGET,
    output=outputs.LIFTED,
    data={"lifted": True},
)
sanctions = operation(
    "listChatSanctions",
    tag="chat moderation",
    summary="The mutes and bans in force, newest first; for moderators",
    parameters=[_IN_ROOM, *PAGING],
    answer=_list("ChatSanctionsAnswer", outputs.SANCTION),
    examples={"one mute": _success([SANCTION], pagination=_PAGE)},
    refusals=[RoomNotFound(), RoomAccessDenied(), *_QUERY],
)
