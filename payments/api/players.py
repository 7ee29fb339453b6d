"""The routes of players: sessions, allowances, balances (contract payments, "Players")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Game
from core.wire import plyr
from core.wire.fields import iso_ms
from payments import allowances, player_access, pot_queries
from payments.api import inputs, outputs
from payments.api.base import OnceView, SignedView
from payments.models import Token
from payments.pot_rows import ROWS_MAX

ADDRESS_LENGTH_MAX = 128


class LoginView(OnceView):
    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.log_in(body, {})

    def log_in(self, body: dict[str, Any], allowances_minor: dict[int, int]) -> dict[str, Any]:
        require_own_game(body, self.game, required=False)
        grant = player_access.log_in(
            plyr_id=inputs.plyr_id(body),
            code=inputs.code(body),
            game=self.game,
            lifetime_seconds=inputs.whole_number(body, "expiresIn", maximum=player_access.SESSION_SECONDS_MAX),
            allowances_minor=allowances_minor,
            now=self.now,
        )
        return outputs.session(grant)


class LoginAndApproveView(LoginView):
    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.log_in(body, inputs.approvals(body, required=True))


class LogoutView(OnceView):
    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        player_access.log_out(token=inputs.session_token(body), game=self.game, now=self.now)
        return {"message": "Logout success"}


class VerifySessionView(SignedView):
    def post(self, request: Request) -> Response:
        token = inputs.session_token(self.body())
        return Response(outputs.verified(player_access.verify(token=token, game=self.game, now=self.now)))


class RegisterGuestView(OnceView):
    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        symbols = body.get("tokens")
        if symbols is not None and (not isinstance(symbols, list) or len(symbols) > ROWS_MAX):
            raise plyr.bad_input("tokens must be a list of symbols")
        tokens = inputs.tokens_by_symbol(symbols or [])
        return outputs.session(player_access.register_guest(game=self.game, tokens=tokens, now=self.now))


class ApproveView(OnceView):
    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        require_own_game(body, self.game, required=True)
        player_access.approve(
            plyr_id=inputs.plyr_id(body),
            code=inputs.code(body),
            game=self.game,
            amounts_minor=inputs.approvals(body, required=True),
            lifetime_seconds=inputs.whole_number(body, "expiresIn", maximum=player_access.SESSION_SECONDS_MAX),
            now=self.now,
        )
        return {"message": "Approved", "success": True}


class RevokeView(OnceView):
    def act(self, body: dict[str, Any]) -> dict[str, Any]:
        require_own_game(body, self.game, required=True)
        symbol = body.get("token")
        if symbol is None:
            raise plyr.Refused(401, "Token is required", code="TOKEN_REQUIRED")
        everything = isinstance(symbol, str) and symbol.lower() == inputs.ALL
        player_access.revoke(
            plyr_id=inputs.plyr_id(body),
            code=inputs.code(body),
            game=self.game,
            token_id=None if everything else inputs.tokens_by_symbol([symbol])[0].pk,
            now=self.now,
        )
        return {"message": "Revoked"}


class AllowanceView(SignedView):
    def get(self, request: Request, plyr_id: str, game_id: str, token: str) -> Response:
        require_own_game({"gameId": game_id}, self.game, required=True)
        (asked,) = inputs.tokens_by_symbol([token])
        left = allowances.left_minor(
            player_id=pot_queries.player(inputs.plyr_id({"plyrId": plyr_id})).pk,
            game_id=self.game.pk,
            token_id=asked.pk,
            now=self.now,
        )
        return Response({"allowance": plyr.amount_value(left, decimals=asked.decimals)})


class BalanceView(SignedView):
    def get(self, request: Request, plyr_id: str, token: str | None = None) -> Response:
        player = pot_queries.player(inputs.plyr_id({"plyrId": plyr_id}))
        rows = pot_queries.all_balances(player.user_id)
        if token is not None:
            (asked,) = inputs.tokens_by_symbol([token])
            rows = [row for row in rows if row.symbol == asked.symbol]
        return Response(outputs.balances(rows))


class InfoView(SignedView):
    def get(self, request: Request, plyr_id: str) -> Response:
        return Response(outputs.player_info(pot_queries.player(inputs.plyr_id({"plyrId": plyr_id}))))


class ExistsView(SignedView):
    def get(self, request: Request, text: str) -> Response:
        is_plain = text.isprintable() and len(text) <= ADDRESS_LENGTH_MAX
        return Response({"exists": is_plain and pot_queries.exists(text)})


class PublicKeyView(SignedView):
    def get(self, request: Request) -> Response:
        return Response({"publicKey": player_access.public_key(now=self.now)})


class NowView(SignedView):
    def get(self, request: Request) -> Response:
        return Response({"now": iso_ms(self.now)})


class TokenListView(plyr.PlyrView):
    """Open to everybody: the list says nothing of anybody."""

    def get(self, request: Request) -> Response:
        return Response(outputs.token_list(list(Token.objects.order_by("symbol"))))


def require_own_game(body: dict[str, Any], game: Game, *, required: bool) -> None:
    """``gameId`` is the key's own game, in any case: a player allows one game something, never another by mistake."""
    given = body.get("gameId")
    if given is None and not required:
        return
    if not isinstance(given, str) or given.lower() != player_access.game_public_id(game).lower():
        raise plyr.Refused(401, "Invalid gameId", code="INVALID_GAME")
