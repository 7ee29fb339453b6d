"""Who may do what: roles are columns of the user, read from the database for every request."""

from datetime import datetime
from enum import Enum

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_noop

from accounts.errors import NotPermitted, WeakPassword
from accounts.identity import insert_user
from accounts.models import User
from core.db.transactions import use_case


def is_master(user: User | AnonymousUser) -> bool:
    """May own rooms and manage its own."""
    return isinstance(user, User) and user.is_active and user.is_master


def is_staff(user: User | AnonymousUser) -> bool:
    """May sign in to the back-office; what it may do there, and over the API, its permissions say."""
    return user.is_active and user.is_staff


def may(user: User | AnonymousUser, permission: str) -> bool:
    """Whether the user works here and its groups, or itself, have the permission (``rooms.change_room``)."""
    return is_staff(user) and user.has_perm(permission)


def require(actor: User | None, permission: str) -> None:
    """Raise ``NotPermitted`` unless the actor has the permission; ``None`` is the operator, or a program by its key."""
    if actor is not None and not may(actor, permission):
        raise NotPermitted()


class MasterStep(Enum):
    """What it takes to make a name a master."""

    CREATE = "create"
    PROMOTE = "promote"
    NOTHING = "nothing"


def master_step(username: str) -> MasterStep:
    """What ``create_master`` would do now."""
    try:
        user = User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        return MasterStep.CREATE
    return MasterStep.NOTHING if user.is_master else MasterStep.PROMOTE


@use_case
def create_master(*, username: str, password: str | None, now: datetime) -> MasterStep:
    """Create a master, or make an existing user one; safe to repeat. Returns what was done.

    The password is for a new user only: an existing one keeps its own. Raises what ``insert_user`` does.
    """
    step = master_step(username)
    if step is MasterStep.CREATE:
        if password is None:
            raise WeakPassword(gettext_noop("A new master needs a password"))
        insert_user(username=username, password=password, email=None, fullname="", is_master=True, now=now)
    elif step is MasterStep.PROMOTE:
        user = User.objects.get_by_natural_key(username)
        User.objects.filter(pk=user.pk).update(is_master=True)
    return step
