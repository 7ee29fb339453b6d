"""What accounts keep longer than anybody can use it."""

from datetime import datetime

from django.db.models import QuerySet
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken


def expired_tokens(*, now: datetime) -> QuerySet[OutstandingToken]:
    """Refresh tokens that are refused for their age alone, used up or not. Their blacklist rows go with them."""
    return OutstandingToken.objects.filter(expires_at__lte=now).order_by("expires_at")
