from rest_framework.permissions import IsAuthenticated

from gameplatform.accounts.api.authentication import PlatformJWTAuthentication
from gameplatform.accounts.models import User
from gameplatform.wire.nest import NestView


class AuthedNestView(NestView):
    """A view of the NestJS style for signed-in users."""

    authentication_classes = [PlatformJWTAuthentication]
    permission_classes = [IsAuthenticated]

    @property
    def caller(self) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user
