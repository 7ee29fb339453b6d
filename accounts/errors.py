"""What accounts refuses."""

from django.utils.translation import gettext_noop as _

from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound


class UsernameTaken(Conflict):
    code = "USERNAME_TAKEN"
    default_message = _("Username is already taken")


class NotPermitted(Forbidden):
    """The rule asks for a permission that the actor lacks."""

    code = "NOT_PERMITTED"
    default_message = _("You do not have the permission for this")


class WeakPassword(Invalid):
    code = "WEAK_PASSWORD"
    default_message = _("The password is too weak")


class InvalidCredentials(DomainError):
    """Unknown user, wrong password or a user that was switched off: the answer never says which."""

    code = "INVALID_CREDENTIALS"
    default_message = _("Invalid username or password")


class InvalidToken(DomainError):
    """Not a token of ours, of the other type, expired, revoked, or of a user that may not sign in."""

    code = "INVALID_TOKEN"
    default_message = _("The token is invalid or expired")


class GameNotFound(NotFound):
    code = "GAME_NOT_FOUND"
    default_message = _("Game not found")
