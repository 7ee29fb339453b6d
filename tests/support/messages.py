"""The texts that are marked for translation, and the catalogues that translate them. Needs no gettext tools."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

from core.errors import DomainError

OURS, THEIRS = (Path(folder) / "vi" / "LC_MESSAGES" for folder in settings.LOCALE_PATHS)
# Our own words; words of libraries that the pages show; words of the admin's scripts.
OWN, LIBRARIES, SCRIPTS = OURS / "django", THEIRS / "django", THEIRS / "djangojs"
APPS = ("gameplatform", "rooms", "rounds", "chat", "payments", "webhooks", "accounts", "backoffice", "core")
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"}
_TEXT = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_MARKED = re.compile(rf"\bn?gettext\(u?{_TEXT}(?:,\s*u?{_TEXT})?")


def marked() -> set[str]:
    """Every text of our own that is marked for translation."""
    found = {text for path in sources() for text in in_source(ast.parse(path.read_text()))}
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("templates/**/*.html"):
            found |= set(in_template(path))
    return found


def sources() -> list[Path]:
    """The platform's own modules."""
    found = [path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]
    return [path for path in found if not {"tests", "migrations"} & set(path.parts)]


def in_source(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in MARKS:
            for given in node.args[: 2 if called(node) == "ngettext" else 1]:
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    yield given.value


def in_template(path: Path) -> Iterator[str]:
    for match in _MARKED.finditer(templatize(path.read_text(), origin=str(path))):
        for literal in match.groups():
            if literal:
                yield ast.literal_eval(literal)


def unmarked_refusals(tree: ast.AST, kinds: set[str]) -> Iterator[str]:
    """Sentences of refusals that stand outside a mark."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in kinds:
            yield from plain_sentences(node)


def unmarked_in_acts(tree: ast.AST) -> Iterator[str]:
    """What acts explain and answer in plain English: sentences of ``explanation`` and ``run`` outside a mark."""
    for kind in ast.walk(tree):
        for function in kind.body if isinstance(kind, ast.ClassDef) else ():
            if isinstance(function, ast.FunctionDef) and function.name in ("explanation", "run"):
                body = function.body[1:] if ast.get_docstring(function) else function.body
                for statement in body:
                    yield from plain_sentences(statement)


def plain_sentences(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and called(node) in MARKS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = re.sub(r"%\(\w+\)s", "", node.value).strip()
        if " " in words:
            yield node.value
    for child in ast.iter_child_nodes(node):
        yield from plain_sentences(child)


def called(node: ast.Call) -> str:
    """The name of what is called."""
    name: str = getattr(node.func, "id", getattr(node.func, "attr", ""))
    return name


def kinds_of_refusals(kind: type[DomainError] = DomainError) -> set[type[DomainError]]:
    """The platform's own refusals; tests have some more."""
    own = set() if "tests" in kind.__module__.split(".") else {kind}
    return own.union(*map(kinds_of_refusals, kind.__subclasses__()))


def entries(catalogue: Path) -> dict[str, list[str]]:
    """A catalogue's source: text → its translations, one for each number form."""
    found: dict[str, list[str]] = {}
    for block in catalogue.with_suffix(".po").read_text().split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            match = re.fullmatch(r'(?:(msg\w+(?:\[\d+\])?) )?(".*")', line)
            assert match, line
            key = match.group(1) or key
            fields[key] = fields.get(key, "") + ast.literal_eval(match.group(2))
        if "msgid" in fields:
            assert fields["msgid"] not in found, fields["msgid"]
            found[fields["msgid"]] = [text for name, text in fields.items() if name.startswith("msgstr")]
            if "msgid_plural" in fields:
                found[fields["msgid_plural"]] = found[fields["msgid"]]
    return found


def compiled(catalogue: Path) -> gettext.GNUTranslations:
    """A catalogue as the platform reads it."""
    with catalogue.with_suffix(".mo").open("rb") as file:
        return gettext.GNUTranslations(file)
