"""Require a recent password for sensitive actions: a login of this morning, at a desk left open, is not enough.

``demand`` is the one question of every act (``PlatformAdmin``), list action and page that wants it. What was typed
travels through the question in hidden fields, so that the act goes on where it stopped.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import second_factor
from accounts.pages.codes import CodeField, PasswordField, check_code
from core.db import clock

SESSION_KEY = "authenticated_at"
OWN_FIELDS = ("again_password", "again_code", "csrfmiddlewaretoken")


class AgainForm(forms.Form):
    """The password, and a code from who has an authenticator."""

    again_password = PasswordField(label=gettext_lazy("Password"))

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        self.request = request
        if second_factor.authenticator_of(request.user) is not None:
            self.fields["again_code"] = CodeField()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        user = self.request.user
        found = authenticate(self.request, username=user.get_username(), password=data["again_password"])
        if found is None or found.pk != user.pk:
            raise forms.ValidationError(_("This is not your password."))
        if "again_code" in data:
            check_code(self.request, user, data["again_code"])
        return data


def mark_recent(request: HttpRequest) -> None:
    """Remember that the password was just given in this session."""
    request.session[SESSION_KEY] = clock.now().timestamp()


def is_fresh(request: HttpRequest) -> bool:
    """Whether that was ``MONEY_REAUTHENTICATION_SECONDS`` ago or less."""
    limit = settings.MONEY_REAUTHENTICATION_SECONDS
    if limit <= 0:
        return True
    age = clock.now().timestamp() - request.session.get(SESSION_KEY, 0)
    return 0 <= age <= limit


def demand(request: HttpRequest, *, what: str, back: str) -> HttpResponse | None:
    """``None`` when the act may go on; else the answer that asks first. ``back`` is where "Cancel" leads."""
    if is_fresh(request):
        return None
    is_answer = "again_password" in request.POST
    form = AgainForm(request, request.POST if is_answer else None)
    if is_answer and form.is_valid():
        mark_recent(request)
        return None
    context = {
        **admin.site.each_context(request),
        "title": _("Is it still you?"),
        "subtitle": None,
        "what": what,
        "back": back,
        "form": form,
        "kept": [(name, value) for name, values in request.POST.lists() if name not in OWN_FIELDS for value in values],
    }
    return TemplateResponse(request, "backoffice/again.html", context, status=400 if is_answer else 200)
