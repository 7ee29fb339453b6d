"""A game client plays from sign-up to delete against a server of its own address. Contract: rounds."""

import pytest

from accounts.models import Game
from core.db import clock
from rounds import access
from tests.contracts.gamefuse_client import GameFuseClient, Refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client_for(live_server):
    """``client_for()``: a client that has found the game."""
    game = Game.objects.create(name="Pineapple Swimming", symbol="PINEAPPLE")
    opened = access.open_access(game=game, now=clock.now())

    def make() -> GameFuseClient:
        client = GameFuseClient(f"{live_server.url}/api/v3")
        assert client.set_up_game(game.pk, opened.token)["name"] == "Pineapple Swimming"
        return client

    return make


def test_a_game_client_plays_from_sign_up_to_delete(client_for):
    first, second, third = (client_for() for _ in range(3))
    for client, name in ((first, "Lan"), (second, "Minh"), (third, "Đào Thị Hoa")):
        client.sign_up(f"user{name[0].encode().hex()}@players.example", "secret word", "secret word", name)
    first.sign_in(first.user["email"], "secret word")
    assert first.user["game_rounds"] == []

    single = first.create_round(multiplayer=False, game_type="Capture", metadata={"aliens": 0})
    assert single["multiplayer_game_round_id"] is None
    assert (single["score"], single["place"], single["end_time"]) == (None, None, None)
    updated = first.update_round(single["id"], score=3.96, end_time="2026-06-01T10:00:10.340Z", metadata={"aliens": 10})
    assert (updated["score"], updated["end_time"]) == (3.96, "2026-06-01T10:00:10.340Z")
    assert updated["metadata"] == {"aliens": 10}
    assert first.destroy_round(single["id"]) == "Game Round destroyed successfully!"
    assert first.rounds_of(first.user["id"]) == []

    opened = first.create_round(multiplayer=True, game_type="Swim", metadata={"aliens": 0})
    number = opened["multiplayer_game_round_id"]
    assert [(row["score"], row["place"], row["user"]["username"]) for row in opened["rankings"]] == [
        (None, None, "Lan")
    ]
    added = [
        first.create_round(
            multiplayer=True,
            game_type="Swim",
            multiplayer_game_round_id=number,
            game_user_id=other.user["id"],
            metadata=None,
        )
        for other in (second, third)
    ]
    assert len(added[-1]["rankings"]) == 3

    first.update_round(opened["id"], score=12.5)
    third.update_round(added[1]["id"], score=40)
    seen = second.update_round(added[0]["id"], score=30)
    assert seen["place"] == 2
    assert [(row["place"], row["score"], row["user"]["username"]) for row in seen["rankings"]] == [
        (1, 40, "Đào Thị Hoa"),
        (2, 30, "Minh"),
        (3, 12.5, "Lan"),
    ]
    assert first.show_round(opened["id"])["rankings"][0]["user"]["id"] == third.user["id"]
    assert [row["place"] for row in second.rounds_of(first.user["id"])] == [3]
    downloaded = second.download_user(first.user["id"])
    assert len(downloaded["game_rounds"][0]["rankings"]) == 3
    assert downloaded["authentication_token"] is None

    with pytest.raises(Refused) as refusal:
        second.destroy_round(opened["id"])
    assert (refusal.value.status, refusal.value.sentence) == (401, "Only the owner can change the game round")
    for row in (opened, *added):
        first.destroy_round(row["id"])
    assert third.rounds_of(third.user["id"]) == []


def test_a_game_client_uses_credits_attributes_and_leaderboards(client_for):
    client = client_for()
    client.sign_up("lan@players.example", "secret word", "secret word", "Lan")

    assert client.add_credits(25) == 25
    assert client.set_attributes({"level": "3", "color": "blue"}) == {"level": "3", "color": "blue"}
    client.add_leaderboard_entry("Deepest dive", 21, {"deaths": "15"})
    client.add_leaderboard_entry("Deepest dive", 34.5, {"deaths": "2"})

    best = client.leaderboard("Deepest dive", one_per_user=True)
    assert [(row["username"], row["score"], row["extra_attributes"]) for row in best] == [("Lan", 34.5, {"deaths": 2})]


def test_a_game_client_is_told_why_it_cannot_sign_up(client_for):
    client, other = client_for(), client_for()
    client.sign_up("lan@players.example", "secret word", "secret word", "Lan")

    with pytest.raises(Refused) as taken:
        other.sign_up("minh@players.example", "secret word", "secret word", "lan")
    with pytest.raises(Refused) as wrong:
        other.sign_in("lan@players.example", "another word")

    assert (taken.value.status, "has already been taken" in taken.value.sentence) == (422, True)
    assert wrong.value.status == 401
