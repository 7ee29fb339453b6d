from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connection

from accounts.errors import UsernameTaken
from accounts.models import User
from accounts.registration import register_user

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
GOOD = {"username": "newcomer", "password": "a fine password"}


def register(client, **fields):
    return client.post("/api/v1/auth/register", GOOD | fields)


def refused(status, message):
    reasons = {400: "Bad Request", 409: "Conflict"}
    return {"statusCode": status, "message": message, "error": reasons[status]}


@pytest.mark.django_db
def test_registering_answers_the_user_and_tokens_that_work(api):
    with time_machine.travel(NOON, tick=False):
        answer = register(api(None), email="New.Comer@EXAMPLE.com", fullname="Nguyễn Văn A")
        body = answer.json()
        data = body["data"]
        access, refresh = data.pop("access"), data.pop("refresh")
        assert api(None).get("/api/v1/auth/me", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 200
        assert api(None).post("/api/v1/auth/refresh", {"refresh": refresh}).status_code == 200

    user = User.objects.get()
    assert answer.status_code == 201
    assert body == {
        "message": "User registered successfully",
        "data": {
            "user": {
                "id": user.pk,
                "username": "newcomer",
                "email": "New.Comer@example.com",
                "fullname": "Nguyễn Văn A",
                "avatar": "",
                "wallet_address": None,
                "is_master": False,
            }
        },
    }
    assert user.date_joined == NOON
    assert user.check_password("a fine password")
    assert (user.is_staff, user.is_superuser, user.is_master) == (False, False, False)


@pytest.mark.parametrize("name", ["PLAYER", "player", "Ｐｌａｙｅｒ", "ᵖlayer"])
def test_a_name_is_taken_in_any_case_and_any_compatible_spelling(api, player, name):
    answer = register(api(None), username=name)

    assert (answer.status_code, answer.json()) == (409, refused(409, "Username is already taken"))
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_name_of_letters_beyond_ascii_is_taken_in_any_case(api):
    assert register(api(None), username="đặng").status_code == 201
    assert register(api(None), username="ĐẶNG").status_code == 409


@pytest.mark.django_db
def test_two_users_may_both_have_no_email(api):
    assert register(api(None)).status_code == 201
    assert register(api(None), username="another", email=None).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"password": "abc"}, "This password is too short. It must contain at least 8 characters."),
        ({"password": "password"}, "This password is too common."),
        ({"password": "newcomer1"}, "The password is too similar to the username."),
        ({"username": ""}, "username: This field may not be blank."),
        (
            {"username": "new\u200bcomer"},
            "username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        ),
        (
            {"username": "new\u115fcomer"},
            "username: This text must not contain control or invisible characters.",
        ),
        ({"username": "n" * 65}, "username: Ensure this value has at most 64 characters (it has 65)."),
        ({"fullname": "evil\u202egnp"}, "fullname: This text must not contain control or invisible characters."),
        ({"fullname": "two\nlines"}, "fullname: This text must not contain control or invisible characters."),
        ({"email": "no address"}, "email: Enter a valid email address."),
        ({"username": 7}, "username: Not a valid string."),
        ({"password": None}, "password: This field may not be null."),
        ({"password": "long" * 65}, "password: Ensure this field has no more than 256 characters."),
        ({"is_master": True}, "is_master: This field is not known here."),
        ({"wallet_address": "mine"}, "wallet_address: This field is not known here."),
    ],
)
def test_bad_input_is_refused_in_one_sentence(api, fields, message):
    answer = register(api(None), **fields)

    assert (answer.status_code, answer.json()) == (400, refused(400, message))
    assert User.objects.count() == 0


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_of_parallel_registrations_of_one_name_exactly_one_wins():
    spellings = ["newcomer", "NEWCOMER", "Newcomer", "nEWCOMER"]
    barrier, results = Barrier(len(spellings)), []

    def run(username):
        try:
            barrier.wait()
            register_user(username=username, password="a fine password", email=None, fullname="", now=NOON)
            results.append("won")
        except UsernameTaken:
            results.append("taken")
        finally:
            connection.close()

    threads = [Thread(target=run, args=[name]) for name in spellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == ["taken", "taken", "taken", "won"]
    assert User.objects.count() == 1
