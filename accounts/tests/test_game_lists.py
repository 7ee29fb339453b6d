import pytest
from django.db import IntegrityError, transaction

from accounts.models import Game

LIST = "/api/v1/game-lists"
FIND = "/api/v1/game-lists/find-by-id"


@pytest.mark.parametrize("path", [LIST, f"{LIST}/"])
def test_the_list_holds_active_games_in_order_and_needs_no_token(api, game, django_assert_num_queries, path):
    Game.objects.create(name="Retired", symbol="OLD", status="inactive")
    other = Game.objects.create(name="Dice", symbol="DICE")

    with django_assert_num_queries(1):
        answer = api(None).get(path)

    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Game lists retrieved successfully",
        "data": [
            {"id": game.pk, "name": "Slot Machine", "symbol": "SLOT"},
            {"id": other.pk, "name": "Dice", "symbol": "DICE"},
        ],
    }


def test_a_game_is_found_by_its_id(api, game):
    answer = api(None).get(FIND, {"id": game.pk})

    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Game list retrieved successfully",
        "data": {"id": game.pk, "name": "Slot Machine", "symbol": "SLOT"},
    }


def test_an_unknown_game_is_not_found(api, game):
    answer = api(None).get(f"{FIND}/", {"id": 2**63 - 1})

    assert answer.status_code == 404
    assert answer.json() == {"statusCode": 404, "message": "Game list not found", "error": "Not Found"}


@pytest.mark.parametrize("bad", ["", "0", "-1", "01", "1.0", "1e3", "x", "１", str(2**63), "9" * 400, "1 ", "\0"])
def test_a_bad_id_is_refused(api, game, bad):
    answer = api(None).get(FIND, {"id": bad})

    assert answer.status_code == 400
    assert answer.json() == {
        "statusCode": 400,
        "message": "id: A whole number from 1 to 9223372036854775807 is required.",
        "error": "Bad Request",
    }


@pytest.mark.django_db
def test_a_missing_id_is_refused(api):
    assert api(None).get(FIND).json()["message"] == "id: This field is required."


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", "gone"),
        ("result_mode", "luck"),
        ("score_order", "up"),
        ("symbol", "slot"),
        ("symbol", ""),
        ("name", ""),
    ],
)
def test_the_database_itself_refuses_a_game_that_is_none(game, column, value):
    with pytest.raises(IntegrityError, match=f"accounts_game_{column}"), transaction.atomic():
        Game.objects.update(**{column: value})
