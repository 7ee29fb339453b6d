"""S19: names show what they are: nothing invisible in them, and none looks like another."""

import importlib
import time
from functools import partial

import pytest
from django.apps import apps
from django.urls import reverse

from accounts import roles
from accounts.errors import UsernameTaken
from accounts.models import User
from core.db import clock
from core.security.lookalikes import look_of
from core.security.names import has_hidden_characters
from rounds.models import Round
from tests.support.threads import kinds, together

PASSWORD = "nine-lanterns-7"


def register(client, username):
    return client.post("/api/v1/auth/register", {"username": username, "password": PASSWORD})


@pytest.mark.parametrize("username", ["рlayer", "plаyer", "РLАYЕR", "plɑyer"])
def test_a_name_that_looks_taken_is_refused(api, player, username):
    answer = register(api(None), username)

    assert (answer.status_code, answer.json()["message"]) == (409, "Username is already taken")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_plain_name_that_looks_like_anothers_is_refused(api):
    assert register(api(None), "сосо").status_code == 201
    assert register(api(None), "coco").status_code == 409
    assert register(api(None), "COCO").status_code == 409
    assert register(api(None), "cоcо").status_code == 409


@pytest.mark.django_db
@pytest.mark.parametrize("username", ["đặng", "thùy-linh", "сергей", "Ωmega", "太郎", "zoë", "player"])
def test_names_of_other_scripts_are_taken(api, username):
    assert register(api(None), username).status_code == 201
    answer = api(None).post("/api/v1/auth/login", {"username": username, "password": PASSWORD})
    assert answer.json()["data"]["user"]["username"] == username


@pytest.mark.django_db
@pytest.mark.parametrize("pair", [("modern", "modem"), ("player1", "playerl"), ("zoe", "zoë"), ("dang", "đang")])
def test_plain_letters_and_accents_are_told_apart(api, pair):
    assert [register(api(None), username).status_code for username in pair] == [201, 201]


def test_staff_cannot_give_a_lookalike_name(client, staff, player, rival):
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    form = {"username": "рlayer", "fullname": "", "avatar": "", "email": "", "is_active": "on"}

    answer = client.post(reverse("admin:accounts_user_change", args=[rival.pk]), form)

    assert "A user with that username already exists." in answer.content.decode()
    rival.refresh_from_db()
    assert rival.username == "rival"


def test_the_upgrade_notes_looks_and_leaves_twins_alone(player):
    twin = User.objects.create_user("coco")
    for name in ("сосо", "аdа"):
        User.objects.bulk_create([User(username=name)])
    migration = importlib.import_module("accounts.migrations.0011_lookalike_names")

    migration.note_looks(apps, None)

    looks = dict(User.objects.values_list("username", "username_look"))
    assert looks == {"player": "", twin.username: "", "сосо": "", "аdа": "ada"}
    with pytest.raises(UsernameTaken):
        roles.create_master(username="ada", password=PASSWORD, now=clock.now())


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_of_lookalikes_at_once_one_wins():
    names = ["coco", "сосо", "cоco", "coсo"]

    found = together(
        [partial(roles.create_master, username=name, password=PASSWORD, now=clock.now()) for name in names]
    )

    assert kinds(found) == {"MasterStep": 1, "UsernameTaken": 3}


def test_the_look_of_plain_and_strange_names():
    assert [look_of(name) for name in ("admin", "аdmin", "АDМIN", "đặng", "太郎")] == ["", "admin", "admin", "", ""]


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
RAINBOW_FLAG = "\U0001f3f3\ufe0f\u200d\U0001f308"
ASTRONAUT = "\U0001f469\U0001f3fd\u200d\U0001f680"
NODDING_FACE = "\U0001f642\u200d\u2195\ufe0f"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
SINHALA = "\u0dc1\u0dca\u200d\u0dbb\u0dd3"
DEVANAGARI = "\u0915\u094d\u200d\u0937"
KANNADA = "\u0cb0\u200d\u0ccd\u0c95"


@pytest.mark.parametrize(
    "text", [FAMILY, RAINBOW_FLAG, ASTRONAUT, NODDING_FACE, PERSIAN, SINHALA, DEVANAGARI, KANNADA, f"Go {FAMILY}!"]
)
def test_joiners_are_allowed_where_they_are_spelled(api, player, text):
    assert not has_hidden_characters(text)
    assert api(player).patch("/api/v1/auth/me", {"fullname": text}).json()["data"]["fullname"] == text


@pytest.mark.parametrize(
    "text",
    [
        *("ad\u200dmin", "ad\u200cmin", "admin\u200d", "\u200dadmin", "\u200c", "đ\u200dặng", "太\u200d郎", "1\u200d2"),
        *(f"{FAMILY}\u200d", f"\u200d{FAMILY}", "\U0001f468\u200d\u200d\U0001f469", "\U0001f468\u200dx"),
        *("\u0645\u200cx", "x\u200c\u0645", "\u0645\u200d\u06cc", "\u0645\u200c\u200c\u06cc"),
        *("a\u202eb", "a\u200bb", "a\u2066b", "a\ufeffb", "a\u00adb"),
    ],
)
def test_other_invisible_characters_are_refused(api, player, text):
    assert has_hidden_characters(text)
    assert api(player).patch("/api/v1/auth/me", {"fullname": text}).status_code == 400


def test_looking_for_joiners_costs_little():
    began = time.monotonic()
    has_hidden_characters("\U0001f468\u200d" * 1_000 + "\U0001f468")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("game_type", ["ab\u202ecd", "a\u200bb", "a\nb"])
def test_a_game_type_has_nothing_invisible(api, arcade, player, game_type):
    signed_in = api(player).post("/api/v3/sessions", {"game_id": arcade.pk}).json()
    body = {"game_user_id": signed_in["id"], "game_type": game_type}

    answer = api(None).post(
        "/api/v3/game_rounds", body, headers={"authentication-token": signed_in["authentication_token"]}
    )

    assert answer.status_code == 422
    assert answer.content == b"Game type must not contain control or invisible characters"
    assert not Round.objects.exists()
