"""Rate limits on DRF views: ``throttle_classes = [throttle_for("joins", fail_open=False)]``."""

import math
from collections.abc import Callable

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from core.redis import ratelimit
from core.redis.ratelimit import Decision
from core.security.client_address import client_address
from core.wire.callers import caller_of

# Where a request carries what its throttle found.
_DECISION = "gameplatform.rate_limit"


def request_address(request: Request) -> str:
    """The caller's address, honouring ``TRUSTED_PROXY_COUNT``."""
    return client_address(request.META.get("REMOTE_ADDR"), request.META.get("HTTP_X_FORWARDED_FOR", ""))


class ScopeThrottle(BaseThrottle):
    """``scope`` limits the signed-in user, ``<scope>_ip`` every request of an address.

    The user's is the real limit; the address's is generous, because a house, a school or a proxy shares one. Of
    callers who are not signed in ``identity`` may make a name (a login's user name), which counts per address.
    """

    scope: str
    fail_open: bool
    identity: Callable[[Request], str | None] | None = None
    decision: Decision | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raises ``Unavailable`` when Redis is away and the scope fails closed."""
        address = request_address(request)
        buckets = [ratelimit.bucket(f"{self.scope}_ip", address)]
        name = self._name(request, address)
        if name is not None:
            buckets.insert(0, ratelimit.bucket(self.scope, name))
        self.decision = ratelimit.check(*buckets, fail_open=self.fail_open)
        request.META[_DECISION] = self.decision
        return self.decision.allowed

    def _name(self, request: Request, address: str) -> str | None:
        caller = caller_of(request)
        if caller is not None or self.identity is None:
            return caller
        named = self.identity(request)
        return None if named is None else f"{address}|{named}"

    def wait(self) -> float | None:
        """Seconds until the request would pass; DRF makes ``Retry-After`` of it."""
        return None if self.decision is None else self.decision.retry_after_seconds


def throttle_for(
    scope: str, *, fail_open: bool = True, identity: Callable[[Request], str | None] | None = None
) -> type[ScopeThrottle]:
    """The throttle class of a scope of ``settings.RATE_LIMITS``; routes that move money give ``fail_open=False``."""
    attributes = {
        "scope": scope,
        "fail_open": fail_open,
        "identity": None if identity is None else staticmethod(identity),
    }
    return type(f"{scope.title()}Throttle", (ScopeThrottle,), attributes)


def rate_limit_headers(request: Request) -> dict[str, str]:
    """``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset`` (whole seconds from now) of a request that was throttled."""
    decision: Decision | None = request.META.get(_DECISION)
    if decision is None:
        return {}
    return {
        "X-RateLimit-Limit": str(decision.limit),
        "X-RateLimit-Remaining": str(decision.remaining),
        "X-RateLimit-Reset": str(math.ceil(decision.reset_seconds)),
    }
