"""The door of the back-office: the password, then a code from who has an authenticator; and what the locked out see."""

import math
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model
from django.contrib.auth import login as auth_login
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from accounts import login_guard, second_factor
from accounts.pages import reauthentication
from accounts.pages.codes import CodeField, check_code
from backoffice.middleware import try_again_page
from core.db import clock

PENDING_KEY = "signing_in"
PENDING_SECONDS = 300
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def ask_code(request: HttpRequest, user: Any, next_page: str) -> HttpResponse:
    """The password was right: remember for some minutes whose it was, and ask for the code."""
    request.session[PENDING_KEY] = {
        "user": user.pk,
        "mark": user.get_session_auth_hash(),
        "backend": getattr(user, "backend", None) or request.session.get(BACKEND_SESSION_KEY, MODEL_BACKEND),
        "at": clock.now().timestamp(),
    }
    return HttpResponseRedirect(f"{reverse('admin:login_code')}?{urlencode({'next': next_page})}")


def let_in(request: HttpRequest, user: Any, backend: str, *, with_code: bool) -> None:
    """Begin the session."""
    auth_login(request, user, backend=backend)
    request.session.pop(PENDING_KEY, None)
    reauthentication.mark_recent(request)
    if with_code:
        request.session[second_factor.SESSION_KEY] = True


class PasswordView(LoginView):
    """The first step; for most the only one."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        seconds = login_guard.seconds_to_wait(request, login_guard.name_of(request))
        if seconds is not None:
            return try_again_page(request, status=429, seconds=seconds)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if second_factor.authenticator_of(user) is not None:
            return ask_code(self.request, user, self.get_success_url())
        let_in(self.request, user, user.backend, with_code=False)
        return HttpResponseRedirect(self.get_success_url())

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")


class CodeForm(forms.Form):
    code = CodeField(attrs={"autofocus": ""})

    def __init__(self, *args: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user = request, user

    def clean_code(self) -> str:
        check_code(self.request, self.user, self.cleaned_data["code"])
        return str(self.cleaned_data["code"])


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class CodeView(RedirectURLMixin, FormView):
    """The second step, for who gave the right password some minutes ago at most."""

    template_name = "backoffice/login_code.html"
    form_class = CodeForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.user = self._pending_user()
        if self.user is None:
            request.session.pop(PENDING_KEY, None)
            return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': self.get_success_url()})}")
        if login_guard.locked_until(request, self.user.get_username()) is not None:
            return locked_out(request, None, {"username": self.user.get_username()})
        return super().dispatch(request, *args, **kwargs)

    def _pending_user(self) -> Any:
        pending = self.request.session.get(PENDING_KEY)
        if pending is None or not 0 <= clock.now().timestamp() - pending["at"] <= PENDING_SECONDS:
            return None
        user = get_user_model().objects.filter(pk=pending["user"], is_active=True).first()
        # A password that was changed meanwhile has to be given again.
        if user is None or not constant_time_compare(pending["mark"], user.get_session_auth_hash()):
            return None
        return user

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request, "user": self.user}

    def form_valid(self, form: Any) -> HttpResponse:
        let_in(self.request, self.user, self.request.session[PENDING_KEY]["backend"], with_code=True)
        return HttpResponseRedirect(self.get_success_url())

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given = {"title": _("Enter your code"), "app_path": self.request.get_full_path(), "who": self.user}
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request), **given}


def locked_out(
    request: HttpRequest, original_response: HttpResponse | None, credentials: dict[str, Any] | None = None
) -> HttpResponse | None:
    """The page that says when to try again; an API answers in its own words."""
    if original_response is not None and not request.path.startswith(reverse("admin:index")):
        return original_response
    until = login_guard.locked_until(request, login_guard.name_of(request, credentials))
    seconds = 1 if until is None else max(1, math.ceil((until - timezone.now()).total_seconds()))
    context = {
        **admin.site.each_context(request),
        "title": _("Locked out"),
        "until": until,
        "minutes": math.ceil(seconds / 60),
        "login_link": reverse("admin:login"),
    }
    response = render(request, "backoffice/locked_out.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response
