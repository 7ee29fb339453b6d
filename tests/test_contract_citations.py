"""A comment that cites a contract names a page of docs/contracts, and a section of it where it names one."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

HOME = settings.BASE_DIR / "docs" / "contracts"
APPS = ("gameplatform", "rooms", "rounds", "chat", "payments", "webhooks", "accounts", "backoffice", "core")
# (contract: rooms, "join"), also where the line breaks inside it. A comma announces a section.
CITATION = re.compile(r'\bcontract:\s+(?:(?:--|#)\s+)?(\w+)(,\s+(?:(?:--|#)\s+)?(?:"([^"]+)")?)?', re.IGNORECASE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def sections(contract: str) -> set[str] | None:
    page = HOME / f"{contract}.md"
    return set(HEADING.findall(page.read_text())) if page.is_file() else None


def cited(text: str) -> Iterator[tuple[str, str | None]]:
    """Each citation: the contract, and its section, "" for a comma that none follows."""
    for contract, comma, section in CITATION.findall(text):
        yield contract, section if comma else None


def sources() -> Iterator[Path]:
    for app in APPS:
        for ending in ("py", "sql"):
            yield from (settings.BASE_DIR / app).rglob(f"*.{ending}")


def unresolved(text: str) -> list[tuple[str, str | None]]:
    return [
        (contract, section)
        for contract, section in cited(text)
        if (known := sections(contract)) is None or (section is not None and section not in known)
    ]


def test_each_citation_names_a_section():
    wrong = {str(path): found for path in sources() if (found := unresolved(path.read_text()))}
    assert wrong == {}


def test_citations_are_found():
    assert sum(len(list(cited(path.read_text()))) for path in sources()) > 40


def test_unknown_pages_and_sections_are_noticed():
    here = 'contract: rooms, "join"'
    assert unresolved(f"({here}); (contract: rooms); {here.replace(' rooms', chr(10) + '-- rooms')}") == []
    assert unresolved('contract: rooms, "dance"') == [("rooms", "dance")]
    assert unresolved("contract: rooms, join") == [("rooms", "")]
    assert unresolved("contract: poker") == [("poker", None)]
