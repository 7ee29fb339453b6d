"""S7: no answer tells a stranger who has an email or a wallet address, and none keeps its owner out."""

import re

import pytest
from django.urls import reverse

from accounts.models import User
from core.db import clock
from payments import players
from payments.models import PlayerProfile

ME = "/api/v1/auth/me"


@pytest.fixture
def known(rival) -> User:
    """A user whose email and address a stranger would like to find."""
    User.objects.filter(pk=rival.pk).update(email="rival@example.com")
    return rival


@pytest.mark.parametrize(
    "taken", [{"wallet_address": "wallet-of-rival"}, {"email": "rival@example.com"}, {"email": "RIVAL@EXAMPLE.com"}]
)
def test_a_taken_address_is_answered_as_a_free_one(api, player, known, taken):
    free = {name: f"{value}x" for name, value in taken.items()}
    answers = [api(player).patch(ME, changes) for changes in (free, taken)]

    assert [answer.status_code for answer in answers] == [200, 200]
    [(name, value)] = taken.items()
    assert answers[1].json()["data"][name].lower() == value.lower()
    known.refresh_from_db()
    assert (known.email, known.wallet_address) == ("rival@example.com", "wallet-of-rival")


def test_registering_with_a_taken_email_tells_nothing(api, known):
    body = {"username": "newcomer", "password": "nine-lanterns-7", "email": "Rival@example.com"}

    assert api(None).post("/api/v1/auth/register", body).status_code == 201
    assert User.objects.filter(email__iexact="rival@example.com").count() == 2


def test_staff_may_give_two_users_one_address(client, staff, player, known):
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("admin:accounts_user_change", args=[player.pk])
    form = {"username": "player", "fullname": "", "avatar": "", "is_active": "on"}

    answer = client.post(page, form | {"email": "rival@example.com", "wallet_address": "wallet-of-rival"})

    assert answer.status_code == 302
    player.refresh_from_db()
    assert (player.email, player.wallet_address) == ("rival@example.com", "wallet-of-rival")


@pytest.mark.parametrize("address", ["<script>", "a b", "ab", "x" * 129, "ví", "a/b", "a\u202eb", "abc\n"])
def test_a_new_wallet_address_has_the_form(api, player, address):
    answer = api(player).patch(ME, {"wallet_address": address})

    assert answer.status_code == 400
    player.refresh_from_db()
    assert player.wallet_address == "wallet-of-player"


@pytest.mark.parametrize("address", ["abc", "x" * 128, "0x52908400098527886E0F7030069857D2E4169E", "eip155:1:a.b_c-d"])
def test_addresses_of_the_form_are_taken(api, player, address):
    assert api(player).patch(ME, {"wallet_address": address}).json()["data"]["wallet_address"] == address


def test_a_setting_asks_for_a_stricter_form(api, player, settings):
    settings.WALLET_ADDRESS_PATTERN = re.compile("0x[0-9a-f]{4}")

    assert api(player).patch(ME, {"wallet_address": "wallet-of-me"}).status_code == 400
    assert api(player).patch(ME, {"wallet_address": "0xbeefbeef"}).status_code == 400
    assert api(player).patch(ME, {"wallet_address": "0xbeef"}).status_code == 200


def test_an_older_address_stays_when_other_fields_change(api, client, staff, player):
    User.objects.filter(pk=player.pk).update(wallet_address="<old>")
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("admin:accounts_user_change", args=[player.pk])
    form = {"username": "player", "fullname": "Paula", "avatar": "", "email": "", "is_active": "on"}

    assert client.post(page, form | {"wallet_address": "<old>"}).status_code == 302
    assert api(player).patch(ME, {"fullname": "Paula P"}).status_code == 200
    assert client.post(page, form | {"wallet_address": "<new>"}).status_code == 200
    player.refresh_from_db()
    assert (player.fullname, player.wallet_address) == ("Paula P", "<old>")


def test_an_unproven_address_identifies_no_player_of_pots(player, rival):
    User.objects.filter(pk=rival.pk).update(wallet_address=player.wallet_address)
    rival.refresh_from_db()
    for plyr_id, user in (("rival-r", rival), ("paula-p", player)):
        players.create_player(plyr_id=plyr_id, user=user, now=clock.now())

    addresses = set(PlayerProfile.objects.values_list("primary_address", flat=True))
    assert len(addresses) == 2
    assert player.wallet_address not in addresses
