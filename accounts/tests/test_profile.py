import pytest
from django.db import IntegrityError, transaction

from accounts.models import User

ME = "/api/v1/auth/me"


def refused(status, message):
    reasons = {400: "Bad Request", 409: "Conflict"}
    return {"statusCode": status, "message": message, "error": reasons[status]}


def test_a_user_sees_itself(api, player):
    answer = api(player).get(f"{ME}/")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "message": "User retrieved successfully",
        "data": {
            "id": player.pk,
            "username": "player",
            "email": "player@example.com",
            "fullname": "Paula Player",
            "avatar": "",
            "wallet_address": "wallet-of-player",
            "is_master": False,
        },
    }


def test_a_user_connects_a_wallet_and_keeps_the_rest(api, player):
    answer = api(player).patch(ME, {"wallet_address": "0x52908400098527886E0F7030069857D2E4169EE7"})

    assert answer.status_code == 200
    assert answer.json()["message"] == "User updated successfully"
    assert answer.json()["data"]["wallet_address"] == "0x52908400098527886E0F7030069857D2E4169EE7"
    player.refresh_from_db()
    assert (player.wallet_address, player.email) == (
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "player@example.com",
    )


def test_a_user_disconnects_its_wallet_and_email_with_null(api, player):
    assert api(player).patch(ME, {"wallet_address": None, "email": None}).status_code == 200
    player.refresh_from_db()
    assert (player.wallet_address, player.email) == (None, None)


def test_an_empty_change_changes_nothing(api, player):
    before = User.objects.values().get()

    assert api(player).patch(ME, {}).json()["data"]["username"] == "player"
    assert User.objects.values().get() == before


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        (
            {"wallet_address": "<script>alert(1)</script>"},
            400,
            "wallet_address: This is not the form of a wallet address.",
        ),
        ({"wallet_address": "ab"}, 400, "wallet_address: This is not the form of a wallet address."),
        ({"wallet_address": ""}, 400, "wallet_address: This field may not be blank."),
        ({"wallet_address": "two words"}, 400, "wallet_address: This is not the form of a wallet address."),
        ({"wallet_address": "ví"}, 400, "wallet_address: This is not the form of a wallet address."),
        ({"wallet_address": "end\n"}, 400, "wallet_address: This is not the form of a wallet address."),
        ({"wallet_address": 5}, 400, "wallet_address: Not a valid string."),
        ({"avatar": "javascript:alert(1)"}, 400, "avatar: Enter a valid URL."),
        ({"fullname": None}, 400, "fullname: This field may not be null."),
        ({"username": "other"}, 400, "username: This field is not known here."),
        ({"is_master": True}, 400, "is_master: This field is not known here."),
        ({"id": 1}, 400, "id: This field is not known here."),
        ([], 400, "Invalid data. Expected a dictionary, but got list."),
    ],
)
def test_a_refused_change_changes_nothing(api, player, rival, changes, status, message):
    User.objects.filter(pk=rival.pk).update(email="rival@example.com")
    before = list(User.objects.order_by("pk").values())

    answer = api(player).patch(ME, changes)

    assert (answer.status_code, answer.json()) == (status, refused(status, message))
    assert list(User.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("address", ["", "two words", "ví", "line\nbreak", "end\n"])
def test_the_database_itself_refuses_a_wallet_address_that_is_none(player, address):
    with pytest.raises(IntegrityError, match="accounts_user_wallet_address_printable"), transaction.atomic():
        User.objects.update(wallet_address=address)
