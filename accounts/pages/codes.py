"""Fields that take a password or a code of one use, and the check of a code that counts wrong ones."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts import login_guard, second_factor
from accounts.second_factor import Verdict
from core.db import clock

# A hash costs the same for any length; a longer text is no password but a load test.
PASSWORD_LENGTH_MAX = 256
CODE_LENGTH_MAX = 40


class PasswordField(forms.CharField):
    def __init__(self, **given: Any) -> None:
        attributes = {"autocomplete": "current-password", "autofocus": ""}
        super().__init__(
            max_length=PASSWORD_LENGTH_MAX, strip=False, widget=UnfoldAdminPasswordWidget(attrs=attributes), **given
        )


class CodeField(forms.CharField):
    def __init__(self, *, attrs: dict[str, str] | None = None, **given: Any) -> None:
        attributes = {"autocomplete": "one-time-code", "spellcheck": "false", **(attrs or {})}
        usual = {
            "label": gettext_lazy("Code"),
            "help_text": gettext_lazy("Six digits from your authenticator app, or one of your recovery codes."),
        }
        widget = UnfoldAdminTextInputWidget(attrs=attributes)
        super().__init__(max_length=CODE_LENGTH_MAX, widget=widget, **{**usual, **given})


def check_code(request: HttpRequest, user: Any, code: str) -> None:
    """Raises ``ValidationError`` unless the code is right; a wrong one counts towards the lock-out."""
    verdict = second_factor.verify(user=user, code=code, now=clock.now())
    if verdict is Verdict.RIGHT:
        return
    if verdict is Verdict.WAIT:
        raise forms.ValidationError(_("After wrong codes there is a pause: wait a little, then enter a new code."))
    login_guard.failed(request, user.get_username())
    raise forms.ValidationError(_("This code is wrong, or was used before. Wait for the next one."))
