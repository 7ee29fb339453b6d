"""One-time passwords (TOTP, RFC 6238: SHA-1, 30 s, six digits): each code once, a pause after five wrong ones.

A building block that answers with a refusal instead of raising it, because the count of wrong codes must be committed.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from core.db.transactions import require_atomic
from core.errors import DomainError
from core.security.secrets import decrypt
from payments.errors import OtpInvalid, OtpLocked, OtpUsed, PlayerNotFound
from payments.models import OtpGuard, PlayerProfile

STEP_SECONDS = 30
STEPS_ASIDE = 1
FAILURES_MAX = 5
LOCK = timedelta(seconds=60)
LOCK_MAX = timedelta(days=1)
# Wrong codes of one client, and from one address, whichever players they are for.
BUDGET_WINDOW = timedelta(hours=1)
CLIENT_FAILURES_MAX = 300
ADDRESS_FAILURES_MAX = 600


@dataclass(frozen=True, kw_only=True)
class Guesser:
    """Through whom a code comes: a client for its game, from an address."""

    game_id: int
    client_id: int
    address: str


def consume(*, plyr_id: str, code: str, guesser: Guesser, now: datetime) -> PlayerProfile | DomainError:
    """The locked player, whose code is used up; or the refusal, which the caller raises after its commit.

    In the contract's order: ``OtpUsed``, ``PlayerNotFound``, ``OtpLocked``, ``OtpInvalid`` (payments, "Players").
    A lock holds for the player in one game alone and doubles with each further five wrong codes; a right one ends it.
    """
    require_atomic()
    locked = PlayerProfile.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    player = locked.filter(plyr_id=plyr_id, user__is_active=True).first()
    if player is None:
        return PlayerNotFound()
    this_step = int(now.timestamp()) // STEP_SECONDS
    step = _matching_step(player, code, this_step)
    if step is not None and step in player.otp_used_steps:
        return OtpUsed()
    own = f"player:{player.pk}:game:{guesser.game_id}"
    budgets = {
        f"client:{guesser.client_id}": CLIENT_FAILURES_MAX,
        f"address:{guesser.address}": ADDRESS_FAILURES_MAX,
    }
    if OtpGuard.objects.filter(subject__in=[own, *budgets], locked_until__gt=now).exists():
        return OtpLocked()
    if step is None:
        _count_for_player(own, now)
        for subject, most in budgets.items():
            _count_in_budget(subject, most, now)
        return OtpInvalid()
    player.otp_used_steps = [used for used in player.otp_used_steps if used >= this_step - STEPS_ASIDE] + [step]
    player.save(update_fields=["otp_used_steps"])
    OtpGuard.objects.filter(subject=own).delete()
    return player


def forget_failures(player: PlayerProfile) -> None:
    """Unlock the player in every game: it has a new secret."""
    OtpGuard.objects.filter(subject__startswith=f"player:{player.pk}:").delete()


def _guard(subject: str, now: datetime) -> OtpGuard:
    """The locked count of a subject's wrong codes, with one more."""
    OtpGuard.objects.bulk_create([OtpGuard(subject=subject, since=now)], ignore_conflicts=True)
    guard = OtpGuard.objects.select_for_update(no_key=True).get(subject=subject)
    guard.failures += 1
    return guard


def _count_for_player(subject: str, now: datetime) -> None:
    guard = _guard(subject, now)
    locks, rest = divmod(guard.failures, FAILURES_MAX)
    if not rest:
        guard.locked_until = now + min(LOCK * 2 ** min(locks - 1, 20), LOCK_MAX)
    guard.save(update_fields=["failures", "locked_until"])


def _count_in_budget(subject: str, most: int, now: datetime) -> None:
    guard = _guard(subject, now)
    if guard.since <= now - BUDGET_WINDOW:
        guard.since, guard.failures = now, 1
    if guard.failures >= most:
        guard.locked_until = guard.since + BUDGET_WINDOW
    guard.save(update_fields=["since", "failures", "locked_until"])


def _matching_step(player: PlayerProfile, code: str, this_step: int) -> int | None:
    if player.otp_secret_encrypted is None:
        return None
    totp = pyotp.TOTP(decrypt(bytes(player.otp_secret_encrypted)).decode())
    given = code.encode("utf-8", "replace")
    found = None
    # Every step is compared, so that the time taken says nothing.
    for step in range(this_step - STEPS_ASIDE, this_step + STEPS_ASIDE + 1):
        if hmac.compare_digest(given, totp.generate_otp(step).encode()):
            found = step
    return found
