"""From an access token to a user, for HTTP and WebSocket alike."""

from datetime import datetime

from accounts import second_factor
from accounts.credentials import AccessToken
from accounts.errors import InvalidToken
from accounts.models import User


def authenticate_access_token(raw: str | bytes, now: datetime) -> User:
    """The user of a token. Raises ``InvalidToken``."""
    return user_of(AccessToken.read(raw, now=now))


def user_of(token: AccessToken) -> User:
    """The token's user as the database has it now, by one SELECT. Raises ``InvalidToken``.

    A token is got by a password alone. Where the rights of staff take a second factor, the API does not have them: the
    user comes without its marks, as a player or master. For members of staff that is a second SELECT.
    """
    user = User.objects.filter(pk=token.user_id).first()
    if user is None or not token.fits(user):
        raise InvalidToken
    if (user.is_staff or user.is_superuser) and second_factor.is_wanted(user):
        user.is_staff = user.is_superuser = False
    return user
