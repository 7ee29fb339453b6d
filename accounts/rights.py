"""Rights of staff: one superuser asks for them, another grants them; taking away needs one (use cases)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.utils.translation import gettext_noop

from accounts.errors import NotPermitted
from accounts.models import RightsRequest, User
from core import trail
from core.db.transactions import require_atomic, use_case
from core.errors import Conflict, Forbidden, Invalid, NotFound

State = RightsRequest.State
ASK = "accounts.add_rightsrequest"
DECIDE = "accounts.change_rightsrequest"


class RightsRequestNotFound(NotFound):
    """There is no such request."""

    code = "RIGHTS_REQUEST_NOT_FOUND"
    default_message = gettext_noop("Rights request not found")


class RightsRequestDecided(Conflict):
    """The request is not open."""

    code = "RIGHTS_REQUEST_DECIDED"
    default_message = gettext_noop("This request was decided already")


class SecondSuperuserNeeded(Forbidden):
    """The requester and the receiver cannot decide."""

    code = "SECOND_SUPERUSER_NEEDED"
    default_message = gettext_noop("Another superuser has to decide on this request")


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a member of staff is: its marks and the names of its groups."""

    is_staff: bool
    is_superuser: bool
    groups: frozenset[str]

    def adds_to(self, held: "Rights") -> bool:
        """Whether these are more than what is held already, in any part."""
        return self.is_staff > held.is_staff or self.is_superuser > held.is_superuser or not self.groups <= held.groups

    def as_json(self) -> dict[str, object]:
        return {"is_staff": self.is_staff, "is_superuser": self.is_superuser, "groups": sorted(self.groups)}


def rights(*, is_staff: bool, is_superuser: bool, groups: Collection[str]) -> Rights:
    """Raises ``Invalid`` for a group that does not exist."""
    unknown = set(groups) - set(Group.objects.values_list("name", flat=True))
    if unknown:
        raise Invalid(gettext_noop("There is no such group: %(names)s"), names=", ".join(sorted(unknown)))
    return Rights(is_staff=is_staff, is_superuser=is_superuser, groups=frozenset(groups))


def rights_of(user: User) -> Rights:
    """What the user holds now."""
    names = frozenset(user.groups.values_list("name", flat=True))
    return Rights(is_staff=user.is_staff, is_superuser=user.is_superuser, groups=names)


@use_case
def change_rights(*, user_id: int, wanted: Rights, actor: User, reason: str, now: datetime) -> RightsRequest | None:
    """Ask for rights that another superuser grants; ``None`` if they were only taken away, which is done at once.

    Raises ``NotPermitted``.
    """
    _require_superuser(actor)
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if not wanted.adds_to(rights_of(user)):
        _apply(user, wanted, actor=actor, reason=reason, now=now)
        return None
    request = RightsRequest.objects.create(
        user=user,
        is_staff=wanted.is_staff,
        is_superuser=wanted.is_superuser,
        groups=sorted(wanted.groups),
        reason=reason,
        requester=actor,
        created_at=now,
    )
    trail.record(
        actor=actor,
        action=gettext_noop("rights requested"),
        target=user,
        reason=reason,
        before=rights_of(user).as_json(),
        after=wanted.as_json(),
        now=now,
    )
    return request


@use_case
def approve_rights(*, request_id: int, actor: User, reason: str, now: datetime) -> None:
    """Give the rights that another superuser asked for.

    Raises ``NotPermitted``, ``RightsRequestNotFound``, ``RightsRequestDecided``, ``SecondSuperuserNeeded``.
    """
    request = _lock_open_request(request_id, actor)
    wanted = rights(is_staff=request.is_staff, is_superuser=request.is_superuser, groups=request.groups)
    user = User.objects.select_for_update(no_key=True).get(pk=request.user_id)
    _apply(user, wanted, actor=actor, reason=reason, now=now)
    _decide(request, State.APPROVED, actor=actor, reason=reason, now=now)


@use_case
def reject_rights(*, request_id: int, actor: User, reason: str, now: datetime) -> None:
    """Turn a request down. Raises as ``approve_rights``."""
    request = _lock_open_request(request_id, actor)
    _decide(request, State.REJECTED, actor=actor, reason=reason, now=now)
    action = gettext_noop("rights rejected")
    trail.record(actor=actor, action=action, target=request.user, reason=reason, now=now)


@use_case
def grant_rights(*, username: str, wanted: Rights, reason: str, now: datetime) -> None:
    """Give rights from the command line, where no second superuser exists yet. Raises ``User.DoesNotExist``."""
    user = User.objects.select_for_update(no_key=True).get(pk=User.objects.get_by_natural_key(username).pk)
    _apply(user, wanted, actor=None, reason=reason, now=now)


def _require_superuser(actor: User) -> None:
    if not (actor.is_active and actor.is_staff and actor.is_superuser):
        raise NotPermitted()


def _lock_open_request(request_id: int, actor: User) -> RightsRequest:
    _require_superuser(actor)
    request = RightsRequest.objects.select_for_update(no_key=True).filter(pk=request_id).first()
    if request is None:
        raise RightsRequestNotFound()
    if request.state != State.REQUESTED:
        raise RightsRequestDecided()
    if actor.pk in (request.requester_id, request.user_id):
        raise SecondSuperuserNeeded()
    return request


def _decide(request: RightsRequest, state: RightsRequest.State, *, actor: User, reason: str, now: datetime) -> None:
    request.state, request.decider, request.decided_at, request.decision_reason = state, actor, now, reason
    request.save(update_fields=["state", "decider", "decided_at", "decision_reason"])


def _apply(user: User, wanted: Rights, *, actor: User | None, reason: str, now: datetime) -> None:
    require_atomic()
    before = rights_of(user)
    user.is_staff, user.is_superuser = wanted.is_staff, wanted.is_superuser
    user.save(update_fields=["is_staff", "is_superuser"])
    user.groups.set(Group.objects.filter(name__in=wanted.groups))
    trail.record(
        actor=actor,
        action=gettext_noop("rights changed"),
        target=user,
        reason=reason,
        before=before.as_json(),
        after=wanted.as_json(),
        now=now,
    )
