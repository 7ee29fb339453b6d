"""A key reads balances and profiles only of players who have to do with its game."""

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gold")]

PATHS = ("/user/balance/ada-lake", "/user/balance/ada-lake/gold", "/user/info/ada-lake")


@pytest.mark.parametrize("path", PATHS)
def test_stranger_of_a_game_is_unknown_to_it(server, person, path):
    person("ada-lake")
    answer = server.get(path)
    assert (answer.status, answer["code"]) == (404, "USER_NOT_FOUND")


@pytest.mark.parametrize("path", PATHS)
def test_another_games_session_opens_nothing(server, server_of, other_game, person, path):
    ada = person("ada-lake")
    assert server.post("/user/login", {"plyrId": "ada-lake", "otp": ada.code()}).status == 200
    assert server.get(path).status == 200
    assert server_of(other_game).get(path)["code"] == "USER_NOT_FOUND"
