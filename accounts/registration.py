"""How a user comes to be."""

from datetime import datetime

from accounts.credentials import SignedIn, begin_sign_in
from accounts.identity import insert_user
from core.db.transactions import use_case


@use_case
def register_user(*, username: str, password: str, email: str | None, fullname: str, now: datetime) -> SignedIn:
    """A new player, signed in.

    Raises ``UsernameTaken``, ``WeakPassword`` or ``Invalid``.
    """
    user = insert_user(username=username, password=password, email=email, fullname=fullname, is_master=False, now=now)
    return begin_sign_in(user, now=now)
