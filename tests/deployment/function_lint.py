"""What the SQL files of functions (``<app>/sql``) must keep to; part of ``tests.deployment.migration_lint``.

``fixtures/function_signatures.txt`` holds the signatures of all functions that releases have called. While a release is
rolled out both call their functions in one database, so a listed signature never changes: the new one is a new name.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.db.functions import SqlFile

SIGNATURES = Path(__file__).parent / "fixtures" / "function_signatures.txt"

_HEADER = re.compile(r"^CREATE OR REPLACE FUNCTION (.*?)\s+LANGUAGE\b", re.MULTILINE | re.DOTALL)
_ALLOWED = re.compile(r"CREATE OR REPLACE (FUNCTION|TRIGGER)\b")


def findings(files: Sequence[SqlFile], *, obsolete: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    """A line for each rule that ``files`` break; ``known`` are the signatures that releases have called."""
    signatures = {_name(text): text for file in files for text in _signatures(file)}
    listed = {_name(text): text for text in known}
    gone = {_name(text) for text in obsolete}
    for file in files:
        yield from (f"{file.name}: only CREATE OR REPLACE FUNCTION or TRIGGER: {text[:80]}" for text in _others(file))
    for name, text in signatures.items():
        if name not in listed:
            yield f"{name}: add this line to {SIGNATURES.name}: {text}"
        elif listed[name] != text:
            yield f"{name}: the code before calls it as {listed[name]}. A changed signature is a new name"
        if name in gone:
            yield f"{name}: is in obsolete.txt and in a file"
    for name in listed.keys() - signatures.keys() - gone:
        yield f"{name}: the code before calls it. Add it to obsolete.txt with the next release"
    yield from _needs(files)


def known() -> list[str]:
    return SIGNATURES.read_text().splitlines()


def _needs(files: Sequence[SqlFile]) -> Iterator[str]:
    owner = {name: file.name for file in files for name in file.functions}
    for file in files:
        code = re.sub(r"--.*", "", file.text)
        used = {owner[name] for name in re.findall(r"\b(\w+)\(", code) if name in owner} - {file.name}
        for name in used.symmetric_difference(file.needs):
            yield f"{file.name}: {'does not say that it needs' if name in used else 'does not need'} {name}"


def _others(file: SqlFile) -> list[str]:
    """The statements that a file of functions may not hold."""
    code = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", file.text, flags=re.DOTALL)
    statements = [" ".join(text.split()) for text in re.sub(r"--.*", "", code).split(";")]
    return [text for text in statements if text and _ALLOWED.match(text) is None]


def _signatures(file: SqlFile) -> list[str]:
    return [" ".join(text.split()).replace("( ", "(").replace(" )", ")") for text in _HEADER.findall(file.text)]


def _name(signature: str) -> str:
    return signature.partition("(")[0]
