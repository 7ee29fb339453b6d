"""The account and game-list operations as the OpenAPI document shows them."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions

from accounts.api import outputs
from accounts.api.serializers import (
    LoginInput,
    ProfileInput,
    RefreshInput,
    RegisterInput,
    StepUpInput,
)
from accounts.api.signed import SignedKeyAuthentication
from accounts.errors import (
    GameNotFound,
    InvalidCredentials,
    InvalidToken,
    UsernameTaken,
    WeakPassword,
)
from accounts.second_factor import NoAuthenticator, WrongCode
from core.wire.openapi import ID, documented, envelope, query


class SignedKeyScheme(OpenApiAuthenticationExtension):
    """All three headers together; ``accounts.api.signed`` says what is signed."""

    target_class = SignedKeyAuthentication
    match_subclasses = True
    name = ["apiKey", "signedAt", "signature"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        headers = {
            "X-Api-Key": "The key of a game's server.",
            "X-Timestamp": "Epoch milliseconds; a request is good for five minutes.",
            "X-Signature": "Lower-case hex HMAC-SHA256 with the key's signing secret over method, path, timestamp and"
            " the hex SHA-256 of the body, joined by newlines.",
        }
        return [{"type": "apiKey", "in": "header", "name": name, "description": text} for name, text in headers.items()]


USER: dict[str, Any] = {
    "id": 21,
    "username": "linh.d",
    "email": "linh@example.com",
    "fullname": "Linh Đặng",
    "avatar": "",
    "wallet_address": "gp1q8linhwallet0001",
    "is_master": False,
}
TOKENS: dict[str, Any] = {"access": "eyJhbGciOi…access", "refresh": "eyJhbGciOi…refresh", "user": USER}
GAME: dict[str, Any] = {"id": 3, "name": "Lucky Lanterns", "symbol": "LANTERN"}

register = documented(
    "register",
    tag="auth",
    summary="Create a player and sign it in",
    signed_in=False,
    status=201,
    body=RegisterInput,
    bodies={"a player": {"username": "linh.d", "password": "nine-lanterns-7", "email": "linh@example.com"}},
    answer=envelope("RegisterAnswer", "User registered successfully", data=outputs.SIGNED_IN.serializer()),
    examples={
        "registered": {
            "message": "User registered successfully",
            "data": TOKENS | {"user": USER | {"wallet_address": None}},
        }
    },
    refusals=[WeakPassword("This password is too common."), UsernameTaken],
)

log_in = documented(
    "logIn",
    tag="auth",
    summary="Sign in with a username and its password",
    signed_in=False,
    body=LoginInput,
    bodies={"a player": {"username": "linh.d", "password": "nine-lanterns-7"}},
    answer=envelope("LoginAnswer", "Logged in successfully", data=outputs.SIGNED_IN.serializer()),
    examples={"signed in": {"message": "Logged in successfully", "data": TOKENS}},
    refusals=[InvalidCredentials],
)

refresh = documented(
    "refreshTokens",
    tag="auth",
    summary="A new pair of tokens for a refresh token; a late repetition ends that device's sign-in",
    signed_in=False,
    body=RefreshInput,
    bodies={"a refresh token": {"refresh": "eyJhbGciOi…refresh"}},
    answer=envelope("RefreshAnswer", "Token refreshed successfully", data=outputs.SIGNED_IN.serializer()),
    examples={"refreshed": {"message": "Token refreshed successfully", "data": TOKENS}},
    refusals=[InvalidToken],
)

log_out = documented(
    "logOut",
    tag="auth",
    summary="Sign this device out: end its refresh tokens; safe to repeat",
    signed_in=False,
    body=RefreshInput,
    bodies={"a refresh token": {"refresh": "eyJhbGciOi…refresh"}},
    answer=envelope("LogoutAnswer", "Logged out successfully"),
    examples={"signed out": {"message": "Logged out successfully"}},
    refusals=[InvalidToken],
)

log_out_everywhere = documented(
    "logOutEverywhere",
    tag="auth",
    summary="Sign every device out: all tokens and back-office sessions of the user end at once",
    answer=envelope("LogoutEverywhereAnswer", "Logged out everywhere"),
    examples={"signed out": {"message": "Logged out everywhere"}},
)

step_up = documented(
    "stepUp",
    tag="auth",
    summary="A short-lived access token with the rights of staff, for a code of the authenticator app",
    body=StepUpInput,
    bodies={"the app's code": {"code": "492039"}},
    answer=envelope("StepUpAnswer", "Stepped up successfully", data=outputs.STEP_UP.serializer()),
    examples={
        "stepped up": {
            "message": "Stepped up successfully",
            "data": {"access": "eyJhbGciOi…access", "ends_at": "2026-03-01T12:05:00.000Z"},
        }
    },
    refusals=[WrongCode, NoAuthenticator],
)

own_user = documented(
    "getOwnUser",
    tag="auth",
    summary="The signed-in user",
    answer=envelope("OwnUserAnswer", "User retrieved successfully", data=outputs.USER.serializer()),
    examples={"a player": {"message": "User retrieved successfully", "data": USER}},
)

edit_own_user = documented(
    "editOwnUser",
    tag="auth",
    summary="Change the signed-in user; a wallet is connected here",
    body=ProfileInput,
    bodies={"connect a wallet": {"wallet_address": "gp1q8linhwallet0001"}},
    answer=envelope("EditOwnUserAnswer", "User updated successfully", data=outputs.USER.serializer()),
    examples={"connected": {"message": "User updated successfully", "data": USER}},
)

games = documented(
    "listGames",
    tag="games",
    summary="The active games",
    signed_in=False,
    answer=envelope("GamesAnswer", "Game lists retrieved successfully", data=outputs.GAME.serializer(many=True)),
    examples={"one game": {"message": "Game lists retrieved successfully", "data": [GAME]}},
)

game = documented(
    "getGame",
    tag="games",
    summary="One game by its id",
    signed_in=False,
    parameters=[query("id", ID, required=True, example=3)],
    answer=envelope("GameAnswer", "Game list retrieved successfully", data=outputs.GAME.serializer()),
    examples={"a game": {"message": "Game list retrieved successfully", "data": GAME}},
    refusals=[GameNotFound, exceptions.ValidationError({"id": ["This field is required."]})],
)
