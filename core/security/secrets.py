"""Secrets at rest: encrypted with the first of ``FIELD_ENCRYPTION_KEYS``, readable with any of them (rotation)."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def _cipher() -> MultiFernet:
    if not settings.FIELD_ENCRYPTION_KEYS or not all(key.strip() for key in settings.FIELD_ENCRYPTION_KEYS):
        # A setting left empty, or a comma too many, would be a key that everybody knows.
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS must hold at least one key, and none may be empty")
    return MultiFernet([_fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def _fernet(key: str) -> Fernet:
    # Any text may serve as a key: Fernet wants exactly 32 bytes, which its SHA-256 gives.
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))


def encrypt(plain: bytes) -> bytes:
    """Authenticated ciphertext of ``plain``, with the newest key."""
    return _cipher().encrypt(plain)


def decrypt(sealed: bytes) -> bytes:
    """The plain bytes again; raises ``cryptography.fernet.InvalidToken`` when no key fits."""
    return _cipher().decrypt(sealed)


def is_current(sealed: bytes) -> bool:
    """Whether ``sealed`` is encrypted with the first key."""
    try:
        _fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(sealed)
    except InvalidToken:
        return False
    return True


def rotate(sealed: bytes) -> bytes:
    """The same secret, encrypted with the first key; raises ``cryptography.fernet.InvalidToken`` when no key fits."""
    return _cipher().rotate(sealed)
