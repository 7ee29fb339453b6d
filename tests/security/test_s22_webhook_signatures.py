"""S22: what webhooks are signed with. Every secret signs until the end that it was promised."""

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from core.db import clock
from webhooks import courier, endpoints
from webhooks.errors import TooManySecrets
from webhooks.models import Endpoint, OldSecret
from webhooks.tests.conftest import _private, listen, receiver, tell

__all__ = ["_private", "listen", "receiver"]

pytestmark = pytest.mark.django_db


def rotated(issued, *, now, hours):
    return endpoints.rotate_secret(
        endpoint_id=issued.endpoint.pk,
        among=endpoints.existing(),
        old_ends_at=now + timedelta(hours=hours),
        actor=None,
        now=now,
    )


def sent(receiver, *, now):
    tell(now=now)
    courier.advance(now=now)
    return receiver.got[-1]


def test_second_rotation_keeps_the_first_promise(listen, receiver):
    now = clock.now()
    first = listen()
    second = rotated(first, now=now, hours=24)
    third = rotated(first, now=now, hours=1)
    got = sent(receiver, now=now)
    assert got.verified(first.secret) == got.verified(second.secret) == got.verified(third.secret)
    assert len(got.headers["webhook-signature"].split(" ")) == 3


@pytest.mark.parametrize(("hours_ago", "alive"), [(0, {0, 1, 2}), (2, {0, 2}), (24, {2})])
def test_old_secrets_end_when_promised(listen, receiver, hours_ago, alive):
    now = clock.now()
    started = now - timedelta(hours=hours_ago)
    first = listen()
    issued = [first, rotated(first, now=started, hours=24), rotated(first, now=started, hours=1)]
    got = sent(receiver, now=now)
    for number, each in enumerate(issued):
        if number in alive:
            assert got.verified(each.secret)
        else:
            with pytest.raises(WebhookVerificationError):
                got.verified(each.secret)


def test_rotation_beyond_the_limit_changes_nothing(listen):
    now = clock.now()
    issued = listen()
    for _ in range(endpoints.OLD_SECRETS_MAX):
        rotated(issued, now=now, hours=24)
    before = bytes(Endpoint.objects.get().secret_encrypted)
    with pytest.raises(TooManySecrets):
        rotated(issued, now=now, hours=24)
    assert bytes(Endpoint.objects.get().secret_encrypted) == before
    rotated(issued, now=now + timedelta(hours=24), hours=24)
    assert not OldSecret.objects.exists()
