"""The preferences of a user of the back-office: language and time zone."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget

from core.db.transactions import use_case

COOKIE_SECONDS = 365 * 24 * 3600


def time_zones() -> list[tuple[str, str]]:
    """The names that this machine knows, without the old abbreviations and mirrors."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False, widget=UnfoldAdminSelectWidget)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Pages show times in it; exports stay in UTC."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("As the browser asks")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        platforms = _("The platform's: %(zone)s") % {"zone": settings.TIME_ZONE}
        self.fields["time_zone"].choices = [("", platforms), *time_zones()]  # type: ignore[attr-defined]


@use_case
def choose(*, user: Any, **values: str) -> None:
    """Keep a user's own ``language`` or ``time_zone``; empty is no choice."""
    get_user_model().objects.filter(pk=user.pk).update(**values)


def preferences_view(request: HttpRequest) -> HttpResponse:
    """The page of one's own preferences."""
    user: Any = request.user
    form = PreferencesForm(request.POST or None, initial={"language": user.language, "time_zone": user.time_zone})
    if request.method == "POST" and form.is_valid():
        choose(user=user, **form.cleaned_data)
        with translation.override(form.cleaned_data["language"] or translation.get_language()):
            messages.success(request, _("Your preferences are kept."))
        return HttpResponseRedirect(reverse("admin:preferences"))
    context = {**admin.site.each_context(request), "title": _("My preferences"), "subtitle": None, "form": form}
    return TemplateResponse(request, "backoffice/preferences.html", context, status=400 if form.errors else 200)


@require_POST
@csrf_protect
def language_view(request: HttpRequest) -> HttpResponse:
    """The theme's switch: kept with the user, and in a cookie for the login page."""
    language, target = request.POST.get("language", ""), request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = reverse("admin:index")
    response = HttpResponseRedirect(target)
    if language in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            choose(user=request.user, language=language)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=COOKIE_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
