"""What the chat refuses; codes and sentences are the contract's (chat, "Statuses the source leaves open")."""

from django.utils.translation import gettext_noop as _

from core.errors import Conflict, Forbidden, Invalid, NotFound


class RoomNotFound(NotFound):
    """No such room, or it belongs to somebody else."""

    code = "ROOM_NOT_FOUND"
    default_message = _("Room not found")


class MessageNotFound(NotFound):
    """No such message, one of another's room, or a deleted one for whom may not see those."""

    code = "MESSAGE_NOT_FOUND"
    default_message = _("Message not found")


class ParticipantNotFound(NotFound):
    """The user is not in the room."""

    code = "PARTICIPANT_NOT_FOUND"
    default_message = _("User is not a participant in this room")


class RoomAccessDenied(Forbidden):
    """The user may not be, or do this, in the room."""

    code = "ROOM_ACCESS_DENIED"
    default_message = _("You don't have permission to access this room")


class UserMuted(Forbidden):
    """A moderator muted the user; ``details["expires_at"]`` says until when (``None``: until lifted)."""

    code = "USER_MUTED"
    default_message = _("You are muted in this room")


class UnauthorizedEdit(Forbidden):
    """Only the sender and moderators change a message."""

    code = "UNAUTHORIZED_EDIT"
    default_message = _("You can only edit your own messages")


class RoomInactive(Conflict):
    """The room is deactivated: its history stays, nothing is added."""

    code = "ROOM_INACTIVE"
    default_message = _("Room is deactivated and cannot receive new messages")


class AlreadyInRoom(Conflict):
    """The user is in the room already."""

    code = "ALREADY_IN_ROOM"
    default_message = _("User is already a participant in this room")


class RoomFull(Conflict):
    """``meta.max_participants`` is reached."""

    code = "ROOM_FULL"
    default_message = _("Room has reached its maximum number of participants")


class ContentTooLong(Invalid):
    """The content has more than the allowed characters."""

    code = "CONTENT_TOO_LONG"
    default_message = _("Message content exceeds maximum length")


class FieldInvalid(Invalid):
    """A value breaks a rule that only the domain can check; ``details["field"]`` names it."""

    code = "VALIDATION_ERROR"
    default_message = _("Invalid value")
