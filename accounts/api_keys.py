"""Keys of API clients: issue, find, rotate, revoke. Shown once, stored hashed, checked in constant time."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy, gettext_noop

from accounts import roles
from accounts.models import ApiClient, ApiKey, Game, User
from core import trail
from core.db.transactions import require_atomic, use_case
from core.errors import Conflict, Invalid
from core.security.names import clean_name
from core.security.secrets import decrypt, encrypt

ISSUE, REVOKE = "accounts.add_apikey", "accounts.change_apikey"
LIVE_KEYS_MAX = 2
KEY_BYTES = 32
CLIENT_NAME_LENGTH_MAX = 100
PREFIX_BYTES = 6
# last_used_at tells days apart, not requests: writing it each time would make every call a write.
LAST_USED_STEP = timedelta(minutes=5)


class TooManyKeys(Conflict):
    """The client has two live keys already."""

    code = "TOO_MANY_KEYS"
    default_message = gettext_noop("This client has two live keys already; revoke one first")


class ClientNameTaken(Conflict):
    """Another client has this name."""

    code = "CLIENT_NAME_TAKEN"
    default_message = gettext_noop("A client with this name exists already")


class KeyIsDead(Conflict):
    """The key was revoked or has expired."""

    code = "KEY_IS_DEAD"
    default_message = gettext_noop("This key is revoked or expired; issue a new one")


@dataclass(frozen=True, kw_only=True)
class IssuedKey:
    """A new key with the texts that are never shown again: ``text`` identifies, ``signing_secret`` signs requests."""

    key: ApiKey
    text: str
    signing_secret: str


@use_case
def create_client(
    *, name: str, game: Game | None, scopes: Sequence[str], now: datetime, expires_at: datetime | None = None
) -> IssuedKey:
    """A new client with its first key. Raises ``ClientNameTaken``, ``Invalid`` for a bad name or an unknown scope."""
    client = ApiClient(name=clean_name(name, max_length=CLIENT_NAME_LENGTH_MAX), game=game, created_at=now)
    if ApiClient.objects.filter(name=client.name).exists():
        raise ClientNameTaken
    client.save(force_insert=True)
    issued = _issue(client=client, scopes=scopes, now=now, expires_at=expires_at)
    trail.record(actor=None, action=gettext_noop("API client created"), target=client, now=now)
    _record(gettext_noop("API key issued"), issued.key, None, "", now)
    return issued


@use_case
def issue_key(
    *,
    client: ApiClient,
    scopes: Sequence[str],
    now: datetime,
    expires_at: datetime | None = None,
    actor: User | None = None,
    reason: str = "",
) -> IssuedKey:
    """A further key of the client.

    Raises ``NotPermitted``, ``TooManyKeys`` when two live already, ``Invalid`` for an unknown scope.
    """
    roles.require(actor, ISSUE)
    issued = _issue(client=client, scopes=scopes, now=now, expires_at=expires_at)
    _record(gettext_noop("API key issued"), issued.key, actor, reason, now)
    return issued


@use_case
def issue_key_for_game(
    *, game: Game, scopes: Sequence[str], now: datetime, actor: User | None = None, reason: str = ""
) -> IssuedKey:
    """A further key of the game's own client, which is made when the game has none. Raises what ``issue_key`` does."""
    roles.require(actor, ISSUE)
    client = ApiClient.objects.filter(game=game).order_by("id").first()
    if client is None:
        client = ApiClient.objects.create(game=game, name=f"{game.symbol} server", created_at=now)
        trail.record(actor=actor, action=gettext_noop("API client created"), target=client, reason=reason, now=now)
    issued = _issue(client=client, scopes=scopes, now=now, expires_at=None)
    _record(gettext_noop("API key issued"), issued.key, actor, reason, now)
    return issued


@use_case
def rotate_key(*, key: ApiKey, old_ends_at: datetime, actor: User | None, reason: str, now: datetime) -> IssuedKey:
    """A new key with the same scopes and expiry; the old one works until ``old_ends_at``, so that callers can change.

    Raises ``NotPermitted``, ``KeyIsDead``, and ``TooManyKeys`` when another one lives beside it.
    """
    roles.require(actor, ISSUE)
    old = live_keys(now=now).select_for_update(no_key=True, of=("self",)).filter(pk=key.pk).first()
    if old is None:
        raise KeyIsDead()
    issued = _issue(client=old.client, scopes=old.scopes, now=now, expires_at=old.expires_at)
    old.expires_at = min(old_ends_at, old.expires_at or old_ends_at)
    old.save(update_fields=["expires_at"])
    _record(gettext_noop("API key rotated"), old, actor, reason, now)
    _record(gettext_noop("API key issued"), issued.key, actor, reason, now)
    return issued


def _issue(*, client: ApiClient, scopes: Sequence[str], now: datetime, expires_at: datetime | None) -> IssuedKey:
    require_atomic()
    unknown = sorted(set(scopes) - set(ApiKey.Scope.values))
    if unknown or not scopes:
        raise Invalid(
            gettext_noop("Unknown key scopes: %(scopes)s"), scopes=", ".join(unknown) or gettext_lazy("none given")
        )
    ApiClient.objects.select_for_update(no_key=True).get(pk=client.pk)
    if live_keys(now=now).filter(client=client).count() >= LIVE_KEYS_MAX:
        raise TooManyKeys()
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(KEY_BYTES)
    signing_secret = secrets.token_hex(KEY_BYTES)
    key = ApiKey.objects.create(
        client=client,
        prefix=prefix,
        secret_sha256=_digest(secret),
        signing_secret_encrypted=encrypt(signing_secret.encode()),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        created_at=now,
    )
    return IssuedKey(key=key, text=f"gp_{prefix}_{secret}", signing_secret=signing_secret)


@use_case
def revoke_key(*, key: ApiKey, now: datetime, actor: User | None = None, reason: str = "") -> None:
    """End the key at once. Safe to repeat. Raises ``NotPermitted``."""
    roles.require(actor, REVOKE)
    _revoke(key, actor, reason, now)


@use_case
def revoke_all_keys(*, client: ApiClient, now: datetime, actor: User | None, reason: str) -> int:
    """End every key of the client at once; how many were ended. Safe to repeat. Raises ``NotPermitted``."""
    roles.require(actor, REVOKE)
    keys = ApiKey.objects.filter(client=client, revoked_at__isnull=True).select_related("client").order_by("id")
    return sum(_revoke(key, actor, reason, now) for key in keys)


def _revoke(key: ApiKey, actor: User | None, reason: str, now: datetime) -> bool:
    if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
        return False
    key.revoked_at = now
    _record(gettext_noop("API key revoked"), key, actor, reason, now)
    return True


def live_keys(*, now: datetime) -> QuerySet[ApiKey]:
    """Keys that are neither revoked nor expired."""
    return ApiKey.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)


def find_key(*, text: str, scope: str, now: datetime) -> ApiKey | None:
    """The live key with this text and scope, its client and game loaded; ``None`` for anything else. One statement.

    Notes the use at most once in five minutes.
    """
    head, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if head != "gp" or not secret or not text.isascii():
        return None
    key = live_keys(now=now).filter(prefix=prefix, client__is_active=True).select_related("client__game").first()
    if key is None or not hmac.compare_digest(key.secret_sha256, _digest(secret)) or scope not in key.scopes:
        return None
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def signing_secret(key: ApiKey) -> str:
    """The secret that the key's requests are signed with (HMAC)."""
    return decrypt(bytes(key.signing_secret_encrypted)).decode()


def _record(action: str, key: ApiKey, actor: User | None, reason: str, now: datetime) -> None:
    after = {
        "client": key.client.name,
        "scopes": key.scopes,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
    trail.record(actor=actor, action=action, target=key, reason=reason, after=after, now=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
