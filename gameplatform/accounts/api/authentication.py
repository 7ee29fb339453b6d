"""The access token behind DRF's interface."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gameplatform.accounts.authentication import authenticate_access_token
from gameplatform.accounts.errors import InvalidToken
from gameplatform.accounts.models import User
from gameplatform.core import clock


class PlatformJWTAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access token>``; one SELECT a request."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return authenticate_access_token(raw.strip(" "), clock.now()), None
        except InvalidToken as error:
            raise AuthenticationFailed from error

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PlatformJWTScheme(OpenApiAuthenticationExtension):
    target_class = PlatformJWTAuthentication
    name = "bearerJWT"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        scheme: dict[str, str] = build_bearer_security_scheme_object(
            header_name="Authorization", token_prefix="Bearer", bearer_format="JWT"
        )
        return scheme
