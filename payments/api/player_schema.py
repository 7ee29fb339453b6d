"""The players' operations of the pots API as the OpenAPI document shows them."""

from typing import Any

from rest_framework import serializers

from core.wire import plyr
from core.wire.openapi import Refusals, documented, in_path, shape
from core.wire.outputs import TEXT
from payments.api import outputs
from payments.api.pot_schema import AMOUNTS, JWT, PLYR_ID, SYMBOLS, TIME_SHOWN, member, operation, whole
from payments.errors import (
    GuestCannotLogOut,
    InvalidPlyrId,
    OtpInvalid,
    OtpLocked,
    OtpUsed,
    PlayerNotFound,
    SessionInvalid,
)
from payments.player_access import SESSION_SECONDS_MAX

_GAME_ID: dict[str, serializers.Field] = {
    "gameId": member({"type": "string", "description": "The key's own game."}),
}
_OPTIONAL_GAME_ID: dict[str, serializers.Field] = {
    "gameId": member({"type": "string", "description": "The key's own game."}, required=False),
}
_PASSWORD: dict[str, serializers.Field] = {
    "plyrId": member(PLYR_ID),
    "otp": member({"type": "string", "pattern": "^[0-9]{6}$", "description": "A one-time password; it works once."}),
}
_LASTING: dict[str, serializers.Field] = {
    "expiresIn": member(whole(SESSION_SECONDS_MAX, "Seconds."), required=False),
}
_APPROVED: dict[str, serializers.Field] = {
    "tokens": member(SYMBOLS, required=False),
    "amounts": member(AMOUNTS, required=False),
    "token": member(
        {"type": "string", "description": "With `amount`: one token instead of the lists."}, required=False
    ),
    "amount": member({"type": ["number", "string"]}, required=False),
}
_WRONG_GAME: Refusals = (plyr.Refused(401, "Invalid gameId", code="INVALID_GAME"),)
_OTP: Refusals = (InvalidPlyrId(), OtpUsed(), PlayerNotFound(), OtpLocked(), OtpInvalid())
_APPROVING: Refusals = (
    plyr.Refused(401, "Input params was incorrect.", code="INVALID_INPUT"),
    plyr.Refused(401, "Approve amount was incorrect.", code="INVALID_AMOUNT"),
    plyr.Refused(401, "Invalid token: nickel", code="INVALID_TOKEN"),
)
_SESSION: dict[str, Any] = {
    "sessionJwt": JWT,
    "plyrId": "ada-lake",
    "nonce": 4,
    "gameId": "lantern",
    "primaryAddress": "0x1f0c3f574d0e9d0c5b9b7c1d2e3f40362b8e6a1c",
    "mirrorAddress": "0x9d0c5b9b7c1d2e3f40362b8e6a1c1f0c3f574d0e",
    "avatar": "",
    "ippClaimed": False,
    "isIPP": False,
}
_PAYLOAD = {name: shown for name, shown in _SESSION.items() if name != "sessionJwt"}
_SESSION_BODY = shape("SessionJwtBody", sessionJwt=member(TEXT))
_IN_PATH = in_path("plyr_id", PLYR_ID, "The player.", example="ada-lake")
_TOKEN = in_path("token", {"type": "string"}, "The token's symbol, in any case.", example="gold")

log_in = operation(
    "logInPlayer",
    "Begin a player's session with a one-time password; an earlier one ends",
    tag="pot players",
    body=shape("PlayerLoginBody", **_PASSWORD, **_OPTIONAL_GAME_ID, **_LASTING),
    bodies={"a login": {"plyrId": "ada-lake", "otp": "123456", "expiresIn": 3600}},
    answer=outputs.SESSION.serializer,
    examples={"signed in": _SESSION},
    refusals=[*_WRONG_GAME, *_OTP, plyr.bad_input()],
)
log_in_and_approve = operation(
    "logInAndApprove",
    "Begin a player's session and set what the game may take",
    tag="pot players",
    body=shape("PlayerLoginApproveBody", **_PASSWORD, **_OPTIONAL_GAME_ID, **_LASTING, **_APPROVED),
    bodies={"a login": {"plyrId": "ada-lake", "otp": "123456", "tokens": ["gold"], "amounts": [50]}},
    answer=outputs.SESSION.serializer,
    examples={"signed in": _SESSION},
    refusals=[*_WRONG_GAME, *_OTP, *_APPROVING, plyr.bad_input()],
)
log_out = operation(
    "logOutPlayer",
    "End a player's session",
    tag="pot players",
    body=_SESSION_BODY,
    bodies={"a session": {"sessionJwt": JWT}},
    answer=outputs.MESSAGE.serializer,
    examples={"signed out": {"message": "Logout success"}},
    refusals=[SessionInvalid(), GuestCannotLogOut()],
)
verify_session = operation(
    "verifyPlayerSession",
    "Whether a session token counts, and for which player",
    tag="pot players",
    body=_SESSION_BODY,
    bodies={"a session": {"sessionJwt": JWT}},
    answer=outputs.VERIFIED.serializer,
    examples={
        "it counts": {"success": True, "isValid": True, "payload": _PAYLOAD | {"iat": 1772366400, "exp": 1772452800}}
    },
    refusals=[SessionInvalid()],
)
approve = operation(
    "approveAllowance",
    "Set what the game may take from a player, with a one-time password",
    tag="pot players",
    body=shape("ApproveBody", **_PASSWORD, **_GAME_ID, **_LASTING, **_APPROVED),
    bodies={
        "one token": {"plyrId": "ada-lake", "otp": "123456", "gameId": "lantern", "token": "gold", "amount": "50"},
        "two tokens": {
            "plyrId": "ada-lake",
            "otp": "123456",
            "gameId": "lantern",
            "tokens": ["gold", "gems"],
            "amounts": [50, 3],
        },
    },
    answer=outputs.APPROVED.serializer,
    examples={"approved": {"message": "Approved", "success": True}},
    refusals=[*_WRONG_GAME, *_OTP, *_APPROVING, plyr.bad_input()],
)
revoke = operation(
    "revokeAllowance",
    "Take back what the game may take from a player, with a one-time password",
    tag="pot players",
    body=shape("RevokeBody", **_PASSWORD, **_GAME_ID, token=member({"type": "string", "description": "Or `all`."})),
    bodies={"every token": {"plyrId": "ada-lake", "otp": "123456", "gameId": "lantern", "token": "all"}},
    answer=outputs.MESSAGE.serializer,
    examples={"revoked": {"message": "Revoked"}},
    refusals=[
        *_WRONG_GAME,
        *_OTP,
        plyr.Refused(401, "Token is required", code="TOKEN_REQUIRED"),
        plyr.Refused(401, "Invalid token: nickel", code="INVALID_TOKEN"),
    ],
)
allowance = operation(
    "getAllowance",
    "What the game may still take from a player",
    tag="pot players",
    parameters=[
        _IN_PATH,
        in_path("game_id", {"type": "string"}, "The key's own game.", example="lantern"),
        _TOKEN,
    ],
    answer=outputs.ALLOWANCE.serializer,
    examples={"what is left": {"allowance": 45}},
    refusals=[
        *_WRONG_GAME,
        plyr.Refused(401, "Invalid token: nickel", code="INVALID_TOKEN"),
        InvalidPlyrId(),
        PlayerNotFound(),
    ],
)
register_guest = operation(
    "registerGuest",
    "Make a guest with a session of a year; the game may spend what the guest will own of the tokens",
    tag="pot players",
    body=shape("GuestBody", tokens=member({key: SYMBOLS[key] for key in SYMBOLS if key != "minItems"}, required=False)),
    bodies={"a guest": {"tokens": ["gold"]}},
    answer=outputs.SESSION.serializer,
    examples={"a guest": _SESSION | {"plyrId": "ipp-7f3k2m", "nonce": 1, "isIPP": True}},
    refusals=[plyr.bad_input("tokens must be a list of symbols")],
)
balances = operation(
    "getPlayerBalances",
    "A player's balances",
    tag="pot players",
    parameters=[_IN_PATH],
    answer=outputs.BALANCES,
    examples={"two tokens": {"gems": "0", "gold": "39.5"}},
    refusals=[InvalidPlyrId(), PlayerNotFound()],
)
balance = operation(
    "getPlayerBalance",
    "A player's balance of one token",
    tag="pot players",
    parameters=[_IN_PATH, _TOKEN],
    answer=outputs.BALANCES,
    examples={"one token": {"gold": "39.5"}},
    refusals=[InvalidPlyrId(), PlayerNotFound(), plyr.Refused(401, "Invalid token: nickel", code="INVALID_TOKEN")],
)
info = operation(
    "getPlayerInfo",
    "A player's profile",
    tag="pot players",
    parameters=[_IN_PATH],
    answer=outputs.PLAYER.serializer,
    examples={
        "a player": {
            **{name: _SESSION[name] for name in outputs.PLAYER.members if name in _SESSION},
            "createdAt": TIME_SHOWN,
        }
    },
    refusals=[InvalidPlyrId(), PlayerNotFound()],
)
exists = operation(
    "playerExists",
    "Whether a player has this id or primary address",
    tag="pot players",
    parameters=[in_path("text", {"type": "string"}, "A plyrId or an address.", example="ada-lake")],
    answer=outputs.EXISTS.serializer,
    examples={"a player": {"exists": True}},
)
public_key = operation(
    "getSessionKey",
    "The key that checks session tokens",
    tag="pot players",
    answer=outputs.PUBLIC_KEY.serializer,
    examples={"a key": {"publicKey": "-----BEGIN PUBLIC KEY-----\nMFkw…\n-----END PUBLIC KEY-----\n"}},
)
now = operation(
    "getTime",
    "The platform's clock",
    tag="pot players",
    answer=outputs.NOW.serializer,
    examples={"now": {"now": TIME_SHOWN}},
)
tokens = documented(
    "listTokens",
    tag="pots",
    summary="The tokens, open to all callers",
    signed_in=False,
    answer=outputs.TOKENS.serializer,
    examples={
        "one token": {
            "name": "gameplatform",
            "tokens": [{"apiId": "gold", "symbol": "GOLD", "name": "Gold", "decimals": 2}],
        }
    },
    style=plyr.STYLE,
)
