"""How these routes look in the OpenAPI document: parameters by name, since each may come in any of five forms."""

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

TYPES: dict[str, dict[str, str]] = {
    "score": {"type": "number"},
    "credits": {"type": "integer"},
    "place": {"type": "integer"},
    "game_user_id": {"type": "integer"},
    "multiplayer_game_round_id": {"type": "integer"},
    "multiplayer": {"type": "boolean"},
    "metadata": {"type": "object"},
    "extra_attributes": {"type": "object"},
    "attributes": {"type": "array"},
    "start_time": {"type": "string", "format": "date-time"},
    "end_time": {"type": "string", "format": "date-time"},
}
TEXT = {"type": "string"}
# An address that is no number, and a parameter that cannot be read.
EVERYWHERE = (404, 422)


def documented(
    summary: str,
    *,
    operation_id: str | None = None,
    query: Sequence[str] = (),
    body: Sequence[str] = (),
    success: int = 200,
    errors: Sequence[int] = (),
) -> Callable[[Any], Any]:
    """Describe a route by the names of what it takes and the statuses it answers; its name comes from its path."""
    schema: dict[str, Any] = {"type": "object", "properties": {name: TYPES.get(name, TEXT) for name in body}}
    forms = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    responses: dict[Any, Any] = {success: OpenApiTypes.OBJECT}
    responses |= {
        (status, "text/plain"): OpenApiResponse(OpenApiTypes.STR) for status in sorted({*errors, *EVERYWHERE})
    }
    describe: Callable[[Any], Any] = extend_schema(
        operation_id=operation_id,
        tags=["GameFuse v3"],
        summary=summary,
        parameters=[OpenApiParameter(name) for name in query],
        request=dict.fromkeys(forms, schema) if body else None,
        responses=responses,
    )
    return describe


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
