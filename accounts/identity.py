"""Building blocks that write users: one set of field rules, with the unique constraint on names as the judge."""

import unicodedata
from datetime import datetime
from typing import Literal, overload

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from psycopg.errors import UniqueViolation

from accounts.errors import UsernameTaken, WeakPassword
from accounts.models import User, UserManager
from core.db.transactions import require_atomic
from core.errors import Invalid


@overload
def clean_field(name: Literal["username", "fullname"], value: str) -> str: ...
@overload
def clean_field(name: str, value: str | None) -> str | None: ...
def clean_field(name: str, value: str | None) -> str | None:
    """``value`` in the form the column ``name`` keeps. Raises ``Invalid`` naming the field."""
    if value is not None:
        value = _normal_form(name, value)
    field = User._meta.get_field(name)
    try:
        cleaned: str | None = field.clean(value, None)  # type: ignore[union-attr]
    except ValidationError as error:
        raise Invalid("%(field)s: %(problem)s", field=name, problem=error.messages[0]) from error
    return cleaned


def _normal_form(name: str, value: str) -> str | None:
    if name == "username":
        return User.normalize_username(value)
    if name == "email":
        return UserManager.normalize_email(value) or None
    return unicodedata.normalize("NFC", value).strip(" ")


def insert_user(
    *, username: str, password: str, email: str | None, fullname: str, is_master: bool, now: datetime
) -> User:
    """A new user. Raises ``Invalid``, ``WeakPassword`` or ``UsernameTaken``.

    Whether a name is free is not asked before: the unique constraint decides, so two at once cannot both win.
    """
    require_atomic()
    user = User(
        username=clean_field("username", username),
        email=clean_field("email", email),
        fullname=clean_field("fullname", fullname),
        is_master=is_master,
        date_joined=now,
    )
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(error.messages[0]) from error
    user.set_password(password)
    try:
        user.save(force_insert=True)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise UsernameTaken from error
        raise
    return user
