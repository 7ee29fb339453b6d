"""What users may change about themselves."""

from collections.abc import Mapping
from typing import Literal

from accounts.identity import clean_field
from accounts.models import User
from core.db.transactions import use_case

ProfileField = Literal["email", "fullname", "avatar", "wallet_address"]


@use_case
def update_profile(*, user_id: int, changes: Mapping[ProfileField, str | None]) -> User:
    """Change a user's own fields: those named in ``changes`` only.

    A ``wallet_address`` connects that wallet, None disconnects it. Raises ``Invalid``.
    """
    values = {name: clean_field(name, value) for name, value in changes.items()}
    if values:
        User.objects.filter(pk=user_id).update(**values)
    return User.objects.get(pk=user_id)
