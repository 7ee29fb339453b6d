"""Whose address a request came from, when proxies of our own stand before us."""

import ipaddress

from django.conf import settings

UNKNOWN = "unknown"


def client_address(peer: str | None, forwarded_for: str) -> str:
    """The caller's address: ``peer`` (of the connection) or what the outermost trusted proxy saw.

    With ``TRUSTED_PROXY_COUNT = n`` the last n entries of ``X-Forwarded-For`` were written by our own proxies, so the
    n-th from the right is the caller; what stands left of it is the caller's invention. A header with fewer entries
    did not come through them, and one that holds no address is no proxy's: then it is the peer. IPv6 callers are
    told apart by their /64, which is what one subscriber is given. ``"unknown"`` without any address.
    """
    count = settings.TRUSTED_PROXY_COUNT
    entries = [entry.strip() for entry in forwarded_for.split(",")]
    forwarded = _normal(entries[-count]) if 0 < count <= len(entries) else None
    return forwarded or _normal(peer or "") or UNKNOWN


def _normal(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
