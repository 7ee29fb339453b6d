"""What rounds refuses. The families say how; `core.wire.gamefuse` gives each code its status."""

from django.utils.translation import gettext_noop as _

from core.errors import Conflict, Forbidden, Invalid, NotFound


class GameNotVerified(Forbidden):
    code = "GAME_NOT_VERIFIED"
    default_message = _("Failed to verify game, check the game id and token")


class GameNotFound(NotFound):
    code = "GAME_NOT_FOUND"
    default_message = _("Game not found, check the game id and token")


class GameDisabled(Conflict):
    code = "GAME_DISABLED"
    default_message = _("Game is disabled")


class GameInUse(Conflict):
    code = "GAME_IN_USE"
    default_message = _("Rooms were made for this game, it cannot be deleted")


class GameUserNotFound(NotFound):
    code = "GAME_USER_NOT_FOUND"
    default_message = _("User not found")


class OtherGame(Forbidden):
    code = "OTHER_GAME"
    default_message = _("You cannot view another game's data")


class NotYourself(Forbidden):
    code = "NOT_YOURSELF"
    default_message = _("You can only change the current user")


class WrongPassword(Forbidden):
    """Unknown email or wrong password: the answer never says which."""

    code = "WRONG_PASSWORD"
    default_message = _("Incorrect email or password")


class AlreadyTaken(Conflict):
    code = "ALREADY_TAKEN"
    default_message = _("Username or email has already been taken")


class RoundNotFound(NotFound):
    code = "ROUND_NOT_FOUND"
    default_message = _("Game round not found")


class NotOwner(Forbidden):
    code = "NOT_OWNER"
    default_message = _("Only the owner can change the game round")


class NotEntered(Conflict):
    code = "NOT_ENTERED"
    default_message = _("This player has not joined the session of this multiplayer game round")


class ContestNotRunning(Conflict):
    """The session has not started, or is over: the clock decides."""

    code = "CONTEST_NOT_RUNNING"
    default_message = _("The session is not running, the game round cannot be changed")


class EntrantStays(Conflict):
    code = "ENTRANT_STAYS"
    default_message = _("A game round of a session cannot be deleted")


class MissingParameter(Invalid):
    """A parameter of the older routes is missing or unusable; they answer 400 where the newer ones say 422."""

    code = "MISSING_PARAMETER"
    default_message = _("Missing or invalid parameters")


class NoEntries(Invalid):
    code = "NO_ENTRIES"
    default_message = _("No entries for this leaderboard name")


class AttributeNotFound(Invalid):
    code = "ATTRIBUTE_NOT_FOUND"
    default_message = _("User does not have an item with the specified key")


class NumberTooLarge(Invalid):
    code = "NUMBER_TOO_LARGE"
    default_message = _("The number is too large")


class TooManyAttributes(Conflict):
    code = "TOO_MANY_ATTRIBUTES"
    default_message = _("A user can have at most 500 attributes")
