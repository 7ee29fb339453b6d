"""Where webhooks may go: URLs that are well-formed, and addresses that are on the public internet (pure but for DNS).

A name is looked up, every address it has is checked, and the connection is made to an address that was checked
(`webhooks.sending`): a name that answers one thing to the check and another to the connection gains nothing.
"""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop

from webhooks.errors import UrlRefused
from webhooks.models import URL_LENGTH_MAX

Resolver = Callable[[str, int], Sequence[str]]

# Visible ASCII without what browsers and libraries read differently.
_PLAIN = re.compile(r"""[!-~]+""", re.ASCII)
_AMBIGUOUS = frozenset('\\<>"`{}|^')
_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)

_NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        # IPv4: the registry of special purposes (RFC 6890 and what came after), and what clouds put in public space.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
        # IPv6 within 2000::/3: protocol assignments with Teredo, 6to4, documentation.
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]
# Everything else of IPv6 is none: loopback, private, link-local, multicast, and IPv4 in disguise (mapped, NAT64).
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a URL leads."""

    host: str
    port: int


def target_of(url: str) -> Target:
    """The host and port of a URL that may be an endpoint's, as far as its text says. Raises ``UrlRefused``."""
    if len(url) > URL_LENGTH_MAX or not _PLAIN.fullmatch(url) or _AMBIGUOUS.intersection(url):
        raise UrlRefused(gettext_noop("The URL must be plain ASCII of at most %(max)s characters"), max=URL_LENGTH_MAX)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlRefused(gettext_noop("The URL cannot be read")) from None
    schemes = ("https", "http") if settings.WEBHOOKS_ALLOW_PRIVATE else ("https",)
    if parts.scheme not in schemes:
        raise UrlRefused(gettext_noop("The URL must begin with https://"))
    if "@" in parts.netloc:
        raise UrlRefused(gettext_noop("The URL must not hold a user name or password"))
    if "#" in url:
        raise UrlRefused(gettext_noop("The URL must not have a fragment"))
    port = port if port is not None else 443 if parts.scheme == "https" else 80
    if port not in settings.WEBHOOKS_PORTS and not settings.WEBHOOKS_ALLOW_PRIVATE:
        ports = " or ".join(str(allowed) for allowed in settings.WEBHOOKS_PORTS)
        raise UrlRefused(gettext_noop("The URL's port must be %(ports)s"), ports=ports)
    return Target(host=_host(parts.hostname or ""), port=port)


def _host(host: str) -> str:
    """A DNS name, or an address in its one plain spelling; ``127.1``, ``0x7f.1`` and the like are neither."""
    if ":" in host and "%" in host:
        raise UrlRefused(gettext_noop("The URL's host is no valid address"))
    if ":" in host or host.replace(".", "").isdecimal():
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            raise UrlRefused(gettext_noop("The URL's host is no valid address")) from None
    if not _NAME.fullmatch(host):
        raise UrlRefused(gettext_noop("The URL's host is no valid name"))
    return host


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, and nothing else by another name."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and (parsed.scope_id is not None or parsed not in _PUBLIC_IPV6):
        return False
    return not any(parsed in network for network in _NOT_PUBLIC if network.version == parsed.version)


def look_up(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver has for a name, in its order. Raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def public_addresses(target: Target, *, resolve: Resolver = look_up) -> Sequence[str]:
    """Where a connection to the target may go: all its addresses, if each is public. Raises ``UrlRefused``."""
    try:
        addresses = [target.host] if _is_address(target.host) else resolve(target.host, target.port)
    except (OSError, UnicodeError):
        raise unreachable() from None
    if not addresses:
        raise unreachable()
    if not settings.WEBHOOKS_ALLOW_PRIVATE and not all(is_public(address) for address in addresses):
        raise unreachable()
    return addresses


def unreachable() -> UrlRefused:
    """One answer for names that do not exist and names of this network, or a stranger could list the latter."""
    if settings.WEBHOOKS_ALLOW_PRIVATE:
        return UrlRefused(gettext_noop("The URL's host cannot be found"))
    return UrlRefused(gettext_noop("The URL's host is not on the public internet"))


def public_addresses_within(seconds: float, target: Target, *, resolve: Resolver = look_up) -> Sequence[str]:
    """As ``public_addresses``, which waits in a thread of its own: the system's look-up knows no deadline.

    Raises ``TimeoutError`` too.
    """
    found: Future[Sequence[str]] = Future()

    def look() -> None:
        try:
            found.set_result(public_addresses(target, resolve=resolve))
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=look, daemon=True).start()
    return found.result(timeout=seconds)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
