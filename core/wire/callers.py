"""Who calls, as a short text that is the same in every request."""

from django.db import models
from rest_framework.request import Request


def caller_of(request: Request) -> str | None:
    """``accounts.apikey:7`` when an API key signed the request, ``user:42`` when a user did, None for nobody."""
    if isinstance(request.auth, models.Model):
        return f"{request.auth._meta.label_lower}:{request.auth.pk}"
    if request.user is not None and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return None
