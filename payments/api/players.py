"""The routes of players: sessions, allowances, balances (contract payments, "Players")."""

from typing import Any

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Game
from core.wire import plyr
from payments import allowances, player_access, pot_queries
from payments.api import inputs, outputs
from payments.api import player_schema as schema
from payments.api.base import SEGMENT, SignedViewSet
from payments.models import PlayerProfile, Token
from payments.pot_rows import ROWS_MAX

ADDRESS_LENGTH_MAX = 128


class PlayerViewSet(SignedViewSet):
    """Sessions of players, their balances and profiles."""

    @schema.log_in
    @action(detail=False, methods=["post"])
    def login(self, request: Request) -> HttpResponse:
        return self.once(lambda body: self._log_in(body, {}))

    @schema.log_in_and_approve
    @action(detail=False, methods=["post"], url_path="loginAndApprove", url_name="login-approve")
    def login_and_approve(self, request: Request) -> HttpResponse:
        return self.once(lambda body: self._log_in(body, inputs.approvals(body, required=True)))

    @schema.log_out
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> HttpResponse:
        return self.once(self._log_out)

    @schema.verify_session
    @action(detail=False, methods=["post"], url_path="session/verify", url_name="session-verify")
    def verify_session(self, request: Request) -> Response:
        token = inputs.session_token(self.body())
        return Response(outputs.VERIFIED.of(player_access.verify(token=token, game=self.game, now=self.now)))

    @schema.balances
    @action(detail=False, url_path=f"balance/(?P<plyr_id>{SEGMENT})", url_name="balances")
    def balances(self, request: Request, plyr_id: str) -> Response:
        return Response(outputs.balances(pot_queries.all_balances(self._known(plyr_id).user_id)))

    @schema.balance
    @action(detail=False, url_path=f"balance/(?P<plyr_id>{SEGMENT})/(?P<token>{SEGMENT})", url_name="balance")
    def balance(self, request: Request, plyr_id: str, token: str) -> Response:
        player = self._known(plyr_id)
        (asked,) = inputs.tokens_by_symbol([token])
        rows = pot_queries.all_balances(player.user_id)
        return Response(outputs.balances([row for row in rows if row.symbol == asked.symbol]))

    @schema.info
    @action(detail=False, url_path=f"info/(?P<plyr_id>{SEGMENT})", url_name="info")
    def info(self, request: Request, plyr_id: str) -> Response:
        return Response(outputs.PLAYER.of(self._known(plyr_id)))

    @schema.exists
    @action(detail=False, url_path=f"exists/(?P<text>{SEGMENT})", url_name="exists")
    def exists(self, request: Request, text: str) -> Response:
        is_plain = text.isprintable() and len(text) <= ADDRESS_LENGTH_MAX
        return Response(outputs.EXISTS.of({"exists": is_plain and pot_queries.exists(text)}))

    def _known(self, plyr_id: str) -> PlayerProfile:
        """A player that this game has to do with: any other is unknown to it."""
        return pot_queries.known_player(inputs.plyr_id({"plyrId": plyr_id}), game_id=self.game.pk, now=self.now)

    def _log_in(self, body: dict[str, Any], allowances_minor: dict[int, int]) -> dict[str, Any]:
        require_own_game(body, self.game, required=False)
        grant = player_access.log_in(
            plyr_id=inputs.plyr_id(body),
            code=inputs.code(body),
            game=self.game,
            guesser=self.guesser,
            lifetime_seconds=inputs.whole_number(body, "expiresIn", maximum=player_access.SESSION_SECONDS_MAX),
            allowances_minor=allowances_minor,
            now=self.now,
        )
        return outputs.SESSION.of(grant)

    def _log_out(self, body: dict[str, Any]) -> dict[str, Any]:
        player_access.log_out(token=inputs.session_token(body), game=self.game, now=self.now)
        return outputs.MESSAGE.of({"message": "Logout success"})


class AllowanceViewSet(SignedViewSet):
    """What a game may take from a player."""

    @schema.approve
    @action(detail=False, methods=["post"])
    def approve(self, request: Request) -> HttpResponse:
        return self.once(self._approve)

    @schema.revoke
    @action(detail=False, methods=["post"])
    def revoke(self, request: Request) -> HttpResponse:
        return self.once(self._revoke)

    @schema.allowance
    @action(
        detail=False,
        url_path=f"allowance/(?P<plyr_id>{SEGMENT})/(?P<game_id>{SEGMENT})/(?P<token>{SEGMENT})",
        url_name="left",
    )
    def left(self, request: Request, plyr_id: str, game_id: str, token: str) -> Response:
        require_own_game({"gameId": game_id}, self.game, required=True)
        (asked,) = inputs.tokens_by_symbol([token])
        left = allowances.left_minor(
            player_id=pot_queries.player(inputs.plyr_id({"plyrId": plyr_id})).pk,
            game_id=self.game.pk,
            token_id=asked.pk,
            now=self.now,
        )
        return Response(outputs.ALLOWANCE.of({"allowance": plyr.amount_value(left, decimals=asked.decimals)}))

    def _approve(self, body: dict[str, Any]) -> dict[str, Any]:
        require_own_game(body, self.game, required=True)
        player_access.approve(
            plyr_id=inputs.plyr_id(body),
            code=inputs.code(body),
            game=self.game,
            guesser=self.guesser,
            amounts_minor=inputs.approvals(body, required=True),
            lifetime_seconds=inputs.whole_number(body, "expiresIn", maximum=player_access.SESSION_SECONDS_MAX),
            now=self.now,
        )
        return outputs.APPROVED.of({"message": "Approved", "success": True})

    def _revoke(self, body: dict[str, Any]) -> dict[str, Any]:
        require_own_game(body, self.game, required=True)
        symbol = body.get("token")
        if symbol is None:
            raise plyr.Refused(401, "Token is required", code="TOKEN_REQUIRED")
        everything = isinstance(symbol, str) and symbol.lower() == inputs.ALL
        player_access.revoke(
            plyr_id=inputs.plyr_id(body),
            code=inputs.code(body),
            game=self.game,
            guesser=self.guesser,
            token_id=None if everything else inputs.tokens_by_symbol([symbol])[0].pk,
            now=self.now,
        )
        return outputs.MESSAGE.of({"message": "Revoked"})


class GuestViewSet(SignedViewSet):
    """Players without a password."""

    @schema.register_guest
    @action(detail=False, methods=["post"])
    def register(self, request: Request) -> HttpResponse:
        return self.once(self._register)

    def _register(self, body: dict[str, Any]) -> dict[str, Any]:
        symbols = body.get("tokens")
        if symbols is not None and (not isinstance(symbols, list) or len(symbols) > ROWS_MAX):
            raise plyr.bad_input("tokens must be a list of symbols")
        tokens = inputs.tokens_by_symbol(symbols or [])
        return outputs.SESSION.of(player_access.register_guest(game=self.game, tokens=tokens, now=self.now))


class SessionKeyViewSet(SignedViewSet):
    """The key that checks session tokens without asking the platform."""

    @schema.public_key
    @action(detail=False, url_path="publicKey", url_name="public-key")
    def public_key(self, request: Request) -> Response:
        return Response(outputs.PUBLIC_KEY.of({"publicKey": player_access.public_key(now=self.now)}))


class NowViewSet(SignedViewSet):
    """The platform's clock."""

    @schema.now
    def list(self, request: Request) -> Response:
        return Response(outputs.NOW.of({"now": self.now}))


class TokenListViewSet(plyr.PlyrViewSet):
    """The tokens, open to all callers: the list tells nothing of any player."""

    @schema.tokens
    def list(self, request: Request) -> Response:
        return Response(outputs.TOKENS.of(Token.objects.order_by("symbol")))


def require_own_game(body: dict[str, Any], game: Game, *, required: bool) -> None:
    """Refuse a ``gameId`` other than the key's own game, in any case: a player never allows another by mistake."""
    given = body.get("gameId")
    if given is None and not required:
        return
    if not isinstance(given, str) or given.lower() != player_access.game_public_id(game).lower():
        raise plyr.Refused(401, "Invalid gameId", code="INVALID_GAME")
