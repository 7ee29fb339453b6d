"""The second factor: set up, asked for, replaced, and reset when a phone is lost."""

import base64
import enum
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import segno
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from django_otp.oath import TOTP

from accounts.errors import NotPermitted
from accounts.models import Authenticator, RecoveryCode
from core import trail
from core.db.transactions import require_atomic, use_case
from core.errors import Conflict, Invalid
from core.security import secrets as at_rest

SECRET_BYTES = 20
TOLERANCE_STEPS = 1
CODES_COUNT = 10
CODE_BYTES = 10
ISSUER = "gameplatform"
SESSION_KEY = "second_factor"


class WrongCode(Invalid):
    """Not the app's present code."""

    code = "WRONG_CODE"
    default_message = gettext_noop("This is not the app's present code")


class NothingToConfirm(Conflict):
    """No authenticator is being set up."""

    code = "NOTHING_TO_CONFIRM"
    default_message = gettext_noop("No authenticator is being set up; start again")


class NoAuthenticator(Conflict):
    """The user has no authenticator."""

    code = "NO_AUTHENTICATOR"
    default_message = gettext_noop("This user has no authenticator")


class Verdict(enum.Enum):
    """What became of a code. ``WAIT``: after wrong ones none is looked at for a while."""

    RIGHT = "right"
    WRONG = "wrong"
    WAIT = "wait"


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """A new secret, shown once: as text in base32, and as the address that a QR code holds."""

    secret: str
    address: str

    def picture(self) -> str:
        """The QR code as an SVG element, dark on light whatever the page's colours."""
        return str(segno.make(self.address, error="m").svg_inline(scale=5, border=4, light="white"))


def authenticator_of(user: Any) -> Authenticator | None:
    """The authenticator that this user signs in with."""
    found: Authenticator | None = Authenticator.objects.filter(user=user, confirmed=True).first()
    return found


def is_owed(request: HttpRequest) -> bool:
    """Whether this session of a member of staff still lacks the second factor that the platform requires."""
    return bool(settings.STAFF_TOTP_REQUIRED and request.user.is_staff and SESSION_KEY not in request.session)


def codes_left(user: Any) -> int:
    """How many recovery codes the user has not used."""
    return RecoveryCode.objects.filter(user=user).count()


@use_case
def begin(*, user: Any, now: datetime) -> Enrolment:
    """A new authenticator of the user, not yet counting; one that was begun before is forgotten."""
    Authenticator.objects.filter(user=user, confirmed=False).delete()
    secret = secrets.token_bytes(SECRET_BYTES)
    Authenticator.objects.create(
        user=user, name=ISSUER, confirmed=False, secret_encrypted=at_rest.encrypt(secret), created_at=now
    )
    text = base64.b32encode(secret).decode()
    label = quote(f"{ISSUER}:{user.get_username()}")
    return Enrolment(secret=text, address=f"otpauth://totp/{label}?secret={text}&issuer={ISSUER}")


def confirm(*, user: Any, code: str, now: datetime) -> list[str]:
    """Make the begun authenticator the one that counts; its recovery codes, shown once.

    An older one, and its codes, are gone then. Raises ``WrongCode``, ``NothingToConfirm``.
    """
    codes = _confirm(user=user, code=code, now=now)
    if codes is None:
        raise WrongCode
    return codes


@use_case
def _confirm(*, user: Any, code: str, now: datetime) -> list[str] | None:
    """``None`` is a wrong code, which an exception would make uncounted."""
    begun = Authenticator.objects.select_for_update().filter(user=user, confirmed=False).first()
    if begun is None:
        raise NothingToConfirm
    if not begun.verify_is_allowed()[0] or not _fits(begun, code, now):
        begun.throttle_increment()
        return None
    _, replaced = Authenticator.objects.filter(user=user, confirmed=True).delete()
    begun.confirmed = True
    begun.throttle_reset(commit=False)
    begun.save()
    action = gettext_noop("second factor replaced") if replaced else gettext_noop("second factor set up")
    trail.record(actor=user, action=action, target=user, now=now)
    return _new_codes(user, now)


@use_case
def renew_codes(*, user: Any, now: datetime) -> list[str]:
    """Ten new recovery codes, shown once; the old ones are worth nothing. Raises ``NoAuthenticator``."""
    if authenticator_of(user) is None:
        raise NoAuthenticator
    trail.record(actor=user, action=gettext_noop("recovery codes renewed"), target=user, now=now)
    return _new_codes(user, now)


@use_case
def verify(*, user: Any, code: str, now: datetime) -> Verdict:
    """Whether ``code`` is the app's present code, or a recovery code. Each is accepted once."""
    device = Authenticator.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is None:
        return Verdict.WRONG
    if not device.verify_is_allowed()[0]:
        return Verdict.WAIT
    is_recovery, _ = RecoveryCode.objects.filter(user=user, code_sha256=_digest(code)).delete()
    if not is_recovery and not _fits(device, code, now):
        device.throttle_increment()
        return Verdict.WRONG
    device.throttle_reset(commit=False)
    device.save()
    if is_recovery:
        trail.record(actor=user, action=gettext_noop("recovery code used"), target=user, now=now)
    return Verdict.RIGHT


def may_reset(*, actor: Any, user: Any) -> bool:
    """Whether the actor may reset this user's authenticator: a superuser, and never its own."""
    return bool(actor.is_active and actor.is_superuser and actor.pk != user.pk)


@use_case
def reset(*, user: Any, actor: Any, reason: str, now: datetime) -> None:
    """Take a user's authenticator and recovery codes away: the next login takes the password alone.

    Raises ``NotPermitted``, ``NoAuthenticator``.
    """
    if not may_reset(actor=actor, user=user):
        raise NotPermitted()
    removed, _ = Authenticator.objects.filter(user=user).delete()
    if not removed:
        raise NoAuthenticator
    RecoveryCode.objects.filter(user=user).delete()
    trail.record(actor=actor, action=gettext_noop("second factor reset"), target=user, reason=reason, now=now)


def _fits(device: Authenticator, code: str, now: datetime) -> bool:
    """Whether it is the code of now, or of a step beside it, and not used before; remembers it in ``device``."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdecimal()):
        return False
    totp = TOTP(at_rest.decrypt(bytes(device.secret_encrypted)), drift=device.drift)
    totp.time = now.timestamp()
    if not totp.verify(int(digits), TOLERANCE_STEPS, device.last_step + 1):
        return False
    device.last_step, device.drift = totp.t(), totp.drift
    return True


def _new_codes(user: Any, now: datetime) -> list[str]:
    require_atomic()
    RecoveryCode.objects.filter(user=user).delete()
    codes = [base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower() for _ in range(CODES_COUNT)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_sha256=_digest(code), created_at=now) for code in codes
    )
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def _digest(code: str) -> str:
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
