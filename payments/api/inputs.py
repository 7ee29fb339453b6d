"""Reading what game servers send: each reader takes one member and says no in the contract's words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.amounts import InvalidAmount, parse_amount
from core.wire import plyr
from payments.errors import InvalidPlyrId, PotNotFound
from payments.models import Token
from payments.player_access import Bearer
from payments.players import clean_plyr_id
from payments.pot_rows import ROWS_MAX, Row, Seat

_SYMBOL = re.compile(r"[A-Za-z0-9_]{1,20}", re.ASCII)
_WHOLE = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
ID_MAX = 2**63 - 1
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Stakes:
    """The parallel ``tokens`` and ``amounts`` of a request: by position, the token and its minor units."""

    tokens: list[Token]
    amounts_minor: list[int]


def whole_number(body: Mapping[str, Any], name: str, *, maximum: int) -> int | None:
    """A whole number from 1 to ``maximum``, as a JSON number or a numeric string; ``None`` when absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, Decimal) and value == value.to_integral_value() and value.adjusted() < 19:
        value = int(value)
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not _WHOLE.fullmatch(text) or int(text) > maximum:
        raise plyr.bad_input(f"{name} must be a whole number from 1 to {maximum}")
    return int(text)


def is_true(body: Mapping[str, Any], name: str) -> bool:
    """Whether a flag is set; clients that build bodies from text send ``"true"``."""
    value = body.get(name)
    return value is True or value == "true"


def pot_number(body: Mapping[str, Any]) -> int:
    """``roomId``: a decimal string or a JSON number. Raises ``PotNotFound`` for one that no room can have."""
    value = body.get("roomId")
    if value is None or value == "":
        raise plyr.Refused(400, "roomId is required", code="ROOM_ID_REQUIRED")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise plyr.bad_input("roomId must be a string or a number")
    text = str(value)
    if not _WHOLE.fullmatch(text) or int(text) > ID_MAX:
        raise PotNotFound()
    return int(text)


def plyr_id(body: Mapping[str, Any], name: str = "plyrId") -> str:
    """A plyrId in its one form. Raises ``InvalidPlyrId``."""
    value = body.get(name)
    if not isinstance(value, str):
        raise InvalidPlyrId()
    return clean_plyr_id(value)


def plyr_ids(body: Mapping[str, Any]) -> list[str]:
    """``plyrIds``: 1 to 100 of them, in their order."""
    value = body.get("plyrIds")
    if not isinstance(value, list) or not value:
        raise plyr.bad_input("plyrIds must be a list of players")
    _bound(value)
    return [plyr_id({"plyrId": one}) for one in value]


def code(body: Mapping[str, Any]) -> str:
    """``otp``; whatever is not a text is a code that fits nowhere."""
    value = body.get("otp")
    return value if isinstance(value, str) else ""


def session_token(body: Mapping[str, Any]) -> str:
    value = body.get("sessionJwt")
    return value if isinstance(value, str) else ""


def session_tokens(body: Mapping[str, Any]) -> list[str]:
    """``sessionJwts``: 1 to 100 texts. An object of plyrId → token, as older clients send, counts by its values."""
    value = body.get("sessionJwts")
    if isinstance(value, dict):
        value = list(value.values())
    if not value or not isinstance(value, list):
        raise plyr.Refused(400, "sessionJwts is empty", code="SESSION_JWTS_EMPTY")
    _bound(value)
    return [token if isinstance(token, str) else "" for token in value]


def seats(bearers: Sequence[Bearer]) -> list[Seat]:
    """The players behind the tokens; "bad JWT 401 `{error, invalidPlyrIds:{id: reason}}`" (contract, "Rooms")."""
    refused = {bearer.plyr_id: bearer.refusal for bearer in bearers if bearer.seat is None}
    if refused:
        raise plyr.Refused(401, "Invalid sessionJwts", code="INVALID_SESSION", invalidPlyrIds=refused)
    return [bearer.seat for bearer in bearers if bearer.seat is not None]


def stakes(body: Mapping[str, Any], *, uneven: plyr.Refused) -> Stakes:
    """``tokens`` and ``amounts``: "tokens missing 401 `Token is required`; unknown 401 `Invalid token: X`".

    ``uneven`` is what the route says when there are not as many of one as of the other.
    """
    symbols, amounts = body.get("tokens"), body.get("amounts")
    if symbols is None or symbols == []:
        raise plyr.Refused(401, "Token is required", code="TOKEN_REQUIRED")
    if not isinstance(symbols, list):
        raise plyr.bad_input("tokens must be a list of symbols")
    _bound(symbols)
    tokens = tokens_by_symbol(symbols)
    if not isinstance(amounts, list) or len(amounts) != len(symbols):
        raise uneven
    parsed = [minor_units(amount, token) for amount, token in zip(amounts, tokens, strict=True)]
    wrong = [f"Invalid amount: {shown(a)}" for a, minor in zip(amounts, parsed, strict=True) if minor is None]
    if wrong:
        # The contract lists each by itself.
        raise plyr.Refused(401, "; ".join(wrong), code="INVALID_AMOUNT", error=wrong)
    return Stakes(tokens=tokens, amounts_minor=[minor for minor in parsed if minor is not None])


def tokens_by_symbol(symbols: Sequence[Any]) -> list[Token]:
    """The tokens of these symbols, in their order and any case. One statement."""
    # Only ASCII has a simple other case: what is no symbol in any case is not asked for.
    wanted = {symbol.upper() for symbol in symbols if isinstance(symbol, str) and _SYMBOL.fullmatch(symbol)}
    known = {token.symbol: token for token in Token.objects.filter(symbol__in=wanted)}
    found = []
    for symbol in symbols:
        token = known.get(symbol.upper()) if isinstance(symbol, str) else None
        if token is None:
            raise plyr.Refused(401, f"Invalid token: {shown(symbol)}", code="INVALID_TOKEN")
        found.append(token)
    return found


def rows(players: Sequence[Seat], given: Stakes, *, uneven: plyr.Refused) -> tuple[Row, ...]:
    """One row per position; raises ``uneven`` when there are not as many players as tokens."""
    if len(players) != len(given.tokens):
        raise uneven
    return tuple(
        Row(
            player_id=seat.player_id,
            plyr_id=seat.plyr_id,
            token_id=token.pk,
            symbol=token.symbol,
            decimals=token.decimals,
            amount_minor=amount,
        )
        for seat, token, amount in zip(players, given.tokens, given.amounts_minor, strict=True)
    )


def approvals(body: Mapping[str, Any], *, required: bool) -> dict[int, int]:
    """What to allow, token id → minor units: ``tokens`` and ``amounts``, or one ``token`` and ``amount``."""
    symbols, amounts = body.get("tokens"), body.get("amounts")
    if body.get("token") is not None:
        symbols, amounts = [body["token"]], [body.get("amount")]
    if symbols is None and not required:
        return {}
    if not isinstance(symbols, list) or not isinstance(amounts, list) or len(symbols) != len(amounts) or not symbols:
        raise plyr.Refused(401, "Input params was incorrect.", code="INVALID_INPUT")
    _bound(symbols)
    granted: dict[int, int] = {}
    for token, amount in zip(tokens_by_symbol(symbols), amounts, strict=True):
        minor = minor_units(amount, token)
        if not minor:
            raise plyr.Refused(401, "Approve amount was incorrect.", code="INVALID_AMOUNT")
        granted[token.pk] = minor
    return granted


def minor_units(value: Any, token: Token) -> int | None:
    """An amount in the token's minor units; ``None`` for what is not one."""
    text = plyr.amount_text(value)
    try:
        return None if text is None else parse_amount(text, decimals=token.decimals)
    except InvalidAmount:
        return None


def shown(value: Any) -> str:
    """A wrong value as an error repeats it: short."""
    return str(value)[:64]


def _bound(items: Sequence[Any]) -> None:
    if len(items) > ROWS_MAX:
        raise plyr.bad_input(f"At most {ROWS_MAX} rows")
