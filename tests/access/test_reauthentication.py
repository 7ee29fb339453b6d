"""Money moves only for who has just proven who it is."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from payments.models import Account, AdjustmentRequest
from rooms.models import Session
from tests.access.authenticating import equip
from tests.support.backoffice import acts, one_of_each, run_session
from tests.support.books import balance, nothing_moves
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)

# What hands out no money and no key that could, and shows nobody else what happens here: the words are the models' and
# the acts'.
HARMLESS = {
    *(f"rooms.room.{slug}" for slug in ("add", "edit", "pause", "resume", "remove")),
    *("accounts.apikey.revoke", "accounts.apiclient.revoke-all", "accounts.user.freeze", "accounts.user.unfreeze"),
    *(f"webhooks.endpoint.{slug}" for slug in ("test", "replay-dead", "disable", "enable", "remove")),
    "webhooks.delivery.replay",
}


@pytest.fixture(autouse=True)
def _asking(settings):
    settings.MONEY_REAUTHENTICATION_SECONDS = 600


@pytest.fixture
def time():
    with time_machine.travel(datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC), tick=False) as clock_hand:
        yield clock_hand


@pytest.fixture
def client(staff, time):
    """Staff with every right, signed in now."""
    browser = Client()
    answer = browser.post("/admin/login/", {"username": "staff", "password": "staff's password"})
    assert answer.status_code == 302
    return browser


@pytest.fixture
def world(staff, player, gold, make_room, people, fund, join):
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
    room = make_room()
    session = run_session(room, guests, join)
    return one_of_each(room=room, session=session, superuser=staff, player=player, gold=gold)


def kept(page):
    """The hidden fields of the question, as a browser would send them."""
    form = re.search(r'id="again-form".*?</form>', page, re.DOTALL).group()
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


def test_each_act_asks_or_is_known_harmless():
    asking = {name for name, _, act in acts() if act.needs_fresh_login}
    quiet = {name for name, _, act in acts() if not act.needs_fresh_login}
    assert {name for name in asking if name.startswith(("payments.", "accounts.user.", "rooms.session."))} >= {
        "accounts.user.deposit",
        "accounts.user.withdraw",
        "payments.adjustmentrequest.approve",
        "payments.token.release",
        "rooms.session.void",
        "rooms.session.retry",
    }
    assert {name for name in quiet if name.startswith(("payments.", "rooms.", "accounts.", "webhooks."))} == HARMLESS


def test_stale_session_performs_no_act(world, client, time, gold, make_room, join, player, fund):
    live = make_room()
    fund(player, 1_000)
    join(live, player)
    world["rooms.session"] = Session.objects.get(pk=live.current_session_id)
    time.shift(timedelta(seconds=601))
    form = {
        "reason": "because I want to",
        "request_key": "1",
        "token": gold.pk,
        "amount": "5",
        "scopes": "results",
        "expires_in_days": "",
        "old_lives_hours": "0",
        "name": "elsewhere",
        "url": "https://8.8.8.8/elsewhere",
        "types": ["session.ended"],
    }
    asked = set()
    for name, model, act in acts():
        if not act.needs_fresh_login:
            continue
        is_creation = act is getattr(admin.site._registry[model], "creation", None)
        url = reverse(
            f"admin:{name.rpartition('.')[0].replace('.', '_')}_{act.slug}",
            args=[] if is_creation else [world[model._meta.label_lower].pk],
        )
        if name == "accounts.user.reset-authenticator":
            equip(player)
        with nothing_moves():
            answer = client.post(url, form)
        assert answer.status_code == 200, name
        page = answer.content.decode()
        assert "again_password" in page, name
        assert "bo-secret" not in page, name
        asked.add(name)
    assert len(asked) == 17
    assert Endpoint.objects.get().url == "https://8.8.8.8/hooks"
    assert AdjustmentRequest.objects.get().state == "requested"
    world["rooms.session"].refresh_from_db()
    assert world["rooms.session"].status == "pending"


def test_deposit_goes_on_after_the_password(client, player, gold, time):
    url = reverse("admin:accounts_user_deposit", args=[player.pk])
    form = {"reason": 'for the "first" <prize>', "request_key": "once", "token": gold.pk, "amount": "5"}
    time.shift(601)
    page = client.post(url, form).content.decode()
    hidden = kept(page.replace("&quot;", '"').replace('"for the "first" &lt;prize&gt;"', '"for the &quot;first&quot;"'))
    assert (hidden["amount"], hidden["request_key"], hidden["token"]) == ("5", "once", str(gold.pk))
    with nothing_moves():
        wrong = client.post(url, {**form, "again_password": "a guess"})
    assert wrong.status_code == 400
    assert "This is not your password." in wrong.content.decode()
    assert "a guess" not in wrong.content.decode()
    done = client.post(url, {**form, "again_password": "staff's password"})
    assert done.status_code == 302
    assert balance(player) == 500
    time.shift(599)
    assert client.post(url, {**form, "request_key": "another"}).status_code == 302
    assert balance(player) == 1_000
    time.shift(2)
    assert "again_password" in client.post(url, {**form, "request_key": "third"}).content.decode()
    assert balance(player) == 1_000


def test_who_has_an_authenticator_gives_a_code_too(staff, client, player, gold, time):
    app, _ = equip(staff)
    url = reverse("admin:accounts_user_deposit", args=[player.pk])
    form = {"reason": "a gift", "request_key": "once", "token": gold.pk, "amount": "5"}
    time.shift(601)
    assert "again_code" in client.post(url, form).content.decode()
    with nothing_moves():
        alone = client.post(url, {**form, "again_password": "staff's password"})
        wrong = client.post(url, {**form, "again_password": "staff's password", "again_code": "000000"})
    assert (alone.status_code, wrong.status_code) == (400, 400)
    time.shift(2)
    both = {"again_password": "staff's password", "again_code": app.code()}
    assert client.post(url, {**form, **both}).status_code == 302
    assert balance(player) == 500


def test_invalid_form_is_corrected_before_the_password(client, player, gold, time):
    time.shift(601)
    url = reverse("admin:accounts_user_deposit", args=[player.pk])
    answer = client.post(url, {"reason": "a gift", "request_key": "once", "token": gold.pk, "amount": "much"})
    assert answer.status_code == 400
    assert "again_password" not in answer.content.decode()


def test_a_login_elsewhere_does_not_refresh_this_session(client, player, gold, time):
    time.shift(601)
    Client().post("/admin/login/", {"username": "staff", "password": "staff's password"})
    url = reverse("admin:accounts_user_deposit", args=[player.pk])
    form = {"reason": "a gift", "request_key": "once", "token": gold.pk, "amount": "5"}
    assert "again_password" in client.post(url, form).content.decode()
    assert not Account.objects.filter(owner=player, balance_minor__gt=0).exists()


def test_guessing_in_an_open_session_locks_out(client, player, gold, time, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3
    time.shift(601)
    url = reverse("admin:accounts_user_deposit", args=[player.pk])
    form = {"reason": "a gift", "request_key": "once", "token": gold.pk, "amount": "5"}
    statuses = [client.post(url, {**form, "again_password": "a guess"}).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]
    with nothing_moves():
        assert client.post(url, {**form, "again_password": "staff's password"}).status_code == 429


def test_the_question_can_be_switched_off(client, player, gold, time, settings):
    settings.MONEY_REAUTHENTICATION_SECONDS = 0
    time.shift(3_000)
    url = reverse("admin:accounts_user_deposit", args=[player.pk])
    form = {"reason": "a gift", "request_key": "once", "token": gold.pk, "amount": "5"}
    assert client.post(url, form).status_code == 302
    assert balance(player) == 500
