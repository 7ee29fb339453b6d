"""The words of the back-office that are said once and shown in each user's language.

The names of models and fields, the titles of acts and panels and the columns of lists are plain English where they are
written: domain models know no language, and a column is defined once. At the start, when every page is registered, each
becomes a lazy translation. Sentences that are put together as they are needed use ``gettext`` where they stand; what a
``DomainError`` says stays English for the API and is looked up when a page shows it.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from backoffice.admin import PlatformAdmin, PrepareExport

WORDS: set[str] = set()


def translate(site: AdminSite) -> None:
    """Make every name, title and column of the site's pages a lazy translation, and note it in ``WORDS``.

    Safe to repeat: what is lazy stays as it is. Migrations look at what was written in the model, and see no change.
    """

    def lazily(text: Any) -> Any:
        if isinstance(text, Promise):
            return text
        if isinstance(text, str) and any(character.isalpha() for character in text):
            WORDS.add(text)
            return gettext_lazy(text)
        return text

    for config in apps.get_app_configs():
        if any(model in site._registry for model in config.get_models()):
            config.verbose_name = lazily(config.verbose_name)
    for model in apps.get_models():
        # A model without pages is still named where permissions are given.
        _names(model, lazily)
        if model in site._registry:
            _fields(model, lazily)
    _act(PrepareExport, lazily)
    for pages in site._registry.values():
        _pages(pages, lazily)
        for inline in pages.inlines:
            _fields(inline.model, lazily)


def _names(model: Any, lazily: Callable[[Any], Any]) -> None:
    options = model._meta
    # A plural that nobody wrote is made of the singular, lazily; it is a word of its own all the same.
    plural = options.verbose_name_plural
    options.verbose_name_plural = lazily(plural if "verbose_name_plural" in options.original_attrs else str(plural))
    options.verbose_name = lazily(options.verbose_name)


def _fields(model: Any, lazily: Callable[[Any], Any]) -> None:
    options = model._meta
    for field in (*options.local_fields, *options.local_many_to_many):
        field.verbose_name = lazily(field.verbose_name)
        field.help_text = lazily(field.help_text)
        # Languages are named in themselves.
        if field.choices and field.name != "language":
            field.choices = [(value, lazily(label)) for value, label in field.choices]


def _pages(pages: Any, lazily: Callable[[Any], Any]) -> None:
    kind = type(pages)
    kind.search_help_text = lazily(kind.search_help_text)
    for name in dir(kind):
        # The mark of a row's check box is a piece of HTML.
        shown = None if name.startswith("__") or name == "action_checkbox" else getattr(kind, name, None)
        if callable(shown) and isinstance(getattr(shown, "short_description", None), str):
            shown.short_description = lazily(shown.short_description)
    for entry in kind.list_filter or ():
        if isinstance(entry, type) and isinstance(getattr(entry, "title", None), str):
            entry.title = lazily(entry.title)  # type: ignore[attr-defined]
    if kind.fieldsets:
        kind.fieldsets = tuple((lazily(title), parts) for title, parts in kind.fieldsets)
    if isinstance(pages, PlatformAdmin):
        for act in (*pages.acts, *([pages.creation] if pages.creation else [])):
            _act(type(act), lazily)
        for panel in pages.panels:
            type(panel).title = lazily(type(panel).title)


def _act(act: Any, lazily: Callable[[Any], Any]) -> None:
    act.title = lazily(act.title)
    act.advice = {code: lazily(text) for code, text in act.advice.items()}
    for name, field in act.form.base_fields.items():
        # Django would make the label of the name when the form is drawn, in English.
        field.label = lazily(field.label or capfirst(name.replace("_", " ")))
        field.help_text = lazily(field.help_text)
        if isinstance(getattr(field, "choices", None), list):
            field.choices = [(value, lazily(label)) for value, label in field.choices]
