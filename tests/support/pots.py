"""A game, its server's key, and players with tokens and one-time passwords."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from django.test import Client

from accounts.api_keys import IssuedKey, issue_key
from accounts.models import ApiClient, ApiKey, Game
from core.db import clock
from payments import otp
from payments.audit import LEDGER_CHECKS
from payments.models import Account, Allowance, PlayerProfile, Pot, PotGame, PotMember, Transfer
from payments.players import create_player
from payments.pot_audit import POT_CHECKS
from tests.contracts.plyr_client import Answer, PlyrClient


@dataclass
class Person:
    """A player, and the authenticator app in its pocket."""

    profile: PlayerProfile
    secret: str
    jwt: str = ""

    @property
    def plyr_id(self) -> str:
        return self.profile.plyr_id

    def code(self, step: int = 0) -> str:
        moment = int(clock.now().timestamp()) // otp.STEP_SECONDS + step
        return pyotp.TOTP(self.secret).generate_otp(moment)


def send_by_django(method: str, path: str, data: bytes, headers: dict[str, str]) -> Answer:
    response = Client().generic(method, path, data, content_type="application/json", headers=headers)
    return Answer(response.status_code, response.json())


@pytest.fixture
def server_of(db) -> Callable[[Game], PlyrClient]:
    """``server_of(game)``: that game's server, with a key of its own."""
    numbers = itertools.count(1)

    def make(game: Game, scope: str = ApiKey.Scope.POTS) -> PlyrClient:
        client = ApiClient.objects.create(name=f"server {next(numbers)} of {game.name}", game=game)
        issued: IssuedKey = issue_key(client=client, scopes=[scope], now=clock.now())
        return PlyrClient(key=issued.text, secret=issued.signing_secret, send=send_by_django)

    return make


@pytest.fixture
def server(game, server_of) -> PlyrClient:
    """The game's server."""
    return server_of(game)


@pytest.fixture
def other_game(db) -> Game:
    return Game.objects.create(name="Another Game", symbol="OTHER")


@pytest.fixture
def person(db) -> Callable[..., Person]:
    """``person("alva-1")``: a new player."""

    def make(plyr_id: str, **given: Any) -> Person:
        made = create_player(plyr_id=plyr_id, user=given.get("user"), now=clock.now())
        return Person(profile=made.player, secret=pyotp.parse_uri(made.otpauth_uri).secret)

    return make


@pytest.fixture
def seated(person, server, fund) -> Callable[..., Person]:
    """``seated("alva-1")``: a player with 100.00 GOLD, logged in, who lets the game spend 50.00 of it."""

    def make(plyr_id: str, *, funds_minor: int = 10_000, allowed: Any = 50) -> Person:
        one = person(plyr_id)
        if funds_minor:
            fund(one.profile.user, funds_minor)
        answer = server.post(
            "/user/loginAndApprove",
            {"plyrId": plyr_id, "otp": one.code(), "gameId": "slot", "tokens": ["gold"], "amounts": [allowed]},
        )
        assert answer.status == 200, answer.body
        one.jwt = answer["sessionJwt"]
        return one

    return make


def pot_state() -> dict[str, Any]:
    """All that a refused request must leave as it was."""
    return {
        "balances": sorted(Account.objects.values_list("id", "balance_minor")),
        "transfers": Transfer.objects.count(),
        "pots": sorted(Pot.objects.values_list("id", "status", "members_count")),
        "members": sorted(PotMember.objects.values_list("pot_id", "player_id", "left_at")),
        "allowances": sorted(Allowance.objects.values_list("id", "amount_minor")),
        "numbers": sorted(PotGame.objects.values_list("game_id", "last_pot_number")),
    }


@contextmanager
def no_pot_moves() -> Iterator[None]:
    """Fails when money, pots, members or allowances changed inside the block."""
    before = pot_state()
    yield
    assert pot_state() == before


def pot_findings() -> list[str]:
    """What the auditors of the books and of the pots find wrong, in words."""
    return [f"{f.invariant} {f.where}: {f.what}" for check in (*LEDGER_CHECKS, *POT_CHECKS) for f in check.run()]


def account_of(pot: Pot) -> Account:
    """The pot's one account."""
    return Account.objects.get(escrow_id=pot.escrow_id)
