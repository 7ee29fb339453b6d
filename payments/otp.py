"""One-time passwords (TOTP, RFC 6238: SHA-1, 30 s, six digits): each code once, a pause after five wrong ones.

A building block that answers with a refusal instead of raising it, because the count of wrong codes must be committed.
"""

import hmac
from datetime import datetime, timedelta

import pyotp

from core.db.transactions import require_atomic
from core.errors import DomainError
from core.security.secrets import decrypt
from payments.errors import OtpInvalid, OtpLocked, OtpUsed, PlayerNotFound
from payments.models import PlayerProfile

STEP_SECONDS = 30
STEPS_ASIDE = 1
FAILURES_MAX = 5
LOCK = timedelta(seconds=60)


def consume(*, plyr_id: str, code: str, now: datetime) -> PlayerProfile | DomainError:
    """The locked player, whose code is used up; or the refusal, which the caller raises after its commit.

    In the contract's order: ``OtpUsed``, ``PlayerNotFound``, ``OtpLocked``, ``OtpInvalid`` (payments, "Players").
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
    if player.otp_locked_until is not None and now < player.otp_locked_until:
        return OtpLocked()
    if step is None:
        player.otp_failures += 1
        if player.otp_failures >= FAILURES_MAX:
            player.otp_failures, player.otp_locked_until = 0, now + LOCK
        player.save(update_fields=["otp_failures", "otp_locked_until"])
        return OtpInvalid()
    player.otp_used_steps = [used for used in player.otp_used_steps if used >= this_step - STEPS_ASIDE] + [step]
    player.otp_failures, player.otp_locked_until = 0, None
    player.save(update_fields=["otp_used_steps", "otp_failures", "otp_locked_until"])
    return player


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
