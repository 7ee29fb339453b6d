"""The prize table as a form field: one percent per rank, the sum shown while typing."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from unfold.widgets import INPUT_CLASSES

from core.errors import DomainError
from rooms import prizes

BLANK_ROWS = 3


class PrizeTableWidget(forms.Widget):
    """A row for each rank; the script adds and removes rows, without it there are some blank ones."""

    template_name = "rooms/prize_table.html"

    class Media:
        js = ["rooms/prize_table.js"]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [text.strip() for text in data.getlist(name)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = [text for text in (value or []) if text]
        context["rows"] = rows or [""] * BLANK_ROWS
        context["rows_max"] = prizes.PRIZES_MAX
        context["input_classes"] = " ".join(INPUT_CLASSES)
        return context

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_1"


class PrizeTableField(forms.Field):
    """Cleans to the table as (rank, percent); what is wrong with it is said in the domain's own words."""

    widget = PrizeTableWidget

    def clean(self, value: Any) -> list[tuple[int, Decimal]]:
        texts = list(value or [])
        while texts and not texts[-1]:
            texts.pop()
        rows = [(rank, _percent(rank, text)) for rank, text in enumerate(texts, start=1)]
        try:
            prizes.prize_shares(rows)
        except DomainError as error:
            raise ValidationError(error.translated()) from error
        return rows


def _percent(rank: int, text: str) -> Decimal:
    try:
        percent = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise ValidationError(_("The percent of rank %(rank)s is not a number") % {"rank": rank}) from None
    if not percent.is_finite() or len(text) > 8:
        raise ValidationError(_("The percent of rank %(rank)s is not a number") % {"rank": rank})
    return percent


def percent_texts(shares_bp: Sequence[int]) -> list[str]:
    """The table's percents as people write them: ``["50", "32.5", "17.5"]``."""
    return [f"{(Decimal(share) / 100).normalize():f}" for share in shares_bp]
