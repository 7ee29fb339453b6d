"""The admin site: staff and masters enter; permissions and own rooms decide what they see."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from accounts import second_factor
from accounts.pages import enrolment, reauthentication, signing_in
from backoffice import preferences
from backoffice.entrance import may_enter


def stylesheet(request: HttpRequest) -> str:
    """The platform's additions to the theme."""
    return static("backoffice/backoffice.css")


def favicon(request: HttpRequest) -> str:
    """The picture in the browser's tab."""
    return static("backoffice/favicon.svg")


def language_link(request: HttpRequest) -> str:
    """Where the theme's language switch posts to."""
    return reverse("admin:language")


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu under the user's name."""
    return [
        {"title": _("My preferences"), "link": reverse("admin:preferences")},
        {"title": _("Authenticator"), "link": reverse("admin:second_factor")},
        {"title": _("Change password"), "link": reverse("admin:password_change")},
    ]


class BackofficeLoginForm(AuthenticationForm):
    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not may_enter(user):
            # The sentence of a wrong password: a player's name is not confirmed here.
            message = self.error_messages["invalid_login"]
            raise ValidationError(message, code="invalid_login", params={"username": self.username_field.verbose_name})


class BackofficeSite(UnfoldAdminSite):
    login_form = BackofficeLoginForm
    index_template = "operations/dashboard.html"
    index_title = gettext_lazy("Today")

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user) and not second_factor.is_owed(request)

    def extra_urls(self) -> list[URLPattern]:
        """Read by the theme, beside the admin's own addresses."""
        return [
            path("login/code/", signing_in.CodeView.as_view(), name="login_code"),
            path("authenticator/", enrolment.enrolment_view, name="second_factor"),
            path("preferences/", self.admin_view(preferences.preferences_view), name="preferences"),
            path("language/", preferences.language_view, name="language"),
        ]

    def demand_recent_password(self, request: HttpRequest, *, what: str, back: str) -> HttpResponse | None:
        """``None`` when the act may go on; else the page that asks for the password first."""
        return reauthentication.demand(request, what=what, back=back)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """The password's page. The admin's own knows one step only."""
        if request.method == "GET" and may_enter(request.user):
            if self.has_permission(request):
                return HttpResponseRedirect(reverse("admin:index"))
            return HttpResponseRedirect(reverse("admin:second_factor"))
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        request.current_app = self.name
        view = signing_in.PasswordView.as_view(
            extra_context=context, authentication_form=self.login_form, template_name="admin/login.html"
        )
        return view(request)
