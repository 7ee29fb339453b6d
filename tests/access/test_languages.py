"""The back-office speaks English and Vietnamese; the API speaks the words of its contracts whatever is asked for."""

import ast
import re
import uuid
from collections import Counter
from importlib import import_module
from pathlib import Path

import axes
import django
import pytest
import rest_framework_simplejwt
import unfold
from django.conf import settings
from django.test import Client
from django.utils import translation

from accounts.models import User
from backoffice.admin import act_name
from backoffice.panels import kept_text
from core.errors import Conflict
from core.security.names import InvalidName, clean_name
from rooms.models import Session
from tests.support import messages
from webhooks.admin import error_text, reason_text

PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
# Whose words we translate, where their own catalogues do not.
LIBRARIES = (django, unfold, axes, rest_framework_simplejwt)
# Refusals of the wire: no page shows them.
API_ONLY = ("api", "wire", "realtime", "management", "consumers.py", "json_text.py")


@pytest.fixture(params=[messages.OWN, messages.LIBRARIES, messages.SCRIPTS], ids=["own", "libraries", "scripts"])
def catalogue(request) -> Path:
    return request.param


def test_compiled_catalogue_matches_its_source(catalogue):
    compiled = messages.compiled(catalogue)
    source = messages.entries(catalogue)
    assert len(source) > 10
    # msgfmt leaves the date out of the header, which is the entry of "".
    plural = {text for text in source if text and compiled.gettext(text) != source[text][0]}
    for text in plural:
        assert compiled.ngettext(text, text, 2) == source[text][0] or text in second_forms(catalogue), text
    known = {key if isinstance(key, str) else key[0] for key in vars(compiled)["_catalog"]}
    assert known == set(source) - second_forms(catalogue)


def second_forms(catalogue: Path) -> set[str]:
    text = catalogue.with_suffix(".po").read_text()
    return set(re.findall(r'^msgid_plural "(.*)"$', text, re.MULTILINE))


def test_catalogue_holds_exactly_the_marked_texts():
    ours, marked = set(messages.entries(messages.OWN)) - {""}, messages.marked() - {""}
    assert {"missing": marked - ours, "unused": ours - marked} == {"missing": set(), "unused": set()}


def test_translations_keep_their_placeholders(catalogue):
    wrong = [
        (text, given)
        for text, translations in messages.entries(catalogue).items()
        for given in translations
        if text and Counter(PLACES.findall(text)) != Counter(PLACES.findall(given))
    ]
    assert wrong == []


def test_no_translation_is_empty_or_fuzzy(catalogue):
    entries = messages.entries(catalogue)
    assert [text for text, given in entries.items() if not all(part.strip() for part in given)] == []
    # What gettext's tools guessed, and what they commented out.
    assert not re.search(r"^#(, .*fuzzy|~)", catalogue.with_suffix(".po").read_text(), re.MULTILINE)


def test_translated_words_of_libraries_still_exist():
    theirs = "".join(
        path.read_text()
        for package in LIBRARIES
        for pattern in ("**/*.py", "**/*.html", "**/admin/js/*.js")
        for path in Path(str(package.__file__)).parent.glob(pattern)
    )
    # A line of Python has 80 letters or so: long sentences stand in pieces.
    pieces = re.sub(r"""["']\s*\n\s*["']""", "", theirs)
    texts = {*messages.entries(messages.LIBRARIES), *messages.entries(messages.SCRIPTS)} - {""}
    # A placeholder in a template is written {{ so }}.
    as_templates = {text: re.sub(r"%\((\w+)\)s", r"{{ \1 }}", text) for text in texts}
    assert {text for text in texts if text not in pieces and as_templates[text] not in pieces} == set()


def test_refusals_and_acts_are_marked():
    for entrance in (settings.ROOT_URLCONF, "gameplatform.routing"):
        import_module(entrance)
    kinds = messages.kinds_of_refusals()
    assert {kind.default_message for kind in kinds if not set(API_ONLY) & set(source_of(kind))} <= messages.marked()
    names = {kind.__name__ for kind in kinds}
    trees = {
        path.relative_to(settings.BASE_DIR): ast.parse(path.read_text())
        for path in messages.sources()
        if not set(API_ONLY) & set(path.parts)
    }
    unmarked = {
        str(path): found
        for path, tree in trees.items()
        if (found := [*messages.unmarked_refusals(tree, names), *messages.unmarked_in_acts(tree)])
    }
    assert unmarked == {}


def source_of(kind: type) -> list[str]:
    *folders, module = kind.__module__.split(".")
    return [*folders, f"{module}.py"]


def test_unmarked_text_is_found():
    act = 'class Go(Act):\n    def run(self, obj):\n        return f"{obj} is gone."'
    assert list(messages.unmarked_in_acts(ast.parse(act))) == [" is gone."]
    refusal = 'raise Full(f"Only {seats} seats are left")\nraise Full(gettext_noop("No seats"))'
    assert list(messages.unmarked_refusals(ast.parse(refusal), {"Full"})) == [" seats are left"]


class Stuck(Conflict):
    default_message = "The session is %(state)s and cannot become %(to)s"


def test_refusal_is_translated_by_its_template():
    error = Stuck(state=Session.Status.ENDED, to=Session.Status.VOID)
    with translation.override("vi"):
        assert error.translated() == "Phiên đã kết thúc nên không thể chuyển sang trạng thái vô hiệu"
        assert error.message == str(error) == "The session is ended and cannot become void"
        with pytest.raises(InvalidName) as refused:
            clean_name("", max_length=3)
        assert refused.value.translated() == "Tên không được để trống"
        assert refused.value.message == "The name must not be empty"
        assert Conflict("What a library says about 100 %").translated() == "What a library says about 100 %"
    assert error.translated() == error.message


def test_recorded_texts_are_shown_translated():
    with translation.override("vi"):
        assert act_name("room edited") == "sửa phòng"
        assert act_name("user changed") == "sửa người dùng"
        assert act_name("chat: delete message") == "trò chuyện: xóa tin nhắn"
        assert act_name("What another version recorded") == "What another version recorded"
        assert kept_text("") == ""
        assert reason_text("Every attempt of 5 days has failed") == "Mọi lần thử trong 5 ngày đều thất bại"
        assert reason_text("by the API key abc") == "bởi khóa API abc"
        assert error_text("No answer within 5 s") == "Không có trả lời trong 5 giây"
        assert error_text("503 Service Unavailable") == "503 Service Unavailable"
        assert str(Session(pk=42, status=Session.Status.ENDED)) == "phiên 42 (đã kết thúc)"


@pytest.mark.django_db(transaction=True)
def test_english_is_the_default_language(staff):
    client = Client()
    client.force_login(staff)
    page = client.get("/admin/payments/adjustmentrequest/").content.decode()
    assert "Adjustment requests" in page
    assert "Yêu cầu" not in page
    assert "People and access" in page


@pytest.mark.django_db(transaction=True)
def test_api_answers_ignore_the_language(api, player, staff, master, gold, make_room):
    room = make_room()
    # Also to who has chosen Vietnamese for the back-office's pages, and has just seen one.
    User.objects.update(language="vi")
    pages = Client()
    pages.force_login(staff)
    endpoint = {"name": "Elsewhere", "url": "http://8.8.8.8/", "types": ["session.ended"]}
    terms = {"game_id": room.game_id, "participation_amount": 5, "prizes": [{"rank": 1, "percent": 90}]}
    calls = [
        (None, "post", "/api/v1/auth/login", {"username": "player", "password": "wrong"}),
        (None, "post", "/api/v1/auth/login", {"username": ""}),
        (None, "post", "/api/v1/auth/register", {"username": "player", "password": "x"}),
        (None, "post", "/api/v1/auth/register", {"username": "fresh", "password": "123", "email": "no address"}),
        (None, "get", "/api/v1/auth/me", None),
        (None, "get", "/api/v1/nowhere", None),
        (None, "delete", "/api/v1/game-lists", None),
        (player, "patch", "/api/v1/auth/me", {"avatar": "no address", "email": "none"}),
        (player, "get", "/api/v1/wallet", None),
        (player, "post", "/api/v1/wallet/deposits", {"user_id": player.pk, "token": "GOLD", "amount": "5"}),
        (staff, "post", "/api/v1/wallet/deposits", {"user_id": 10**9, "token": "NONE", "amount": "x"}),
        (player, "get", f"/api/v1/game-rooms/{room.pk}", None),
        (master, "post", "/api/v1/game-rooms", terms),
        (player, "post", "/api/v1/game-rooms", terms),
        (master, "post", "/api/v1/webhook-endpoints", endpoint),
        (master, "post", "/api/v1/webhook-endpoints", {**endpoint, "types": ["nothing.known"]}),
        (player, "post", "/api/v1/rooms/", {"name": ""}),
        (player, "get", f"/api/v1/rooms/{uuid.uuid4()}/messages", None),
        (None, "post", "/api/v3/users", {}),
        (None, "get", "/api/v3/games/verify?game_id=1&game_token=wrong", None),
        (None, "post", "/api/game/create", {}),
        (None, "get", "/api/schema", None),
    ]
    for user, method, url, body in calls:
        answers = []
        for language in ("en", "vi", "vi-VN,vi;q=0.9"):
            headers = {"Accept-Language": language, "Idempotency-Key": str(uuid.uuid4())}
            client = api(user)
            client.cookies["django_language"] = "vi"
            assert "Hôm nay" in pages.get("/admin/preferences/").content.decode()
            answer = getattr(client, method)(url, body, headers=headers)
            kept = {name: value for name, value in answer.items() if name not in ("X-Request-ID", "Date")}
            answers.append((answer.status_code, answer.content, kept))
        assert answers[0] == answers[1] == answers[2], (url, answers)
        assert answers[0][1].isascii() or url == "/api/schema", url
