"""Addresses of pots and players: stable labels in the look of an account address. Nothing is on a chain."""

import hashlib

_DOMAIN = "gameplatform-address-v1"


def address_of(*parts: str) -> str:
    """``0x`` and 40 hex digits, always the same for the same parts."""
    return "0x" + hashlib.sha256("|".join((_DOMAIN, *parts)).encode()).hexdigest()[:40]
