"""Secrets of endpoints, and the signatures made with them (Standard Webhooks, symmetric: ``v1``)."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook

# The specification wants 24 to 64.
SECRET_BYTES = 32
PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh secret in the form that every Standard Webhooks library takes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(*, message_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The three headers of an attempt made at ``now``: one signature for each secret, the newest first."""
    text = body.decode()
    signatures = [Webhook(secret).sign(msg_id=message_id, timestamp=now, data=text) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
