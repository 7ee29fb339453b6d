"""What the chat's acts share: who may press, as whom it runs, and for how long a sanction lasts."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from backoffice.acts import ReasonForm
from chat.access import Caller


class DurationForm(ReasonForm):
    """A reason, and how long it lasts."""

    hours = forms.TypedChoiceField(
        label=gettext_lazy("For"),
        choices=[
            ("1", gettext_lazy("an hour")),
            ("24", gettext_lazy("a day")),
            ("168", gettext_lazy("a week")),
            ("720", gettext_lazy("30 days")),
            ("", gettext_lazy("good, until it is lifted")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        initial="24",
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("hours", "reason")


def ends_at(data: dict[str, Any], now: datetime) -> datetime | None:
    """When a sanction of this form ends; ``None``: when it is lifted."""
    return None if data["hours"] is None else now + timedelta(hours=data["hours"])


def as_staff(actor: User) -> Caller:
    """The caller of the chat's use cases."""
    return Caller(staff=actor)
