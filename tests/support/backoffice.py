"""The back-office's cast and a platform with something to see of every kind."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group

from gameplatform.accounts import api_keys
from gameplatform.accounts.models import ApiClient, User
from gameplatform.core import clock
from gameplatform.core.models import AuditEntry
from gameplatform.operations.groups import GROUPS, set_up_groups
from gameplatform.webhooks import endpoints
from gameplatform.webhooks.models import Delivery
from payments import adjustments
from payments.models import Account, Adjustment
from rooms import tick
from rooms.models import Participant, Session


def worker(role: str, username: str | None = None) -> User:
    """Somebody of staff in this group; the password is ``<username>'s password``."""
    set_up_groups()
    name = username or role
    user = User.objects.create_user(name, password=f"{name}'s password", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def crew() -> dict[str, User]:
    """One of each group."""
    return {role: worker(role) for role in GROUPS}


def run_session(room: Any, players: list[User], join: Any) -> Session:
    """The room's current session with these players in it, settled."""
    session = Session.objects.get(pk=room.current_session_id)
    for player in players:
        join(room, player)
    tick.advance(now=session.starts_at)
    tick.advance(now=session.ends_at)
    session.refresh_from_db()
    return session


def one_of_each(*, room: Any, session: Session, superuser: User, player: User, gold: Any) -> dict[str, Any]:
    """An object of each model with pages of its own, by the model's label."""
    now = clock.now()
    set_up_groups()
    adjusted = {"user": player, "token": gold, "actor": superuser, "now": now}
    adjustment = adjustments.deposit(amount_minor=500, reason="a gift", request_key="gift", **adjusted)
    request = adjustments.request_adjustment(
        kind=Adjustment.Kind.DEPOSIT, amount_minor=5_000_000, reason="a large gift", request_key="large", **adjusted
    )
    client = ApiClient.objects.create(name="A game's server", game=room.game)
    key = api_keys.issue_key(
        client=client, scopes=["results"], now=now, expires_at=now + timedelta(days=1), actor=superuser
    ).key
    endpoint = endpoints.create(
        name="A server",
        url="https://8.8.8.8/hooks",
        types=["session.ended"],
        client=client,
        user=None,
        actor=superuser,
        now=now,
    ).endpoint
    delivery = Delivery.objects.get(
        pk=endpoints.send_test(endpoint_id=endpoint.pk, among=endpoints.existing(), actor=superuser, now=now)
    )
    return {
        "webhooks.endpoint": endpoint,
        "webhooks.delivery": delivery,
        "webhooks.event": delivery.event,
        "rooms.room": room,
        "rooms.session": session,
        "rooms.participant": Participant.objects.filter(session=session).first(),
        "accounts.user": player,
        "accounts.game": room.game,
        "accounts.apiclient": client,
        "accounts.apikey": key,
        "auth.group": Group.objects.get(name="support"),
        "payments.token": gold,
        "payments.account": Account.objects.get(owner=player),
        "payments.transfer": adjustment.transfer,
        "payments.adjustment": adjustment,
        "payments.adjustmentrequest": request,
        "core.auditentry": AuditEntry.objects.order_by("-id").first(),
    }
