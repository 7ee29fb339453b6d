"""The admin site: staff and masters enter; what each sees, its permissions and its rooms say."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.templatetags.static import static
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite


def may_enter(user: Any) -> bool:
    """Active staff and active masters."""
    return bool(user.is_active and (user.is_staff or getattr(user, "is_master", False)))


def stylesheet(request: HttpRequest) -> str:
    """The platform's additions to the theme."""
    return static("backoffice/backoffice.css")


def favicon(request: HttpRequest) -> str:
    """The picture in the browser's tab."""
    return static("backoffice/favicon.svg")


class BackofficeLoginForm(AuthenticationForm):
    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not may_enter(user):
            # The sentence of a wrong password: a player's name is not confirmed here.
            message = self.error_messages["invalid_login"]
            raise ValidationError(message, code="invalid_login", params={"username": self.username_field.verbose_name})


class BackofficeSite(UnfoldAdminSite):
    login_form = BackofficeLoginForm
    index_template = "operations/dashboard.html"
    index_title = "Today"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)
