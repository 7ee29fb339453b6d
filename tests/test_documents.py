"""What the pages say is there: commands and their options, files, and each other."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

ROOT = settings.BASE_DIR
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
# A command as it is written: in a span of code, or in a line of a block.
COMMAND = re.compile(r"manage\.py[ \n]([a-z_]+)([^`\n#|;)]*)")
# In a table whose heading says `manage.py …` the spans are commands.
ROW = re.compile(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)")
# Taken out of every command line before the command sees it (manage.py).
EVERYWHERE = {"--data"}


def ours() -> set[str]:
    """The platform's own commands, without those that change one of Django's."""
    homes = get_commands()
    own = {name for name, app in homes.items() if not isinstance(app, BaseCommand) and is_ours(app)}
    return own - {"migrate"}


def is_ours(app: str) -> bool:
    return (ROOT / app.replace(".", "/") / "management" / "commands").is_dir()


def options_of(name: str) -> set[str]:
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    return {option for action in parser._actions for option in action.option_strings} | EVERYWHERE


def shown(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Every command that the page shows, with its options."""
    for name, rest in COMMAND.findall(page.read_text()):
        yield name, re.findall(r"(?<!\S)--[a-z-]+", rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_there_with_its_options(page):
    known = get_commands()
    for name, options in shown(page):
        assert name in known, name
        # `up` reads its own, before there are settings.
        assert name == "up" or set(options) <= options_of(name), (name, options)


def test_the_commands_are_found_in_the_pages():
    found = {name for page in PAGES for name, _ in shown(page)}
    assert {"verify_ledger", "restore", "create_api_client", "axes_reset_username"} <= found
    assert ("reconcile", ["--unfreeze", "--reason", "--actor"]) in list(shown(ROOT / "docs" / "operations.md"))


def test_the_readme_lists_each_command_of_the_platform_once():
    rows = ROW.findall(README.read_text())
    listed = Counter(name for row in rows for name in re.findall(r"`([a-z_]+)`", row))
    assert set(listed) == ours()
    assert max(listed.values()) == 1


def test_the_readme_lists_each_page_once():
    listed = Counter(re.findall(r"^\| \[([a-z/-]+\.md)\]\(docs/\1\) \|", README.read_text(), re.MULTILINE))
    assert listed == Counter(str(page.relative_to(ROOT / "docs")) for page in PAGES if page != README)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    for target in LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_heading_that_is_referred_to_is_there():
    pages = {page.name: page.read_text() for page in PAGES}
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for text in pages.values()
        for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for text in pages.values():
        assert set(re.findall(r"\]\([^)\s]*#([^)\s]+)\)", text)) <= headings
