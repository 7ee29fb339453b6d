"""Acts: the buttons of the back-office. Each has a page that explains it, asks for a reason, and runs one use case.

The admin's own add and change pages run inside a transaction, where a use case cannot be the outermost one; an act's
page runs in none.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.trail import REASON_LENGTH_MAX


@dataclass(frozen=True, kw_only=True)
class ShownOnce:
    """The outcome of an act that is shown on its answer's page and nowhere again: (label, text) each."""

    done: str
    secrets: Sequence[tuple[str, str]]


class ActForm(forms.Form):
    """The fields of every act. ``request_key`` identifies the page: a form sent twice is one act."""

    request_key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, data: Any = None, *, obj: Any = None, user: Any = None) -> None:
        self.obj = obj
        self.user = user
        super().__init__(data, initial={"request_key": str(uuid.uuid4()), **self.starting_values()})

    def starting_values(self) -> dict[str, Any]:
        """The initial values of the fields."""
        return {}


class ReasonForm(ActForm):
    """An act with a reason."""

    reason = forms.CharField(
        min_length=3,
        max_length=REASON_LENGTH_MAX,
        strip=True,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": ""}),
        help_text=gettext_lazy("Kept in the audit trail with your name."),
        label=gettext_lazy("Reason"),
    )


class RotationForm(ReasonForm):
    """Replace a key or a secret; the old one works for a while."""

    old_lives_hours = forms.TypedChoiceField(
        label=gettext_lazy("The old one works for"),
        choices=[
            ("0", gettext_lazy("no longer, from now on")),
            ("1", gettext_lazy("one more hour")),
            ("24", gettext_lazy("one more day")),
            ("168", gettext_lazy("one more week")),
        ],
        coerce=int,
        initial="24",
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("old_lives_hours", "reason")


class Act:
    """One button of an object's page. A subclass names the use case, its permission, and when it makes sense."""

    slug: ClassVar[str]
    title: ClassVar[str | Promise]
    icon: ClassVar[str] = "bolt"
    is_dangerous: ClassVar[bool] = False
    # Moves money, or hands out a key that can: requires a recent password.
    needs_fresh_login: ClassVar[bool] = False
    form: ClassVar[type[ActForm]] = ReasonForm
    # What the use case demands of staff (``rooms.change_session``).
    permission: ClassVar[str] = ""
    # What to do about a refusal, by its code, beside the refusal's own sentence.
    advice: ClassVar[Mapping[str, str | Promise]] = {}

    def explanation(self, obj: Any) -> str:
        """One sentence that says what will happen."""
        raise NotImplementedError

    def is_allowed(self, request: HttpRequest, obj: Any) -> bool:
        """Whether this user may do it to this object, whatever state it is in. The use case decides."""
        user = request.user
        return bool(user.is_active and getattr(user, "is_staff", False) and user.has_perm(self.permission))

    def is_possible(self, obj: Any) -> bool:
        """Whether the button is worth showing now; the use case decides."""
        return True

    def run(self, *, actor: Any, obj: Any, data: dict[str, Any], now: datetime) -> str | ShownOnce:
        """Make the one call; the sentence that says what was done. Raises what the use case does."""
        raise NotImplementedError

    def landing(self, obj: Any) -> str | None:
        """Where to go afterwards; ``None`` for the object's page."""
        return None
