"""What accounts refuses."""

from core.errors import Conflict, DomainError, Invalid, NotFound


class UsernameTaken(Conflict):
    code = "USERNAME_TAKEN"
    default_message = "Username is already taken"


class EmailTaken(Conflict):
    code = "EMAIL_TAKEN"
    default_message = "Email is already taken"


class WalletTaken(Conflict):
    code = "WALLET_TAKEN"
    default_message = "Wallet address is already connected to another account"


class WeakPassword(Invalid):
    code = "WEAK_PASSWORD"
    default_message = "The password is too weak"


class InvalidCredentials(DomainError):
    """Unknown user, wrong password or a user that was switched off: the answer never says which."""

    code = "INVALID_CREDENTIALS"
    default_message = "Invalid username or password"


class InvalidToken(DomainError):
    """Not a token of ours, of the other type, expired, revoked, or of a user that may not sign in."""

    code = "INVALID_TOKEN"
    default_message = "The token is invalid or expired"


class GameNotFound(NotFound):
    code = "GAME_NOT_FOUND"
    default_message = "Game not found"
