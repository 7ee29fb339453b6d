"""Refusals of rooms. Sentences are the contract's where it gives one (contract: rooms, "join, refusals")."""

from django.utils.translation import gettext_noop as _

from core.errors import Conflict, Forbidden, Invalid, NotFound


class RoomNotFound(NotFound):
    """No such room, a deleted one, or another master's."""

    code = "ROOM_NOT_FOUND"
    default_message = _("Game room not found")


class GameNotFound(NotFound):
    """No such game, or it is not active."""

    code = "GAME_NOT_FOUND"
    default_message = _("Game list not found")


class SessionNotFound(NotFound):
    """No such session, or it belongs to another room."""

    code = "SESSION_NOT_FOUND"
    default_message = _("Game session not found")


class NotMaster(Forbidden):
    """Only masters and staff manage rooms."""

    code = "NOT_MASTER"
    default_message = _("User is not master")


class RoomInvalid(Invalid):
    """The terms of a room break a rule; the message says which."""

    code = "ROOM_INVALID"


class RoomNameTaken(Conflict):
    """Another room has this name, or will get it."""

    code = "ROOM_NAME_TAKEN"
    default_message = _("Game room name already exists")


class DefaultSymbolMissing(Invalid):
    """A name must be generated but DEFAULT_SYMBOL_GAME_ROOM is not set: the operator's mistake, not the caller's."""

    code = "DEFAULT_SYMBOL_MISSING"
    default_message = _("Default symbol not found")


class AlreadyJoined(Conflict):
    """The player has a paid place in this session."""

    code = "ALREADY_JOINED"
    default_message = _("You have already joined this room")


class NotJoined(Conflict):
    """The player has no paid place in this session."""

    code = "NOT_JOINED"
    default_message = _("You have not joined this session")


class WalletNotConnected(Invalid):
    """The player has no wallet address yet."""

    code = "WALLET_NOT_CONNECTED"
    default_message = _("Wallet not connected")


class SessionNotOpenYet(Invalid):
    """The join window has not begun."""

    code = "SESSION_NOT_OPEN_YET"
    default_message = _("Session has not started yet. Please wait for the session to begin.")


class JoinWindowClosed(Invalid):
    """The join window is over."""

    code = "JOIN_WINDOW_CLOSED"
    default_message = _("Session has already started for more than 3 minutes. You cannot join now.")


class LeaveWindowClosed(Invalid):
    """The session is not pending any more: the entry stands."""

    code = "LEAVE_WINDOW_CLOSED"
    default_message = _("Session has already started. You cannot leave now.")


class SessionFull(Invalid):
    """Every seat is taken."""

    code = "SESSION_FULL"
    default_message = _("Session has reached the maximum number of participants.")


class WrongAmount(Invalid):
    """The amount is not the session's entry fee; ``details["entry_fee"]`` is, as text with all its decimals."""

    code = "WRONG_AMOUNT"


class TransitionRefused(Conflict):
    """The session's state does not allow the wanted one."""

    code = "TRANSITION_REFUSED"
    default_message = _("The session is not in a state that allows this")


class ProofNotReady(Conflict):
    """The seed is published when the session has ended."""

    code = "PROOF_NOT_READY"
    default_message = _("The draw proof is published when the session has ended")


class ResultInvalid(Invalid):
    """The posted ranking is not one of the session's entries; the message says why."""

    code = "RESULT_INVALID"


class ResultRefused(Conflict):
    """The session does not take a result: it is not running, its deadline is over, or its game decides otherwise."""

    code = "RESULT_REFUSED"


class ResultDiffers(Conflict):
    """Another ranking was posted before; the first stands."""

    code = "RESULT_DIFFERS"
    default_message = _("Another result was submitted for this session already")


class ScoreRefused(Conflict):
    """The session does not take this player's score; the message says why."""

    code = "SCORE_REFUSED"


class SessionNotOut(Invalid):
    """Only a session that was called off has refunds."""

    code = "SESSION_NOT_OUT"
    default_message = _("Session is not out, there is nothing to refund")


class JoinerNotFound(NotFound):
    """No such participation."""

    code = "JOINER_NOT_FOUND"
    default_message = _("Joiner not found")


class NotQuarantined(Conflict):
    """The session is not in quarantine."""

    code = "NOT_QUARANTINED"
    default_message = _("The session is not set aside")
