"""Session tokens: ES256 JWTs that a game's server shows for its players (building blocks).

The key pair is made on first use and kept in the database, the private half encrypted. A token names its key (``kid``).
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.db.transactions import require_atomic
from core.security.secrets import decrypt, encrypt
from payments.errors import SessionInvalid
from payments.models import SessionKey

ALGORITHM = "ES256"
_public_pems: dict[int, str] = {}
_CLAIMS = ("plyrId", "nonce", "gameId", "primaryAddress", "mirrorAddress", "iat", "exp")


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The claims of a genuine token; the session row decides whether it is still valid."""

    plyr_id: str
    game_public_id: str
    nonce: int
    expires_at: int
    payload: dict[str, Any]


def ensure_key(*, now: datetime) -> SessionKey:
    """Get or create the current key pair; concurrent processes end with the same one."""
    require_atomic()
    key = SessionKey.objects.filter(is_current=True).first()
    if key is None:
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        row = SessionKey(private_pem_encrypted=encrypt(pem), public_pem=public.decode(), created_at=now)
        SessionKey.objects.bulk_create([row], ignore_conflicts=True)
        key = SessionKey.objects.get(is_current=True)
    return key


def issue(*, key: SessionKey, payload: dict[str, Any]) -> str:
    """Sign a token with this payload; its times are whole seconds since 1970."""
    return jwt.encode(payload, _private_key(bytes(key.private_pem_encrypted)), ALGORITHM, {"kid": str(key.pk)})


def read(token: str) -> Claims:
    """The claims of a token that we signed, expired or not. Raises ``SessionInvalid``."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        public_pem = _public_pem(int(kid)) if isinstance(kid, str) and kid.isdecimal() and len(kid) < 19 else None
        if public_pem is None:
            raise SessionInvalid()
        payload = jwt.decode(
            token,
            public_pem,
            algorithms=[ALGORITHM],
            # Time is judged by the platform's clock, not by this host's.
            options={"verify_exp": False, "verify_iat": False, "require": list(_CLAIMS)},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise SessionInvalid() from error
    return Claims(
        plyr_id=payload["plyrId"],
        game_public_id=payload["gameId"],
        nonce=payload["nonce"],
        expires_at=payload["exp"],
        payload=payload,
    )


@lru_cache(maxsize=8)
def _private_key(sealed: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(decrypt(sealed), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _public_pem(key_id: int) -> str | None:
    """Cached by each process: keys never change, and are few."""
    if key_id not in _public_pems:
        known = SessionKey.objects.filter(pk=key_id).values_list("public_pem", flat=True).first()
        if known is None:
            return None
        _public_pems[key_id] = known
    return _public_pems[key_id]
