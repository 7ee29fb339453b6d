"""Who is told, where, of what, signed with what (use cases; each is in the audit trail).

``actor`` is the person who acts; ``None`` for an API client, which ``reason`` names then. Raises ``NotPermitted`` for a
person who may not (``webhooks.policies``).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy, gettext_noop

from accounts import roles
from accounts.models import ApiClient, User
from core import trail
from core.db.transactions import use_case
from core.security.names import clean_name
from core.security.secrets import encrypt
from webhooks import deliveries, outbox, policies, signing
from webhooks.addresses import Resolver, look_up, public_addresses_within, target_of, unreachable
from webhooks.catalogue import ALLOWED, TEST, EventType
from webhooks.errors import (
    EndpointDisabled,
    EndpointInvalid,
    EndpointNotFound,
    NotAnOwner,
    TooManyEndpoints,
    TooManySecrets,
)
from webhooks.models import NAME_LENGTH_MAX, Delivery, Endpoint, OldSecret

ENDPOINTS_EACH_MAX = 20
# Whoever asks waits for it, and a thread of the server with it.
LOOK_UP_SECONDS = 2.0
OLD_SECRET_MAX = timedelta(days=7)
# The reasons that acts over the API are recorded with.
BY_KEY = gettext_noop("by the API key %(key)s")
BY_OWNER = gettext_noop("by its owner, over the API")
# Each adds a signature to every attempt.
OLD_SECRETS_MAX = 10


@dataclass(frozen=True, kw_only=True)
class Issued:
    """An endpoint with its new secret, which is not shown again."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an endpoint is to be; ``None``: as it was."""

    name: str | None = None
    url: str | None = None
    types: Sequence[str] | None = None
    is_enabled: bool | None = None


def masters_own(user: User) -> QuerySet[Endpoint]:
    """The endpoints of a master. Raises ``NotAnOwner`` for anybody else."""
    if not roles.is_master(user):
        raise NotAnOwner()
    return owned_by(user=user)


def owned_by(*, client: ApiClient | None = None, user: User | None = None) -> QuerySet[Endpoint]:
    """The endpoints of an API client or of a master; those of others do not exist for them."""
    mine = Q(client=client) if client is not None else Q(user=user, user__isnull=False)
    return existing().filter(mine)


def existing() -> QuerySet[Endpoint]:
    """Every endpoint that was not deleted."""
    return Endpoint.objects.filter(deleted_at__isnull=True).select_related("client", "user")


def find(public_id: uuid.UUID, *, among: QuerySet[Endpoint]) -> Endpoint:
    """One endpoint. Raises ``EndpointNotFound``."""
    endpoint = among.filter(public_id=public_id).first()
    if endpoint is None:
        raise EndpointNotFound()
    return endpoint


def create(
    *,
    name: str,
    url: str,
    types: Sequence[str],
    client: ApiClient | None,
    user: User | None,
    actor: User | None,
    now: datetime,
    reason: str = "",
    resolve: Resolver = look_up,
) -> Issued:
    """A new endpoint of the client's, of the master's, or, without either, of the platform's.

    Raises ``InvalidName``, ``UrlRefused``, ``EndpointInvalid`` for types that there are none of for this owner,
    ``TooManyEndpoints``.
    """
    endpoint = Endpoint(client=client, user=user, url=url, created_at=now)
    policies.require(actor, policies.ADD, endpoint)
    # Before the transaction: looking a name up may take seconds.
    _require_public(url, resolve)
    endpoint.name = clean_name(name, max_length=NAME_LENGTH_MAX)
    endpoint.types = _types(endpoint, types)
    return _create(endpoint=endpoint, actor=actor, reason=reason, now=now)


@use_case
def _create(*, endpoint: Endpoint, actor: User | None, reason: str, now: datetime) -> Issued:
    _queue_twins(endpoint)
    same_owner = existing().filter(client=endpoint.client, user=endpoint.user)
    if same_owner.count() >= ENDPOINTS_EACH_MAX:
        raise TooManyEndpoints()
    secret = signing.new_secret()
    endpoint.secret_encrypted = encrypt(secret.encode())
    endpoint.save(force_insert=True)
    _record(gettext_noop("webhook endpoint created"), endpoint, actor, reason, now, before=None)
    return Issued(endpoint=endpoint, secret=secret)


def change(
    *,
    endpoint_id: int,
    among: QuerySet[Endpoint],
    terms: Terms,
    actor: User | None,
    now: datetime,
    reason: str = "",
    resolve: Resolver = look_up,
) -> Endpoint:
    """Change name, URL or types, disable or enable; what is on its way goes to the new URL.

    Raises ``EndpointNotFound`` and what ``create`` does.
    """
    if terms.url is not None:
        _require_public(terms.url, resolve)
    return _change(endpoint_id=endpoint_id, among=among, terms=terms, actor=actor, reason=reason, now=now)


@use_case
def _change(
    *, endpoint_id: int, among: QuerySet[Endpoint], terms: Terms, actor: User | None, reason: str, now: datetime
) -> Endpoint:
    endpoint = _lock(endpoint_id, among, actor)
    before = terms_of(endpoint)
    if terms.name is not None:
        endpoint.name = clean_name(terms.name, max_length=NAME_LENGTH_MAX)
    if terms.url is not None:
        endpoint.url = terms.url
    if terms.types is not None:
        endpoint.types = _types(endpoint, terms.types)
    endpoint.save(update_fields=["name", "url", "types"])
    if terms.is_enabled is True:
        _enable(endpoint)
    if terms.is_enabled is False:
        deliveries.disable(endpoint=endpoint, reason=reason, now=now)
    if terms_of(endpoint) != before:
        _record(gettext_noop("webhook endpoint changed"), endpoint, actor, reason, now, before=before)
    return endpoint


@use_case
def rotate_secret(
    *,
    endpoint_id: int,
    among: QuerySet[Endpoint],
    old_ends_at: datetime,
    actor: User | None,
    now: datetime,
    reason: str = "",
) -> Issued:
    """A new secret; the present one signs beside it until ``old_ends_at``, a week from now at most.

    Older ones keep signing until the end that they were promised: a rotation is repeated when its answer was lost, and
    the receiver still has the secret before it. Raises ``EndpointNotFound``, ``EndpointInvalid``, ``TooManySecrets``.
    """
    if old_ends_at > now + OLD_SECRET_MAX:
        raise EndpointInvalid(gettext_noop("An old secret signs for a week at most"))
    endpoint = _lock(endpoint_id, among, actor)
    _keep_old_secret(endpoint, now)
    secret = signing.new_secret()
    endpoint.old_secret_encrypted, endpoint.old_secret_ends_at = endpoint.secret_encrypted, old_ends_at
    endpoint.secret_encrypted = encrypt(secret.encode())
    endpoint.save(update_fields=["secret_encrypted", "old_secret_encrypted", "old_secret_ends_at"])
    after = {"old_secret_ends_at": old_ends_at}
    trail.record(
        actor=actor,
        action=gettext_noop("webhook secret rotated"),
        target=endpoint,
        reason=reason,
        after=after,
        now=now,
        by_platform=actor is None,
    )
    return Issued(endpoint=endpoint, secret=secret)


@use_case
def disable(*, endpoint_id: int, among: QuerySet[Endpoint], actor: User | None, reason: str, now: datetime) -> Endpoint:
    """Send nothing more, not even what is on its way. Safe to repeat. Raises ``EndpointNotFound``."""
    endpoint = _lock(endpoint_id, among, actor)
    before = terms_of(endpoint)
    if deliveries.disable(endpoint=endpoint, reason=reason, now=now):
        _record(gettext_noop("webhook endpoint disabled"), endpoint, actor, reason, now, before=before)
    return endpoint


@use_case
def enable(*, endpoint_id: int, among: QuerySet[Endpoint], actor: User | None, reason: str, now: datetime) -> Endpoint:
    """Send what happens from now on; what was given up waits to be replayed. Safe to repeat.

    Raises ``EndpointNotFound``.
    """
    endpoint = _lock(endpoint_id, among, actor)
    before = terms_of(endpoint)
    if _enable(endpoint):
        _record(gettext_noop("webhook endpoint enabled"), endpoint, actor, reason, now, before=before)
    return endpoint


@use_case
def delete(
    *, endpoint_id: int, among: QuerySet[Endpoint], actor: User | None, now: datetime, reason: str = "deleted"
) -> None:
    """Send nothing more and hide it for good. Raises ``EndpointNotFound``."""
    endpoint = _lock(endpoint_id, among, actor)
    before = terms_of(endpoint)
    deliveries.disable(endpoint=endpoint, reason=reason, now=now)
    endpoint.deleted_at = now
    endpoint.save(update_fields=["deleted_at"])
    _record(gettext_noop("webhook endpoint deleted"), endpoint, actor, reason, now, before=before)


@use_case
def send_test(
    *, endpoint_id: int, among: QuerySet[Endpoint], actor: User | None, now: datetime, reason: str = ""
) -> Delivery:
    """Send a ``webhook.test``; the delivery, its event loaded. Raises ``EndpointNotFound``, ``EndpointDisabled``."""
    endpoint = _lock(endpoint_id, among, actor)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled()
    data = {"endpoint_id": str(endpoint.public_id), "name": endpoint.name}
    delivery = outbox.record_for(endpoint=endpoint, type=TEST, data=data, now=now)
    trail.record(
        actor=actor,
        action=gettext_noop("webhook test sent"),
        target=endpoint,
        reason=reason,
        now=now,
        by_platform=actor is None,
    )
    return delivery


def terms_of(endpoint: Endpoint) -> dict[str, object]:
    """What the audit trail keeps of an endpoint: nothing that signs."""
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
    }


def _keep_old_secret(endpoint: Endpoint, now: datetime) -> None:
    """Make room for the next old secret; this one, while it signs, joins the older ones."""
    OldSecret.objects.filter(endpoint=endpoint, ends_at__lte=now).delete()
    sealed, ends_at = endpoint.old_secret_encrypted, endpoint.old_secret_ends_at
    if sealed is None or ends_at is None or ends_at <= now:
        return
    if OldSecret.objects.filter(endpoint=endpoint).count() + 1 >= OLD_SECRETS_MAX:
        raise TooManySecrets()
    OldSecret.objects.create(endpoint=endpoint, secret_encrypted=sealed, ends_at=ends_at)


def _lock(endpoint_id: int, among: QuerySet[Endpoint], actor: User | None) -> Endpoint:
    endpoint = among.select_for_update(no_key=True, of=("self",)).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise EndpointNotFound()
    policies.require(actor, policies.CHANGE, endpoint)
    return endpoint


def _enable(endpoint: Endpoint) -> bool:
    if endpoint.disabled_at is None:
        return False
    endpoint.disabled_at, endpoint.disabled_reason, endpoint.failing_since = None, "", None
    endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since"])
    return True


def _require_public(url: str, resolve: Resolver) -> None:
    try:
        public_addresses_within(LOOK_UP_SECONDS, target_of(url), resolve=resolve)
    except TimeoutError:
        raise unreachable() from None


def _types(endpoint: Endpoint, types: Sequence[str]) -> list[str]:
    """In the catalogue's order, once each."""
    allowed = ALLOWED[endpoint.owner_kind]
    unknown = sorted(set(types) - allowed)
    if unknown or not types:
        raise EndpointInvalid(
            gettext_noop("Event types that this owner has none of: %(types)s"),
            types=", ".join(unknown) or gettext_lazy("none given"),
        )
    return [kind.value for kind in EventType if kind.value in types]


def _queue_twins(endpoint: Endpoint) -> None:
    """Who makes several at once waits here for itself, so that the limit holds."""
    if endpoint.client_id is not None:
        ApiClient.objects.select_for_update(no_key=True).get(pk=endpoint.client_id)
    elif endpoint.user_id is not None:
        User.objects.select_for_update(no_key=True).get(pk=endpoint.user_id)


def _record(
    action: str,
    endpoint: Endpoint,
    actor: User | None,
    reason: str,
    now: datetime,
    *,
    before: dict[str, object] | None,
) -> None:
    after = terms_of(endpoint)
    trail.record(
        actor=actor,
        action=action,
        target=endpoint,
        reason=reason,
        before=before,
        after=after,
        now=now,
        by_platform=actor is None,
    )
