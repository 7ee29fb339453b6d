from rest_framework.permissions import IsAuthenticated

from accounts.api.authentication import PlatformJWTAuthentication
from accounts.models import User
from core.wire.nest import NestView


class AuthedNestView(NestView):
    """A view of the NestJS style for signed-in users."""

    authentication_classes = [PlatformJWTAuthentication]
    permission_classes = [IsAuthenticated]

    @property
    def caller(self) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user
