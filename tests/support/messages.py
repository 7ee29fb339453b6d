"""What the back-office says, which has to be translated, and the catalogue that does. No gettext tools needed."""

import ast
import gettext
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.utils.translation.template import templatize

from backoffice import vocabulary
from core.errors import DomainError

CATALOGUES = settings.BASE_DIR / "gameplatform" / "locale" / "vi" / "LC_MESSAGES"
# The pages' words, and those of the scripts.
PAGES, SCRIPTS = CATALOGUES / "django", CATALOGUES / "djangojs"
APPS = ("gameplatform", "payments", "rooms", "rounds", "chat")
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"}
# Words of tables, translated when the table is drawn.
DRAWN = {"headings", "empty", "note"}
# What notes an act in the audit trail, where the act's name is said.
NOTES = {"record", "_record"}
# Refusals that only an API answers.
API_ONLY = {
    *("chat/conversations.py", "chat/messages.py", "chat/posting.py", "chat/tenant_rooms.py", "rooms/entry.py"),
    *("rooms/results.py", "rooms/scores.py", "rounds/attributes.py", "rounds/players.py", "rounds/scoring.py"),
    *("core/json_text.py", "accounts/identity.py"),
}
_TEXT = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_MARKED = re.compile(rf"\bn?gettext\(u?{_TEXT}(?:,\s*u?{_TEXT})?")


def wanted() -> set[str]:
    """Every text that a page of the back-office may show."""
    # All refusals there are: those of the API's modules too.
    for entrance in (settings.ROOT_URLCONF, "gameplatform.routing"):
        import_module(entrance)
    found = vocabulary.WORDS | refusals() | {text for text in said() if "{}" not in text}
    for path in sources():
        found |= set(in_source(ast.parse(path.read_text())))
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("templates/**/*.html"):
            found |= set(in_template(path))
    return {text for text in found if any(character.isalpha() for character in text)}


def kinds_of_refusals(kind: type[DomainError] = DomainError) -> set[type[DomainError]]:
    """The platform's own refusals; tests have some more."""
    own = set() if "tests" in kind.__module__.split(".") else {kind}
    return own.union(*map(kinds_of_refusals, kind.__subclasses__()))


def refusals() -> set[str]:
    """What each says when it is given no other sentence."""
    return {kind.default_message for kind in kinds_of_refusals()}


def sources() -> list[Path]:
    """The platform's own modules."""
    found = [path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]
    return [path for path in found if not {"tests", "migrations"} & set(path.parts)]


def in_source(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node)
            if name in CALLS:
                yield from texts(node.args[: 2 if name == "ngettext" else 1])
            if name in NOTES:
                yield from texts(node.args[:2])
            for given in node.keywords:
                if given.arg in DRAWN or (given.arg == "action" and name in NOTES):
                    yield from texts([given.value])
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            names = node.targets if isinstance(node, ast.Assign) else [node.target]
            name = getattr(names[0], "id", "").lower().rpartition("_")[2]
            if name in DRAWN or (name == "action" and isinstance(node.value, ast.IfExp)):
                yield from texts([node.value])


def unmarked(tree: ast.AST) -> Iterator[str]:
    """What acts explain and answer in plain English: sentences of ``explanation`` and ``run`` outside a translation."""
    for kind in ast.walk(tree):
        for function in kind.body if isinstance(kind, ast.ClassDef) else ():
            if isinstance(function, ast.FunctionDef) and function.name in ("explanation", "run"):
                body = function.body[1:] if ast.get_docstring(function) else function.body
                for statement in body:
                    yield from plain_sentences(statement)


def plain_sentences(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and called(node) in CALLS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from plain_sentences(child)


def called(node: ast.Call) -> str:
    """The name of what is called."""
    name: str = getattr(node.func, "id", getattr(node.func, "attr", ""))
    return name


def said() -> set[str]:
    """What the domain's refusals say in place of their usual sentence, ``{}`` for what is filled in."""
    kinds = {kind.__name__ for kind in kinds_of_refusals()}
    found = set()
    for path in sources():
        where = path.relative_to(settings.BASE_DIR)
        if {"api", "wire", "consumers.py", "management"} & set(where.parts) or str(where) in API_ONLY:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in kinds and node.args:
                found |= {sentence(node.args[0])} - {""}
    return found


def filled_in() -> set[str]:
    """Every text of the source that something is filled into, ``{}`` for what is."""
    found = set()
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            found |= {
                sentence(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)
            }
    return found


def sentence(node: ast.expr) -> str:
    """A text with ``{}`` for what is filled in; "" for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Tuple):
            yield from texts(node.elts)
        elif isinstance(node, ast.IfExp):
            yield from texts([node.body, node.orelse])


def in_template(path: Path) -> Iterator[str]:
    for match in _MARKED.finditer(templatize(path.read_text(), origin=str(path))):
        for literal in match.groups():
            if literal:
                yield ast.literal_eval(literal)


def entries(catalogue: Path = PAGES) -> dict[str, list[str]]:
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


def compiled(catalogue: Path = PAGES) -> gettext.GNUTranslations:
    """A catalogue as the platform reads it."""
    with catalogue.with_suffix(".mo").open("rb") as file:
        return gettext.GNUTranslations(file)
