"""Webhooks in the back-office, by who works with them."""

import pytest
from django.test import Client
from django.urls import reverse

from core.db import clock
from core.models import AuditEntry
from tests.support.backoffice import worker
from webhooks import courier
from webhooks.models import Delivery, Endpoint, Event
from webhooks.tests.conftest import only, tell

pytestmark = pytest.mark.django_db

REASON = {"reason": "because of ticket 7", "request_key": "1"}


@pytest.fixture
def office():
    client = Client()
    client.force_login(worker("operator"))
    return client


def act(office, name, obj, /, **more):
    return office.post(reverse(f"admin:webhooks_{obj._meta.model_name}_{name}", args=[obj.pk]), {**REASON, **more})


def secret_in(answer) -> str:
    assert answer.status_code == 200
    (_, secret) = answer.context["shown"].secrets[0]
    assert secret in answer.content.decode()
    return secret


def test_an_endpoint_is_made_tried_rotated_disabled_and_enabled(office, receiver):
    form = {"name": "books", "url": receiver.url(), "types": ["session.ended", "wallet.deposited"], **REASON}
    made = office.post(reverse("admin:webhooks_endpoint_add"), form)
    first = secret_in(made)
    assert not made.cookies.get("messages")
    endpoint = Endpoint.objects.get()
    assert (endpoint.name, endpoint.types, endpoint.owner_kind) == ("books", form["types"], "platform")

    page = office.get(reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])).content.decode()
    assert "books" in page
    assert "whsec_" not in page

    assert act(office, "test", endpoint).status_code == 302
    courier.advance(now=clock.now())
    assert receiver.got[0].verified(first)["type"] == "webhook.test"

    second = secret_in(act(office, "rotate", endpoint, old_lives_hours="1"))
    act(office, "test", endpoint)
    courier.advance(now=clock.now())
    assert receiver.got[1].verified(first) == receiver.got[1].verified(second)

    act(office, "disable", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == REASON["reason"]
    assert tell() == 0
    act(office, "enable", endpoint)
    assert tell() == 1
    act(office, "edit", endpoint, name="ledger", url=receiver.url("/new"), types=["session.ended"])
    courier.advance(now=clock.now())
    assert receiver.got[-1].path == "/new"
    act(office, "remove", endpoint)
    assert tell() == 0

    trail = list(AuditEntry.objects.order_by("id").values_list("action", "reason", "actor__username"))
    assert [entry[0] for entry in trail] == [
        "webhook endpoint created",
        "webhook test sent",
        "webhook secret rotated",
        "webhook test sent",
        "webhook endpoint disabled",
        "webhook endpoint enabled",
        "webhook endpoint changed",
        "webhook endpoint deleted",
    ]
    assert {entry[1:] for entry in trail} == {(REASON["reason"], "operator")}
    assert not [entry for entry in AuditEntry.objects.all() if "whsec_" in f"{entry.before}{entry.after}"]


def test_what_was_given_up_is_replayed_one_by_one_or_all_at_once(office, listen, receiver):
    endpoint = listen().endpoint
    for _ in range(3):
        tell()
    Delivery.objects.update(state="dead", finished_at=clock.now(), last_error="500 Internal Server Error")
    listed = office.get(reverse("admin:webhooks_delivery_changelist"), {"state__exact": "dead"}).content.decode()
    assert listed.count("500 Internal Server Error") == 3
    one = Delivery.objects.earliest("pk")
    assert act(office, "replay", one).status_code == 302
    assert act(office, "replay", one).status_code == 409
    assert act(office, "replay-dead", endpoint).status_code == 302
    assert courier.advance(now=clock.now()) == 3
    assert {got.id for got in receiver.got} == set(Event.objects.values_list("public_id", flat=True))


def test_a_look_does_nothing(office, listen):
    endpoint = listen().endpoint
    tell()
    Delivery.objects.update(state="dead", finished_at=clock.now())
    for name, obj in (("replay", only()), ("replay-dead", endpoint), ("disable", endpoint), ("rotate", endpoint)):
        url = reverse(f"admin:webhooks_{obj._meta.model_name}_{name}", args=[obj.pk])
        assert office.get(url).status_code == 200
    assert only().state == "dead"
    assert Endpoint.objects.get().disabled_at is None


def test_support_and_others_do_nothing(listen):
    endpoint = listen().endpoint
    tell()
    Delivery.objects.update(state="dead", finished_at=clock.now())
    for role in ("support", "finance", "moderator"):
        client = Client()
        client.force_login(worker(role))
        for name, obj in (("replay", only()), ("replay-dead", endpoint), ("disable", endpoint), ("rotate", endpoint)):
            assert act(client, name, obj).status_code == 403
        assert client.post(reverse("admin:webhooks_endpoint_add"), REASON).status_code == 403
    assert only().state == "dead"
    assert not AuditEntry.objects.filter(action__contains="replay").exists()


def test_an_endpoint_that_leads_inside_is_refused_on_the_page(office, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    form = {"name": "inside", "url": "https://127.0.0.1/", "types": ["session.ended"], **REASON}
    answer = office.post(reverse("admin:webhooks_endpoint_add"), form)
    assert answer.status_code == 409
    assert "not on the public internet" in answer.content.decode()
    assert Endpoint.objects.count() == 0


def test_what_a_tenants_users_say_is_for_who_may_read_the_chat(office, listen, staff):
    from_chat = listen("chat.message.created")
    Event.objects.create(
        public_id="msg_1", type="chat.message.created", data={"content": "a secret"}, occurred_at=clock.now()
    )
    assert from_chat.endpoint.types == ["chat.message.created"]
    url = reverse("admin:webhooks_event_change", args=[Event.objects.get().pk])
    assert "a secret" not in office.get(url).content.decode()
    reader = Client()
    reader.force_login(staff)
    assert "a secret" in reader.get(url).content.decode()
