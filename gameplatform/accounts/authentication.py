"""From an access token to a user, for HTTP and WebSocket alike."""

from datetime import datetime

from gameplatform.accounts.credentials import read_token
from gameplatform.accounts.errors import InvalidToken
from gameplatform.accounts.models import User


def authenticate_access_token(raw: str, now: datetime) -> User:
    """The token's user as the database has it now, by one SELECT. Raises ``InvalidToken``."""
    claims = read_token(raw, token_type="access", now=now)
    user = User.objects.filter(pk=claims.user_id).first()
    if user is None or not claims.fit(user):
        raise InvalidToken
    return user
