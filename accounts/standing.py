"""What a socket was opened with, and whether that still counts (building blocks)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from django.utils.crypto import constant_time_compare

from accounts.api_keys import live_keys
from accounts.models import User
from core.db import clock


@dataclass(frozen=True, slots=True)
class Standing:
    """A user as it was signed in, or a client's key.

    Freezing, a new password and signing out everywhere end the one; revoking the key or its client the other.
    """

    user_id: int | None = None
    password_mark: str = ""
    key_id: int | None = None

    @classmethod
    def of(cls, user: User) -> Self:
        """The user as it is signed in now."""
        return cls(user_id=user.pk, password_mark=user.password_mark)


def user_of(standing: Standing) -> User | None:
    """The user, if it is still signed in so."""
    user = None if standing.user_id is None else User.objects.filter(pk=standing.user_id, is_active=True).first()
    return user if user is not None and constant_time_compare(user.password_mark, standing.password_mark) else None


def still_good(standings: Collection[Standing]) -> set[Standing]:
    """Those that still count: two statements, however many there are."""
    asked_users = {each.user_id for each in standings if each.user_id is not None}
    users = User.objects.filter(pk__in=asked_users, is_active=True)
    marks = {user.pk: user.password_mark for user in users}
    asked_keys = {each.key_id for each in standings if each.key_id is not None}
    keys = set(
        live_keys(now=clock.now()).filter(pk__in=asked_keys, client__is_active=True).values_list("pk", flat=True)
    )
    return {
        each
        for each in standings
        if (each.key_id in keys if each.user_id is None else marks.get(each.user_id) == each.password_mark)
    }
