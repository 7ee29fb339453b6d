"""Who may change webhook endpoints and replay deliveries (building block)."""

from accounts import roles
from accounts.models import User
from webhooks.models import Endpoint

ADD, CHANGE, REPLAY = "webhooks.add_endpoint", "webhooks.change_endpoint", "webhooks.change_delivery"


def require(actor: User | None, permission: str, endpoint: Endpoint) -> None:
    """Raise ``NotPermitted`` unless the endpoint is the acting master's own, or staff have the permission.

    ``None`` is an API client, which reaches its own endpoints only.
    """
    is_own = actor is not None and endpoint.user_id == actor.pk and roles.is_master(actor)
    if not is_own:
        roles.require(actor, permission)
