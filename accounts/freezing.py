"""Freeze and unfreeze users: every sign-in ends at once, and the user keeps everything it owns."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_noop

from accounts import roles
from accounts.models import User
from core import trail
from core.db.transactions import use_case
from core.errors import Forbidden

FREEZE = "accounts.freeze_user"


class CannotFreeze(Forbidden):
    """Oneself, or a colleague."""

    code = "CANNOT_FREEZE"
    default_message = gettext_noop("You cannot freeze yourself. Only a superuser can freeze staff.")


def is_in_reach(*, actor: User | AnonymousUser, user: User) -> bool:
    """Whether an actor with the permission may freeze or unfreeze this user."""
    return actor.pk != user.pk and (actor.is_superuser or not (user.is_staff or user.is_superuser))


@use_case
def freeze_user(*, user_id: int, actor: User, reason: str, now: datetime) -> bool:
    """Close the API, the sockets, the games and the back-office to a user; ``False`` when they were closed already.

    Places that are paid are played to their end, and a prize still arrives, though it cannot be used. Rooms of a master
    go on. Raises ``NotPermitted``, ``CannotFreeze``.
    """
    user = _reached(user_id, actor)
    if not user.is_active:
        return False
    # What was signed in ends with the mark, and must not come back to life with it.
    user.sign_outs += 1
    user.sign_ins.all().delete()
    _switch(user, on=False, actor=actor, reason=reason, now=now)
    return True


@use_case
def unfreeze_user(*, user_id: int, actor: User, reason: str, now: datetime) -> bool:
    """Let the user sign in again; ``False`` when it could already. Raises as ``freeze_user``."""
    user = _reached(user_id, actor)
    if user.is_active:
        return False
    _switch(user, on=True, actor=actor, reason=reason, now=now)
    return True


def _reached(user_id: int, actor: User) -> User:
    roles.require(actor, FREEZE)
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if not is_in_reach(actor=actor, user=user):
        raise CannotFreeze
    return user


def _switch(user: User, *, on: bool, actor: User, reason: str, now: datetime) -> None:
    user.is_active = on
    user.save(update_fields=["is_active", "sign_outs"])
    trail.record(
        actor=actor,
        action=gettext_noop("user unfrozen") if on else gettext_noop("user frozen"),
        target=user,
        reason=reason,
        before={"is_active": not on},
        after={"is_active": on},
        now=now,
    )
