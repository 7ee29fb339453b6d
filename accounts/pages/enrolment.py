"""The page that sets up or replaces an authenticator app and renews recovery codes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from accounts import second_factor
from accounts.pages import reauthentication, signing_in
from accounts.pages.codes import CodeField
from backoffice.acts import ShownOnce
from backoffice.entrance import may_enter
from core.db import clock
from core.errors import DomainError


class ConfirmForm(forms.Form):
    code = CodeField(help_text=gettext_lazy("Six digits that the app shows now."), attrs={"autofocus": ""})


@sensitive_post_parameters()
@never_cache
@csrf_protect
def enrolment_view(request: HttpRequest) -> HttpResponse:
    """GET shows how things stand; POST ``step``: ``begin``, ``confirm`` or ``codes``.

    It stands outside the site's own guard: who lacks a factor that the platform requires must reach it.
    """
    if not may_enter(request.user):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    held = second_factor.authenticator_of(request.user)
    if held is not None and second_factor.is_owed(request):
        # Signed in before it was required, or before it was set up elsewhere.
        return signing_in.ask_code(request, request.user, request.get_full_path())
    if request.method != "POST":
        return _page(request)
    step = request.POST.get("step")
    if step == "confirm":
        return _confirm(request)
    question = reauthentication.demand(request, what=_("Set up the authenticator"), back=reverse("admin:second_factor"))
    if question is not None:
        return question
    if step == "codes" and held is not None:
        codes = second_factor.renew_codes(user=request.user, now=clock.now())
        return _codes(request, _("The old recovery codes are worth nothing now."), codes)
    return _page(request, enrolment=second_factor.begin(user=request.user, now=clock.now()), form=ConfirmForm())


def _confirm(request: HttpRequest) -> HttpResponse:
    form = ConfirmForm(request.POST)
    if form.is_valid():
        try:
            codes = second_factor.confirm(user=request.user, code=form.cleaned_data["code"], now=clock.now())
        except DomainError as error:
            form.add_error("code", error.translated())
        else:
            request.session[second_factor.SESSION_KEY] = True
            return _codes(request, _("The authenticator is set up: the next login asks for its code."), codes)
    return _page(request, form=form, status=400)


def _page(request: HttpRequest, *, enrolment: Any = None, form: Any = None, status: int = 200) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Authenticator"),
        "subtitle": None,
        "held": second_factor.authenticator_of(request.user),
        "codes_left": second_factor.codes_left(request.user),
        "is_owed": second_factor.is_owed(request),
        "enrolment": enrolment,
        # Drawn from a text of our own by a library of ours.
        "picture": mark_safe(enrolment.picture()) if enrolment else "",
        "form": form,
    }
    if context["is_owed"]:
        # The theme's menu of last resort would offer what does not open yet.
        context |= {"available_apps": [], "is_nav_sidebar_enabled": False}
    return TemplateResponse(request, "backoffice/authenticator.html", context, status=status)


def _codes(request: HttpRequest, done: str, codes: list[str]) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Recovery codes"),
        "subtitle": None,
        "shown": ShownOnce(
            done=done,
            secrets=[(_("Recovery codes: each opens once, in place of the app's code"), "\n".join(codes))],
        ),
        "back": reverse("admin:index"),
    }
    return TemplateResponse(request, "backoffice/shown_once.html", context)
