"""A game that game clients can reach, its players, and clients in their names."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.api_keys import IssuedKey, issue_key
from accounts.models import ApiClient, Game
from core.db import clock
from rounds import access, players
from rounds.actors import Actor
from rounds.models import GameAccess
from rounds.players import SignedIn


@pytest.fixture
def arcade(db) -> GameAccess:
    """A game whose highest score wins."""
    return access.open_access(game=Game.objects.create(name="Arcade", symbol="ARCADE"), now=clock.now())


@pytest.fixture
def speedrun(db) -> GameAccess:
    """A game whose lowest score wins."""
    game = Game.objects.create(name="Speedrun", symbol="SPEEDRUN", score_order="asc")
    return access.open_access(game=game, now=clock.now())


@pytest.fixture
def enrol() -> Callable[..., SignedIn]:
    """``enrol(arcade, "ada")``: a player of the game, signed in; the email is ``ada@players.example``."""

    def make(of: GameAccess, name: str) -> SignedIn:
        return players.sign_up(
            game_id=of.pk,
            game_token=of.token,
            email=f"{name}@players.example",
            username=name,
            password="open sesame",
            password_confirmation="open sesame",
            now=clock.now(),
        )

    return make


@pytest.fixture
def ada(arcade, enrol) -> SignedIn:
    return enrol(arcade, "ada")


@pytest.fixture
def bob(arcade, enrol) -> SignedIn:
    return enrol(arcade, "bob")


@pytest.fixture
def as_player() -> Callable[[SignedIn | None], APIClient]:
    """``as_player(ada)``: a JSON client with her token; ``as_player(None)`` has none."""

    def make(signed_in: SignedIn | None) -> APIClient:
        client = APIClient()
        client.default_format = "json"
        if signed_in is not None:
            client.credentials(HTTP_AUTHENTICATION_TOKEN=signed_in.token)
        return client

    return make


@pytest.fixture
def actor() -> Callable[[SignedIn], Actor]:
    """``actor(ada)``: she, as the use cases want her."""
    return lambda signed_in: Actor(user=signed_in.user, token=signed_in.token)


@pytest.fixture
def server_key(arcade) -> IssuedKey:
    """The service key of the arcade's own server."""
    client = ApiClient.objects.create(name="arcade server", game=arcade.game)
    return issue_key(client=client, scopes=["rounds"], now=clock.now())
