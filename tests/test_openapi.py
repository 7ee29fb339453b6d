"""The OpenAPI document: complete, true to its own examples, the same as the committed one, and readable offline."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import EndpointEnumerator
from jsonschema import Draft202012Validator

from core.wire import openapi
from tests.support.json_schema import closed

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
REGENERATE = "DEBUG=true CLOCK_SOURCE=host .venv/bin/python manage.py spectacular --file docs/openapi.yaml"

# Every route below /api/ is in the document, but for these: the test suite's own and the document itself.
NOT_DESCRIBED = ("/api/v3/test_suite", "/api/schema", "/api/docs")
# GameFuse's answers have examples in docs/rounds.md.
WITHOUT_EXAMPLES = "/api/v3/"

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document()


def operations(document):
    return [
        (path, method, found[method])
        for path, found in document["paths"].items()
        for method in found
        if method in METHODS
    ]


def contents(document):
    """Every place with examples of a schema: where it is, the schema, the examples."""
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        for parameter in operation.get("parameters", []):
            yield f"{where} {parameter['name']}", parameter
        for kind in ("requestBody", *operation["responses"]):
            part = operation.get(kind) or operation["responses"].get(kind)
            for media in (part or {}).get("content", {}).values():
                yield f"{where} {kind}", media


def test_the_committed_document_is_the_one_the_code_makes(tmp_path):
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(made))
    assert made.read_text() == COMMITTED.read_text(), f"The API has changed. Run: {REGENERATE}"


def test_every_route_is_in_the_document():
    missing = [
        f"{method} {path}"
        for path, _, method, callback in EndpointEnumerator().get_api_endpoints()
        if path.startswith("/api/") and not path.startswith(NOT_DESCRIBED) and not openapi.is_declared(callback, method)
    ]
    assert missing == []


def test_paths_are_clean_and_operations_have_names_of_their_own(document):
    assert [path for path in document["paths"] if re.search(r"[?^$\\]|/$", path)] == []
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) >= 34
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for _, _, operation in operations(document) for tag in operation["tags"]} == tags


def test_every_example_fits_its_schema(document):
    """Closed for the test: an example with a key that the schema does not know is a mistake in one of them."""
    components = closed(document["components"])
    seen = 0
    for where, described in contents(document):
        schema = closed(described["schema"]) | {"components": components}
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for name, example in described.get("examples", {}).items():
            problems = [
                f"{where} {name}: {error.json_path}: {error.message}"
                for error in validator.iter_errors(example["value"])
            ]
            assert problems == []
            seen += 1
    assert seen > 200


def test_every_success_and_every_refusal_has_an_example(document):
    for path, method, operation in operations(document):
        if path.startswith(WITHOUT_EXAMPLES):
            continue
        for status, response in operation["responses"].items():
            examples = response["content"]["application/json"].get("examples", {})
            assert examples, f"{method} {path} {status}"
            for example in examples.values():
                assert example["value"].get("statusCode", int(status)) == int(status)


def test_every_parameter_of_chat_and_pots_is_described(document):
    undescribed = [
        f"{method} {path} {parameter['name']}"
        for path, method, operation in operations(document)
        if path.startswith(("/api/v1/rooms", "/api/v1/messages")) or not path.startswith("/api/v")
        for parameter in operation.get("parameters", [])
        if not (parameter.get("description") or parameter["schema"].get("description"))
    ]
    assert undescribed == []


def test_the_document_is_served_in_both_formats(client):
    as_yaml, as_json = client.get("/api/schema"), client.get("/api/schema/?format=json")
    assert yaml.safe_load(as_yaml.content) == as_json.json() == yaml.safe_load(COMMITTED.read_text())
    by_accept = client.get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert by_accept.json() == as_json.json()


class References(HTMLParser):
    """What a page loads: the address of every script, style, picture and link."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_the_documentation_page_works_offline_with_debug_off(settings):
    assert settings.DEBUG is False
    client = Client()
    page = client.get("/api/docs")
    script = client.get("/api/docs/?script=")
    assert (page.status_code, script.status_code) == (200, 200)
    loads = References()
    loads.feed(page.content.decode())
    assert len(loads.found) >= 4
    assert [found for found in loads.found if not found.startswith(("/static/", "/api/docs"))] == []
    assert re.findall(rb"https?://[^\s\"']+", page.content + script.content) == []
    for found in loads.found:
        served: Any = client.get(found)
        assert (found, served.status_code) == (found, 200)
        assert len(b"".join(served.streaming_content) if served.streaming else served.content) > 500
    assert b"/api/schema" in script.content
    assert b'"validatorUrl": null' in script.content
