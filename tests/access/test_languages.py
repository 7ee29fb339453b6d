"""The back-office speaks English and Vietnamese; the API speaks the words of its contracts whatever is asked for."""

import ast
import re
import uuid
from collections import Counter
from pathlib import Path

import axes
import django
import pytest
import rest_framework_simplejwt
import unfold
from django.test import Client
from django.utils import translation

from accounts.models import User
from backoffice import sentences
from tests.support import messages

PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
# Whose words we translate, where their own catalogues do not.
THEIRS = (django, unfold, axes, rest_framework_simplejwt)


@pytest.fixture(params=[messages.PAGES, messages.SCRIPTS], ids=["pages", "scripts"])
def catalogue(request) -> Path:
    return request.param


def test_the_compiled_catalogue_is_that_of_its_source(catalogue):
    compiled = messages.compiled(catalogue)
    source = messages.entries(catalogue)
    assert len(source) > (1_000 if catalogue == messages.PAGES else 10)
    plural = {text for text in source if compiled.gettext(text) != source[text][0]}
    for text in plural:
        assert compiled.ngettext(text, text, 2) == source[text][0] or text in second_forms(catalogue), text
    known = {key if isinstance(key, str) else key[0] for key in compiled._catalog}
    assert known == set(source) - second_forms(catalogue)


def second_forms(catalogue: Path) -> set[str]:
    text = catalogue.with_suffix(".po").read_text()
    return set(re.findall(r'^msgid_plural "(.*)"$', text, re.MULTILINE))


def test_everything_that_is_said_is_said_in_vietnamese_too():
    ours = messages.entries()
    with translation.override("vi"):
        # Words that Django says itself are in its own catalogue.
        missing = {text for text in messages.wanted() - set(ours) if translation.gettext(text) == text}
    assert missing == set()


def test_a_translation_keeps_the_places_of_what_is_filled_in(catalogue):
    wrong = [
        (text, given)
        for text, translations in messages.entries(catalogue).items()
        for given in translations
        if text and Counter(PLACES.findall(text)) != Counter(PLACES.findall(given))
    ]
    assert wrong == []


def test_nothing_is_left_for_later(catalogue):
    entries = messages.entries(catalogue)
    assert [text for text, given in entries.items() if not all(part.strip() for part in given)] == []
    # What gettext's tools guessed, and what they commented out.
    assert not re.search(r"^#(, .*fuzzy|~)", catalogue.with_suffix(".po").read_text(), re.MULTILINE)


def test_no_word_is_translated_that_nobody_says():
    theirs = "".join(
        path.read_text()
        for package in THEIRS
        for pattern in ("**/*.py", "**/*.html", "**/admin/js/*.js")
        for path in Path(package.__file__).parent.glob(pattern)
    )
    # A line of Python has 80 letters or so: long sentences stand in pieces.
    pieces = re.sub(r"""["']\s*\n\s*["']""", "", theirs)
    unsaid = {*messages.entries(), *messages.entries(messages.SCRIPTS)} - messages.wanted() - {""}
    # A place in a template is written {{ so }}.
    as_templates = {text: re.sub(r"%\((\w+)\)s", r"{{ \1 }}", text) for text in unsaid}
    assert {text for text in unsaid if text not in pieces and as_templates[text] not in pieces} == set()


def test_each_refusal_with_something_filled_in_is_known_to_the_pages():
    named = {re.sub(r"%\(\w+\)s", "{}", text) for text in sentences.SENTENCES}
    assert {text for text in messages.said() if "{}" in text} - named == set()
    assert named - messages.filled_in() == set()


def test_acts_explain_and_answer_in_the_users_language():
    assert {
        str(path): found
        for path in messages.sources()
        if (found := list(messages.unmarked(ast.parse(path.read_text()))))
    } == {}
    assert list(
        messages.unmarked(ast.parse('class Go(Act):\n    def run(self, obj):\n        return f"{obj} is gone."'))
    ) == [" is gone."]


def test_a_refusal_is_found_by_what_it_says_and_filled_in_again():
    with translation.override("vi"):
        assert sentences.translated("The session is ended and cannot become void") == (
            "Phiên đã kết thúc nên không thể chuyển sang trạng thái vô hiệu"
        )
        assert sentences.translated("Total percent of prizes must equal 100, but is 90") == (
            "Tổng tỉ lệ giải thưởng phải bằng 100, nhưng đang là 90"
        )
        assert sentences.translated("room edited") == "sửa phòng"
        assert sentences.translated("user changed") == "sửa người dùng"
        assert sentences.translated("chat: delete message") == "trò chuyện: xóa tin nhắn"
        assert sentences.translated("What a library says") == "What a library says"
        assert sentences.translated("") == ""
        assert sentences.named("session 42 (ended)") == "phiên 42 (đã kết thúc)"
        # People's own words are left alone, also where the catalogue has them.
        assert sentences.named("Deposit") == "Deposit"
    assert sentences.translated("The session is ended and cannot become void") == (
        "The session is ended and cannot become void"
    )


@pytest.mark.django_db(transaction=True)
def test_the_names_of_models_are_english_where_no_language_is_chosen(staff):
    client = Client()
    client.force_login(staff)
    page = client.get("/admin/payments/adjustmentrequest/").content.decode()
    assert "Adjustment requests" in page
    assert "Yêu cầu" not in page
    assert "People and access" in page


@pytest.mark.django_db(transaction=True)
def test_the_api_answers_the_same_whatever_language_is_asked_for(api, player, staff, master, gold, make_room):
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
