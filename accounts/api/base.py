from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from accounts.api.authentication import PlatformJWTAuthentication
from accounts.models import User
from core.wire.nest import NestViewSet


class KnowsCaller(APIView):
    """For views that let in signed-in users only."""

    @property
    def caller(self) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user


class AuthedNestViewSet(KnowsCaller, NestViewSet):
    """A resource of the NestJS style for signed-in users."""

    authentication_classes = [PlatformJWTAuthentication]
    permission_classes = [IsAuthenticated]
