from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import api_keys
from accounts.models import ApiClient, ApiKey, Game
from core.db import clock
from core.errors import DomainError


class Command(BaseCommand):
    help = "Create an API client with a key (or, with --new-key, a further key of one). The key is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the client is called, for example the chat's tenant")
        scopes = ApiKey.Scope.values
        parser.add_argument("--scope", action="append", choices=scopes, dest="scopes", help="default: chat; repeatable")
        parser.add_argument("--game", metavar="SYMBOL", help="the game that the client acts for")
        parser.add_argument("--expires-days", type=int, metavar="DAYS", help="default: never")
        parser.add_argument("--new-key", action="store_true", help="the client exists: give it a second live key")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        days = options["expires_days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--expires-days must be from 1 to 36500.")
        terms: dict[str, Any] = {
            "scopes": options["scopes"] or [ApiKey.Scope.CHAT.value],
            "now": now,
            "expires_at": None if days is None else now + timedelta(days=days),
        }
        try:
            if options["new_key"]:
                issued = api_keys.issue_key(client=_client(options["name"]), **terms)
            else:
                issued = api_keys.create_client(name=options["name"], game=_game(options["game"]), **terms)
        except DomainError as error:
            raise CommandError(error.message) from error
        client = issued.key.client
        self.stdout.write(f"client:         {client.name}")
        self.stdout.write(f"client id:      {client.public_id}")
        self.stdout.write(f"scopes:         {', '.join(issued.key.scopes)}")
        self.stdout.write(f"key:            {issued.text}")
        self.stdout.write(f"signing secret: {issued.signing_secret}")
        self.stderr.write("Keep both now: they are not shown again.")


def _client(name: str) -> ApiClient:
    client = ApiClient.objects.filter(name=name).first()
    if client is None:
        raise CommandError(f"There is no client {name!r}.")
    return client


def _game(symbol: str | None) -> Game | None:
    if symbol is None:
        return None
    game = Game.objects.filter(symbol=symbol).first()
    if game is None:
        raise CommandError(f"There is no game {symbol!r}.")
    return game
