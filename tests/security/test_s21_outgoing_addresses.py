"""S21: where webhooks may go. Errors tell nothing of the network inside."""

import pytest

from core.db import clock
from webhooks import endpoints
from webhooks.errors import UrlRefused


def resolve_to(*addresses):
    return lambda host, port: list(addresses)


def not_found(host, port):
    raise OSError


@pytest.mark.parametrize("resolve", [resolve_to("10.0.0.7"), resolve_to(), not_found])
def test_inside_names_look_like_unknown_ones(settings, resolve):
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    with pytest.raises(UrlRefused) as refusal:
        endpoints.create(
            name="books",
            url="https://hooks.internal/",
            types=["session.ended"],
            client=None,
            user=None,
            actor=None,
            now=clock.now(),
            resolve=resolve,
        )
    assert refusal.value.message == "The URL's host is not on the public internet"
