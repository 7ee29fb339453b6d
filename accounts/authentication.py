"""From an access token to a user, for HTTP and WebSocket alike."""

from datetime import datetime

from django.conf import settings

from accounts import second_factor
from accounts.credentials import AccessToken
from accounts.errors import InvalidToken
from accounts.models import User


def authenticate_access_token(raw: str | bytes, now: datetime) -> User:
    """The user of a token. Raises ``InvalidToken``."""
    return user_of(AccessToken.read(raw, now=now))


def user_of(token: AccessToken) -> User:
    """The token's user as the database has it now, by one SELECT. Raises ``InvalidToken``.

    Where the rights of staff take a second factor, a token that was got by a password alone does not have them: the
    user comes without its marks, as a player or master. A step-up token names the authenticator that it was got by, so
    it ends with that. For members of staff this is a second SELECT.
    """
    user = User.objects.filter(pk=token.user_id).first()
    if user is None or not token.fits(user):
        raise InvalidToken
    if user.is_staff or user.is_superuser:
        authenticator = second_factor.authenticator_of(user)
        is_wanted = settings.STAFF_TOTP_REQUIRED or authenticator is not None
        if is_wanted and (authenticator is None or token.get("authenticator") != authenticator.pk):
            user.is_staff = user.is_superuser = False
    return user
