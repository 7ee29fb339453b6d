"""Refusals of the books."""

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _

from core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class InsufficientFunds(Invalid):
    """An account would go below zero. Nothing was moved."""

    code = "INSUFFICIENT_FUNDS"
    default_message = _("Insufficient balance")


class TokenNotFound(NotFound):
    """No token has this symbol."""

    code = "TOKEN_NOT_FOUND"
    default_message = _("Token not found")


class RequestKeyReused(Conflict):
    """The caller's key stands for another adjustment already."""

    code = "IDEMPOTENCY_KEY_REUSED"
    default_message = _("This idempotency key was used for another request")


class NotAllowedToAdjust(Forbidden):
    """Creating and destroying tokens needs the permission for it."""

    code = "NOT_ALLOWED_TO_ADJUST"
    default_message = _("Only staff with the permission to adjust wallets may do this")


class ApprovalNeeded(Forbidden):
    """The day's sum is above what one person may move alone, or one wallet may be moved by."""

    code = "APPROVAL_NEEDED"
    default_message = _(
        "Above %(amount)s %(symbol)s in 24 hours, by one person or for one wallet, adjustments take two people: ask in"
        " the back-office, and a colleague approves it"
    )


class ApprovalRefused(Forbidden):
    """You cannot approve your own request."""

    code = "APPROVAL_REFUSED"
    default_message = _("You asked for this adjustment: a colleague has to approve it")


class OwnWallet(Forbidden):
    """Staff neither adjust their own wallets nor ask for it or decide on it."""

    code = "OWN_WALLET"
    default_message = _("This is your own wallet: a colleague has to do it")


class AdjustmentRequestNotFound(NotFound):
    """No such request."""

    code = "ADJUSTMENT_REQUEST_NOT_FOUND"
    default_message = _("Adjustment request not found")


class AdjustmentDecided(Conflict):
    """The request was approved or rejected before."""

    code = "ADJUSTMENT_DECIDED"
    default_message = _("This request was decided already")


class TokenFrozen(Unavailable):
    """Payments in the token are frozen until staff release it. Nothing was moved."""

    code = "TOKEN_FROZEN"
    default_message = _("Payments in this token are temporarily unavailable, please try again later")


class TokenNotFrozen(Conflict):
    """The token is not frozen."""

    code = "TOKEN_NOT_FROZEN"
    default_message = _("The token is not frozen")


class BooksStillWrong(Conflict):
    """A token is released when its books are right again."""

    code = "BOOKS_STILL_WRONG"
    default_message = _("The books of this token are still wrong")


class PotNotFound(NotFound):
    """The game has no pot of this number."""

    code = "ROOM_NOT_FOUND"
    default_message = _("Room not found")


class PotOver(Conflict):
    """The pot was ended or closed."""

    code = "ROOM_ENDED"
    default_message = _("Room has ended")


class PotExpired(Conflict):
    """The pot's deadline is past: no more joining or paying."""

    code = "ROOM_EXPIRED"
    default_message = _("Room has expired")


class PotNotExpired(Conflict):
    """Only an expired pot can be closed."""

    code = "ROOM_NOT_EXPIRED"
    default_message = _("Room has not expired yet")


class PotNotEmpty(Conflict):
    """Only an empty pot can be ended."""

    code = "ROOM_NOT_EMPTY"
    default_message = _("Room is not empty")


class PotFull(Conflict):
    """The pot has too few seats for these players."""

    code = "ROOM_FULL"
    default_message = _("Room is full")


class PotShort(Invalid):
    """The pot holds less than the payment. Nothing was moved."""

    code = "INSUFFICIENT_ROOM_BALANCE"
    default_message = _("Insufficient room balance")


class GameOwnerMissing(Conflict):
    """The game has no owner to receive what an expired pot holds."""

    code = "GAME_OWNER_MISSING"
    default_message = _("The game has no owner to receive the rest")


class PlayersRefused(Invalid):
    """The rule refuses some of the players; ``params["sentences"]`` has one sentence for each of them."""

    sentence = "Player refused"

    def __init__(self, plyr_ids: Sequence[str]) -> None:
        sentences = [f"{self.sentence}: {plyr_id}" for plyr_id in plyr_ids]
        super().__init__("%(players)s", players=", ".join(sentences), sentences=sentences)


class NotInPot(PlayersRefused):
    """Players who pay or leave must be in the pot; players who earn must be or have been."""

    code = "PLAYER_NOT_JOINED"
    sentence = "Player is not joined"


class AllowanceExceeded(PlayersRefused):
    """The player has not allowed the game to take so much."""

    code = "INSUFFICIENT_ALLOWANCE"
    sentence = "Insufficient allowance"


class PlayersShort(PlayersRefused):
    """A player's wallet holds less than is to be paid. Nothing was moved."""

    code = "INSUFFICIENT_FUNDS"
    sentence = "Insufficient balance"


class PlayerNotFound(NotFound):
    """No player has this plyrId."""

    code = "USER_NOT_FOUND"
    default_message = _("User not found")


class PlyrIdTaken(Conflict):
    """The plyrId, or the user it would belong to, is taken."""

    code = "PLYR_ID_TAKEN"
    default_message = _("PLYR[ID] already exists")


class InvalidPlyrId(Invalid):
    """5 to 64 of a-z, 0-9 and dash; at least one letter; no dash at an end, nor two in a row."""

    code = "INVALID_PLYR_ID"
    default_message = _("Invalid PLYR[ID]")


class OtpInvalid(Forbidden):
    """The code is not valid now."""

    code = "OTP_INVALID"
    default_message = _("Invalid 2fa token")


class OtpUsed(Forbidden):
    """The code was right but is used up."""

    code = "OTP_USED"
    default_message = _("2FA token already used")


class OtpLocked(Forbidden):
    """Too many wrong codes: locked for a minute."""

    code = "OTP_LOCKED"
    default_message = _("User is temporary locked")


class SessionInvalid(Forbidden):
    """The session token is not ours, not this game's, over, or replaced by a newer login."""

    code = "INVALID_SESSION"
    default_message = _("Invalid sessionJwt")


class GuestCannotLogOut(Forbidden):
    """A guest has nothing to log in with again."""

    code = "GUEST_CANNOT_LOG_OUT"
    default_message = _("Instant Play Pass user cannot logout")


class JobNotFailed(Conflict):
    """Only a failed job can be tried again."""

    code = "JOB_NOT_FAILED"
    default_message = _("Only a failed job can be tried again")
