"""The back-office speaks English and Vietnamese; the API speaks the words of its contracts whatever is asked for."""

import re
import uuid

import pytest
from django.test import Client
from django.utils import translation

from tests.support import messages
from tests.support.backoffice import one_of_each, run_session
from tests.support.books import nothing_moves

PLACES = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


@pytest.fixture
def vietnamese(staff) -> Client:
    staff.language = "vi"
    staff.save()
    client = Client()
    client.force_login(staff)
    return client


def test_the_compiled_catalogue_is_that_of_its_source():
    compiled = messages.compiled()
    source = messages.entries()
    assert len(source) > 500
    plural = {text for text in source if compiled.gettext(text) != source[text][0]}
    for text in plural:
        assert compiled.ngettext(text, text, 2) == source[text][0] or text in second_forms(), text
    known = {key if isinstance(key, str) else key[0] for key in compiled._catalog}
    assert known == set(source) - second_forms()


def second_forms() -> set[str]:
    text = messages.CATALOGUE.with_suffix(".po").read_text()
    return set(re.findall(r'^msgid_plural "(.*)"$', text, re.MULTILINE))


def test_everything_that_is_said_is_said_in_vietnamese_too():
    ours = messages.entries()
    with translation.override("vi"):
        # Words that Django says itself are in its own catalogue.
        missing = {text for text in messages.wanted() - set(ours) if translation.gettext(text) == text}
    assert missing == set()


def test_a_translation_keeps_the_places_of_what_is_filled_in():
    wrong = [
        (text, given)
        for text, translations in messages.entries().items()
        for given in translations
        if text and set(PLACES.findall(text)) != set(PLACES.findall(given))
    ]
    assert wrong == []
    assert all(given.strip() for translations in messages.entries().values() for given in translations)


@pytest.mark.django_db(transaction=True)
def test_pages_acts_and_refusals_are_in_the_users_language(vietnamese, player, gold, staff):
    today = vietnamese.get("/admin/").content.decode()
    for words in ("Hôm nay", "Người dùng và truy cập", "Token và sổ sách", "Phiên đang chờ", "Giao dịch"):
        assert words in today, words
    listed = vietnamese.get("/admin/rooms/room/").content.decode()
    for words in ("Phí tham gia", "Phiên hiện tại", "Giải thưởng", "Phòng"):
        assert words.lower() in listed.lower(), words
    url = f"/admin/accounts/user/{player.pk}/withdraw/"
    page = vietnamese.get(url).content.decode()
    for words in ("Rút tiền", "Lý do", "Số tiền", "Token bị lấy khỏi ví của player và hủy", "Hủy bỏ"):
        assert words in page, words
    form = {"reason": "thử", "request_key": "1", "token": gold.pk, "amount": "5"}
    with nothing_moves():
        refused = vietnamese.post(url, form)
    assert refused.status_code == 409
    assert "Số dư không đủ" in refused.content.decode()
    assert "Ví có ít hơn số đó" in refused.content.decode()
    done = vietnamese.post(f"/admin/accounts/user/{player.pk}/deposit/", form, follow=True).content.decode()
    assert "Đã nạp 5.00 GOLD cho player." in done


@pytest.mark.django_db(transaction=True)
def test_the_pages_of_rooms_and_money_keep_no_english_heading(
    vietnamese, staff, player, gold, make_room, people, fund, join
):
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
    room = make_room()
    world = one_of_each(room=room, session=run_session(room, guests, join), superuser=staff, player=player, gold=gold)
    source = messages.entries()
    english = {text.casefold() for text in source} - {given.casefold() for found in source.values() for given in found}
    # The name of the one who plays is "player".
    english.remove("player")
    left = []
    for label in (
        "rooms.room",
        "rooms.session",
        "payments.account",
        "payments.adjustmentrequest",
        "accounts.apiclient",
    ):
        where = f"/admin/{label.replace('.', '/')}/"
        for page in (where, f"{where}{world[label].pk}/change/"):
            text = vietnamese.get(page).content.decode()
            headings = re.findall(r"<th[^>]*>(.*?)</th>|<h2[^>]*>(.*?)</h2>", text, re.DOTALL)
            said = {re.sub(r"<[^>]*>|\s+", " ", one or two).strip() for one, two in headings}
            left += [(page, word) for word in said if word.casefold() in english]
    assert left == []


@pytest.mark.django_db(transaction=True)
def test_the_names_of_models_are_english_where_no_language_is_chosen(staff):
    client = Client()
    client.force_login(staff)
    page = client.get("/admin/payments/adjustmentrequest/").content.decode()
    assert "Adjustment requests" in page
    assert "Yêu cầu" not in page
    assert "People and access" in page


@pytest.mark.django_db(transaction=True)
def test_the_api_answers_the_same_whatever_language_is_asked_for(api, player, staff, gold, make_room):
    room = make_room()
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
        (None, "post", "/api/v3/users", {}),
        (None, "get", "/api/schema", None),
    ]
    for user, method, url, body in calls:
        answers = []
        for language in ("en", "vi", "vi-VN,vi;q=0.9"):
            headers = {"Accept-Language": language, "Idempotency-Key": str(uuid.uuid4())}
            client = api(user)
            client.cookies["django_language"] = "vi"
            answer = getattr(client, method)(url, body, headers=headers)
            kept = {name: value for name, value in answer.items() if name not in ("X-Request-ID", "Date")}
            answers.append((answer.status_code, answer.content, kept))
        assert answers[0] == answers[1] == answers[2], (url, answers)
