"""The GameFuse operations as the OpenAPI document shows them. Every parameter may come in any of five forms."""

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from core.wire.openapi import ID, Schema, in_path
from core.wire.outputs import Output

TIME: Schema = {"type": "string", "format": "date-time"}

# One description for each parameter: it means the same on every route.
PARAMETERS: dict[str, Schema] = {
    "game_id": ID | {"description": "The id of the game access."},
    "game_token": {"type": "string", "maxLength": 100, "description": "The game's public token."},
    "user_id": ID | {"description": "The player whose rounds are listed."},
    "page": {"type": "integer", "minimum": 1, "default": 1, "description": "Which part of the list."},
    "per_page": {"type": "integer", "minimum": 1, "default": 100, "description": "How many at once, at most 100."},
    "leaderboard_name": {"type": "string", "maxLength": 300, "description": "Which of the game's leaderboards."},
    "limit": {"type": "integer", "minimum": 1, "default": 100, "description": "How many entries, at most 500."},
    "one_per_user": {"type": "boolean", "default": False, "description": "Only the best entry of each player."},
    "game_user_attribute_key": {"type": "string", "maxLength": 1000, "description": "The attribute to remove."},
    "email": {"type": "string", "maxLength": 300, "description": "Unique within the game."},
    "username": {"type": "string", "maxLength": 300, "description": "Unique within the game."},
    "password": {"type": "string", "maxLength": 1000, "description": "6 to 128 characters."},
    "password_confirmation": {"type": "string", "maxLength": 1000, "description": "The same password again."},
    "game_user_id": ID | {"description": "The player of the round; another than the caller only for the master."},
    "game_type": {"type": "string", "description": "A name of the game's choice."},
    "start_time": TIME | {"description": "Default: now."},
    "end_time": TIME | {"description": "When the round ended."},
    "score": {"type": "number", "description": "Kept and compared exactly; send more than 15 digits as text."},
    "place": {"type": "integer", "minimum": 0, "description": "Kept as sent; places of contests follow the scores."},
    "metadata": {"type": "object", "description": "Any object of at most 16 KB; an update replaces it whole."},
    "extra_attributes": {"type": "object", "description": "`metadata` by the name that older clients use."},
    "multiplayer": {"type": "boolean", "default": False, "description": "Open a multiplayer round."},
    "multiplayer_game_round_id": ID | {"description": "The multiplayer round to join or to open."},
    "credits": {"type": "integer", "description": "The amount to set or to add, of either sign."},
    "key": {"type": "string", "description": "The name of an attribute."},
    "value": {"type": "string", "description": "The value of an attribute."},
    "attributes": {
        "type": "array",
        "description": "Several attributes at once.",
        "items": {
            "type": "object",
            "required": ["key", "value"],
            "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
        },
    },
}
USER_SCORE: Schema = {"type": "integer", "description": "The amount to set or to add, of either sign."}

STATUSES = {
    400: "A parameter is missing.",
    401: "The caller is not signed in, or may not do this.",
    402: "The game is disabled.",
    404: "There is no such thing, or the address holds no number.",
    422: "A parameter cannot be read or used.",
    429: "Too many requests.",
    503: "The service is temporarily unavailable.",
}
EVERYWHERE = (404, 422, 429, 503)
FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


def documented(
    summary: str,
    *,
    answer: Output,
    of: str | None = None,
    operation_id: str | None = None,
    query: Sequence[str] = (),
    body: Sequence[str] = (),
    required: Sequence[str] = (),
    schemas: dict[str, Schema] | None = None,
    success: int = 200,
    errors: Sequence[int] = (),
) -> Callable[[Any], Any]:
    """Describe a route by its parameters' names, its answer and its statuses; its own name comes from its path.

    ``of`` says what the id in the path belongs to. ``required`` names parameters without which it refuses. ``schemas``
    overrides what `PARAMETERS` says.
    """
    known = PARAMETERS | (schemas or {})
    schema: Schema = {"type": "object", "properties": {name: known[name] for name in body}}
    if needed := [name for name in body if name in required]:
        schema["required"] = needed
    responses: dict[Any, Any] = {success: OpenApiResponse(answer.serializer, summary)}
    responses |= {
        (status, "text/plain"): OpenApiResponse(OpenApiTypes.STR, STATUSES[status])
        for status in sorted({*errors, *EVERYWHERE})
    }
    describe: Callable[[Any], Any] = extend_schema(
        operation_id=operation_id,
        tags=["GameFuse v3"],
        summary=summary,
        parameters=[
            *([in_path("id", ID | {"description": f"The {of}'s id."}, example=7)] if of else []),
            *(_in_query(name, known[name], required=name in required) for name in query),
        ],
        request=dict.fromkeys(FORMS, schema) if body else None,
        responses=responses,
    )
    return describe


def _in_query(name: str, schema: Schema, *, required: bool) -> OpenApiParameter:
    kept: Any = {key: value for key, value in schema.items() if key != "description"}
    return OpenApiParameter(name, kept, required=required, description=schema["description"])


class GameUserScheme(OpenApiAuthenticationExtension):
    target_class = "rounds.api.base.GameUserAuthentication"
    name = "gameUserToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "authentication-token",
            "description": "From sign-up or sign-in. A game's server sends service-key-name, service-key-token and"
            " current-user-id instead.",
        }
