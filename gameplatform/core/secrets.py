"""Secrets at rest: encrypted with the first of ``FIELD_ENCRYPTION_KEYS``, readable with any of them (rotation)."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def _cipher() -> MultiFernet:
    if not settings.FIELD_ENCRYPTION_KEYS or not all(key.strip() for key in settings.FIELD_ENCRYPTION_KEYS):
        # A setting left empty, or a comma too many, would be a key that everybody knows.
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS must hold at least one key, and none may be empty")
    # Any text may serve as a key: Fernet wants exactly 32 bytes, which its SHA-256 gives.
    keys = [base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()) for key in settings.FIELD_ENCRYPTION_KEYS]
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: bytes) -> bytes:
    """Authenticated ciphertext of ``plain``, with the newest key."""
    return _cipher().encrypt(plain)


def decrypt(sealed: bytes) -> bytes:
    """The plain bytes again; raises ``cryptography.fernet.InvalidToken`` when no key fits."""
    return _cipher().decrypt(sealed)
