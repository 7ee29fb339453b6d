"""Panels: tables on an object's page, of the app itself or of an app above it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

NOTHING_YET = gettext_lazy("Nothing yet")


def kept_text(text: str) -> str:
    """A fixed English text of a row, such as the reason of a transition, in the active language."""
    return gettext(text) if text else ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table: text, perhaps a link, or a badge in a tone: success, warning, danger, info or plain."""

    text: object
    link: str = ""
    tone: str = ""
    is_number: bool = False
    is_code: bool = False
    # Long text of people: it wraps.
    is_text: bool = False


def linked(obj: Model) -> str:
    """An object as a link to its page, by its name in the user's language."""
    link = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', link, obj)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a panel: ``rows`` hold ``Cell`` or plain text; ``more`` is a link to the whole."""

    headings: Sequence[str | Promise]
    rows: Sequence[Sequence[Any]]
    empty: str | Promise = NOTHING_YET
    note: str = ""
    more: Cell | None = None

    def heads(self) -> list[Cell]:
        """The headings, aligned as the cells of the first row."""
        first = self.cells()[0]
        return [Cell(heading, is_number=cell.is_number) for heading, cell in zip(self.headings, first, strict=True)]

    def cells(self) -> list[list[Cell]]:
        """The rows with every value as a cell."""
        return [[value if isinstance(value, Cell) else Cell(value) for value in row] for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Button:
    """A link of a panel to an act."""

    title: str | Promise
    link: str
    is_dangerous: bool = False


@dataclass(frozen=True, kw_only=True)
class ShownPanel:
    """What the template draws."""

    title: str | Promise
    table: Table
    buttons: Sequence[Button] = field(default_factory=list)


class Panel:
    """One part of a page. A subclass says who sees it and what it shows."""

    title: ClassVar[str | Promise]

    def is_shown(self, request: HttpRequest, obj: Any) -> bool:
        """Whether this user sees this panel on this object's page."""
        return True

    def table(self, request: HttpRequest, obj: Any) -> Table:
        """What is shown."""
        raise NotImplementedError

    def buttons(self, request: HttpRequest, obj: Any) -> Sequence[Button]:
        """What can be done from here."""
        return []

    def shown(self, request: HttpRequest, obj: Any) -> ShownPanel:
        """The panel of this object as this user sees it."""
        return ShownPanel(title=self.title, table=self.table(request, obj), buttons=self.buttons(request, obj))
