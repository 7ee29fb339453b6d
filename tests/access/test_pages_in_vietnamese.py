"""Every page in Vietnamese; the trail and exports stay English and in UTC."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import django.contrib.admin
import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from accounts.models import Game, User
from backoffice import export_jobs
from backoffice.models import Export
from backoffice.preferences import time_zones
from chat.models import Conversation, Message
from core.db import clock
from core.models import AuditEntry
from payments.models import Job
from rooms.models import Session
from tests.support import messages
from tests.support.backoffice import one_of_each, run_session
from tests.support.books import nothing_moves
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)
# Words that no Vietnamese sentence has.
ENGLISH = re.compile(
    r"\b(the|is|are|was|were|be|been|of|and|not|no|with|from|by|this|that|which|its|have|has|had|it|your|you|can|may"
    r"|will|nobody|somebody|nothing|everybody|again|what|when|who|why|here|yet|all|for|each|every|once|only|there|their"
    r"|must|or|as|at|but|then|on|up|off|out|into)\b",
    re.IGNORECASE,
)
SPOKEN = ("placeholder", "title", "aria-label", "alt", "data-label")


class Words(HTMLParser):
    """What a page says: its texts, and the attributes that are shown or read aloud."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._silent = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # The names of icons are texts of their font.
        if tag in ("script", "style") or "material-symbols" in (given.get("class") or ""):
            self._silent = tag
        self.found |= {" ".join(text.split()) for name in SPOKEN if (text := given.get(name))}

    def handle_endtag(self, tag: str) -> None:
        self._silent = "" if tag == self._silent else self._silent

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.add(" ".join(data.split()))


@pytest.fixture
def vietnamese(staff) -> Client:
    User.objects.filter(pk=staff.pk).update(language="vi", time_zone="Asia/Ho_Chi_Minh")
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def world(staff, player, gold, make_room, people, fund, join) -> dict[str, Any]:
    """Something of every kind, a prepared export among it."""
    guests = people(4)
    for guest in guests:
        fund(guest, 2_000)
    room = make_room()
    found = one_of_each(room=room, session=run_session(room, guests, join), superuser=staff, player=player, gold=gold)
    export_jobs.request_export(
        requester=staff,
        request_key="transfers",
        list_label="payments.transfer",
        filters="",
        format=Export.Format.CSV,
        rows_estimated=12,
        now=clock.now(),
    )
    return {**found, "backoffice.export": export_jobs.run_next(clock=clock.now)}


def pages(world: dict[str, Any], staff: User) -> list[str]:
    """Every page that a superuser can open here."""
    request = RequestFactory().get("/admin/")
    request.user = staff
    found = ["/admin/", "/admin/preferences/", "/admin/authenticator/", "/admin/password_change/"]
    for model, own in admin.site._registry.items():
        home = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
        found.append(home)
        if own.has_add_permission(request):
            found.append(f"{home}add/")
        obj = world.get(model._meta.label_lower)
        if obj is not None:
            found += [f"{home}{obj.pk}/{page}/" for page in ("change", *(act.slug for act in getattr(own, "acts", ())))]
    return found


def given_by_people() -> set[str]:
    """Texts of people on the pages, which are not translated."""
    given = {*User.objects.values_list("username", flat=True), *Message.objects.values_list("content", flat=True)}
    given |= {
        *Message.objects.values_list("sender_name", flat=True),
        *Message.objects.values_list("message_type", flat=True),
    }
    given |= {*Conversation.objects.values_list("name", flat=True), *Game.objects.values_list("name", flat=True)}
    return {" ".join(text.split()) for text in given} | {
        *("English", "operator", "support", "finance", "moderator"),
        # JSON's own words, and places.
        *("true", "false", "null"),
        *(label for _, label in time_zones()),
    }


class Leftovers:
    """Tells what of a page's words is English: known to the catalogue, or in a sentence with an English word in it."""

    def __init__(self) -> None:
        catalogue = {**messages.entries(messages.LIBRARIES), **messages.entries(messages.OWN)}
        same = {given.casefold() for translations in catalogue.values() for given in translations}
        self._english = {text.casefold() for text in catalogue} - same
        self._data = {text.casefold() for text in given_by_people()}

    def of(self, page: str) -> set[str]:
        return {text for text in Words(page).found if self._is_english(text)}

    def _is_english(self, text: str) -> bool:
        said = text.casefold().removesuffix(" | gameplatform")
        if said in self._data:
            return False
        return said in self._english or bool(ENGLISH.search(text) and "A game's server" not in text)


def test_every_page_is_fully_vietnamese(vietnamese, world, staff):
    leftovers, left = Leftovers(), set()
    for page in pages(world, staff):
        answer = vietnamese.get(page)
        assert answer.status_code == 200, page
        left |= {(page, text) for text in leftovers.of(answer.content.decode())}
    assert sorted(left) == [], sorted(left)


def test_the_doors_speak_the_browsers_language(staff, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3
    leftovers = Leftovers()
    stranger = Client(headers={"Accept-Language": "vi"})
    assert leftovers.of(stranger.get("/admin/login/").content.decode()) == set()
    for _ in range(3):
        answer = stranger.post("/admin/login/", {"username": "staff", "password": "a guess"})
        assert leftovers.of(answer.content.decode()) == set()
    assert answer.status_code == 429
    assert "Hãy thử lại sau 15 phút" in answer.content.decode()


def test_the_scripts_of_a_page_speak_vietnamese(vietnamese):
    script = vietnamese.get("/admin/jsi18n/").content.decode()
    catalogue = json.loads(re.search(r"const newcatalog = (\{.*?\});\n", script, re.DOTALL)[1])
    own = messages.entries(messages.SCRIPTS)
    assert {text for text, given in own.items() if text and catalogue.get(text) not in (given[0], given)} <= {
        "%s selected options not visible"
    }
    selecting = (Path(django.contrib.admin.__file__).parent / "static/admin/js/SelectFilter2.js").read_text()
    said = {text.replace("\\", "") for text in re.findall(r"gettext\('((?:[^'\\]|\\.)*)'", selecting)}
    assert len(said) > 8
    assert said - set(catalogue) == set()


def test_english_would_be_noticed(vietnamese, world, staff):
    User.objects.filter(pk=staff.pk).update(language="en")
    found = Leftovers().of(vietnamese.get("/admin/rooms/room/add/").content.decode())
    assert {
        *("Today", "Entry fee", "Filter navigation items"),
        "The room is yours and opens its first session at once; players see it immediately.",
    } <= found


def test_the_dashboard(vietnamese, world):
    said = vietnamese.get("/admin/").content.decode()
    for words in (
        *("Hôm nay", "Người dùng và truy cập", "Token và sổ sách", "Phiên đang chờ", "Giao dịch", "cân bằng"),
        *("Kết nối trực tuyến", "Tác vụ nền đang chờ", "Tin nhắn, một phút qua", "Báo cáo chưa xử lý"),
        *("Tác vụ thất bại trong 24 giờ qua", "1 điều chỉnh đang chờ người thứ hai duyệt.", "Lượt gửi"),
    ):
        assert words in said, words


def test_a_master_creates_a_room(master, game, gold):
    User.objects.filter(pk=master.pk).update(language="vi")
    client = Client()
    client.force_login(master)
    said = client.get("/admin/rooms/room/add/").content.decode()
    for words in ("Tạo phòng", "Bảng giải thưởng", "Phí tham gia", "Số chỗ", "Tổng {sum} %: còn {rest} % chưa chia"):
        assert words in said, words
    terms = {
        "request_key": "1",
        "game": game.pk,
        "name": "Phòng một",
        "entry_fee": "2.50",
        "prizes": ["60", "30"],
        "max_participants": "50",
        "join_window_seconds": "60",
        "run_seconds": "120",
        "gap_seconds": "10",
    }
    refused = client.post("/admin/rooms/room/add/", terms).content.decode()
    assert "Tổng tỉ lệ giải thưởng phải bằng 100, nhưng đang là 90" in refused
    refused = client.post("/admin/rooms/room/add/", {**terms, "entry_fee": "2,50"}).content.decode()
    assert "Số tiền phải là số thập phân thông thường, ví dụ 12.5" in refused
    done = client.post("/admin/rooms/room/add/", {**terms, "prizes": ["60", "40"]}, follow=True).content.decode()
    assert "Phòng Phòng một đã mở, phiên đầu tiên cũng vậy." in done


def test_ended_session_refuses_voiding_in_vietnamese(vietnamese, world):
    session = world["rooms.session"]
    page = f"/admin/rooms/session/{session.pk}/"
    said = vietnamese.get(f"{page}change/").content.decode()
    words_expected = (
        *(f"Phiên {session.pk} (đã kết thúc)", "Kết quả và quay thưởng", "Người tham gia và giải thưởng"),
        *(
            "Dòng thời gian",
            "mở phiên",
            "bắt đầu chạy",
            "đã quyết toán",
            "đồng hồ",
            "phí tham gia",
            "Nhật ký kiểm toán",
        ),
    )
    for words in words_expected:
        assert words in said, words
    # A badge of a list that the page of the object shows as plain text.
    assert "(&#x27;" not in said
    with nothing_moves():
        refused = vietnamese.post(f"{page}void/", {"request_key": "1", "reason": "thử"})
    assert refused.status_code == 409
    said = refused.content.decode()
    assert "Phiên đã kết thúc nên không thể chuyển sang trạng thái vô hiệu" in said
    assert "Xem dòng thời gian." in said


def test_a_wallet_is_adjusted(vietnamese, player, gold):
    page = f"/admin/accounts/user/{player.pk}/"
    said = vietnamese.get(f"{page}withdraw/").content.decode()
    for words in ("Rút tiền", "Lý do", "Số tiền", "Token bị lấy khỏi ví của player và hủy", "Hủy bỏ"):
        assert words in said, words
    form = {"reason": "thử", "request_key": "1", "token": gold.pk, "amount": "5"}
    with nothing_moves():
        refused = vietnamese.post(f"{page}withdraw/", form)
    assert refused.status_code == 409
    assert "Số dư không đủ" in refused.content.decode()
    assert "Ví có ít hơn số đó" in refused.content.decode()
    refused = vietnamese.post(f"{page}deposit/", {**form, "amount": "5.005"}).content.decode()
    assert "Số tiền có tối đa 2 chữ số thập phân" in refused
    done = vietnamese.post(f"{page}deposit/", form, follow=True).content.decode()
    assert "Đã nạp 5.00 GOLD cho player." in done


def test_the_chat_is_moderated(vietnamese, world):
    room, member, message = world["chat.conversation"], world["chat.member"], world["chat.message"]
    said = vietnamese.get(f"/admin/chat/conversation/{room.pk}/change/").content.decode()
    for words in (
        "Tin nhắn gần nhất",
        "Hình phạt đang hiệu lực",
        "Việc kiểm duyệt đã làm",
        "cấm nói",
        "đến khi được gỡ",
    ):
        assert words in said, words
    acts = {
        f"chat/message/{message.pk}/take-down": "Đã xóa tin nhắn.",
        f"chat/message/{message.pk}/restore": "Đã khôi phục tin nhắn.",
        f"chat/report/{world['chat.report'].pk}/dismiss": "Đã đóng báo cáo.",
        f"chat/sanction/{world['chat.sanction'].pk}/lift": "Đã gỡ lệnh cấm nói đối với",
        f"chat/member/{member.pk}/ban": f"Đã cấm {member.user_name} vào {room.name}.",
        f"chat/conversation/{room.pk}/close": f"Đã đóng {room.name}.",
    }
    for page, done in acts.items():
        answer = vietnamese.post(f"/admin/{page}/", {"request_key": page, "reason": "thử", "hours": "24"}, follow=True)
        assert done in answer.content.decode(), page
    assert {entry.action for entry in AuditEntry.objects.order_by("-id")[:6]} == {
        *("chat: delete message", "chat: restore message", "chat: resolve report", "chat: unmute", "chat: ban"),
        "chat: deactivate room",
    }


def test_webhooks_are_set_up(vietnamese, world):
    said = vietnamese.get("/admin/webhooks/endpoint/add/").content.decode()
    for words in ("Thêm điểm nhận webhook", "Phiên đã kết thúc; giải thưởng đã trả", "Chủ phòng"):
        assert words in said, words
    form = {"request_key": "1", "name": "Máy chủ", "types": ["session.ended"], "reason": "thử"}
    refused = vietnamese.post("/admin/webhooks/endpoint/add/", {**form, "url": "http://8.8.8.8/"})
    assert refused.status_code == 409
    assert "URL phải bắt đầu bằng https://" in refused.content.decode()
    done = vietnamese.post("/admin/webhooks/endpoint/add/", {**form, "url": "https://8.8.8.8/"}).content.decode()
    for words in ("Máy chủ đã bắt đầu nhận sự kiện.", "Mã ký", "Tôi đã sao chép"):
        assert words in done, words
    made = Endpoint.objects.get(name="Máy chủ")
    page = f"/admin/webhooks/endpoint/{made.pk}/"
    done = vietnamese.post(f"{page}replay-dead/", {"request_key": "2", "reason": "thử"}, follow=True).content.decode()
    assert "Đang thử lại 0 lượt gửi." in done
    assert AuditEntry.objects.get(object_id=str(made.pk), action="webhook endpoint created").reason == "thử"


def test_trail_and_exports_stay_english(vietnamese, world, staff, player):
    game = world["accounts.game"]
    form = {"name": "Dice", "symbol": game.symbol, "status": game.status, "result_mode": game.result_mode}
    form |= {"score_order": game.score_order}
    answer = vietnamese.post(f"/admin/accounts/game/{game.pk}/change/", form)
    assert answer.status_code == 302, answer.content.decode()
    assert AuditEntry.objects.latest("id").action == "game changed"
    assert "sửa trò chơi" in vietnamese.get("/admin/core/auditentry/").content.decode()
    in_vietnamese = workbook(vietnamese, "/admin/payments/account/export-xlsx/")
    User.objects.filter(pk=staff.pk).update(language="en")
    in_english = workbook(vietnamese, "/admin/payments/account/export-xlsx/")
    assert in_vietnamese == in_english
    assert "holder" in in_english
    assert "issuance" in in_english


def workbook(client: Client, page: str) -> set[str]:
    """The texts of a workbook's cells."""
    file = zipfile.ZipFile(io.BytesIO(b"".join(client.get(page))))
    parts = [file.read(name).decode() for name in file.namelist() if name.startswith("xl/worksheets/sheet")]
    return set(re.findall(r"<t[^>]*>([^<]*)</t>", "".join(parts)))


def test_pages_show_times_in_the_users_zone(vietnamese, world):
    """18:30 in UTC is 01:30 of the next day in Ho Chi Minh City."""
    then = datetime(2026, 5, 1, 18, 30, tzinfo=UTC)
    session, message, job = world["rooms.session"], world["chat.message"], world["payments.job"]
    endpoint = world["webhooks.endpoint"]
    Session.objects.filter(pk=session.pk).update(opens_at=then)
    Message.objects.filter(pk=message.pk).update(created_at=then)
    Endpoint.objects.filter(pk=endpoint.pk).update(created_at=then)
    Job.objects.filter(pk=job.pk).update(created_at=then)
    Export.objects.update(finished_at=then)
    for page in (
        f"/admin/rooms/session/{session.pk}/change/",
        "/admin/chat/message/",
        f"/admin/chat/conversation/{message.conversation_id}/change/",
        "/admin/webhooks/endpoint/",
        "/admin/payments/job/",
        f"/admin/backoffice/export/{world['backoffice.export'].pk}/change/",
    ):
        said = vietnamese.get(page).content.decode()
        assert "2026-05-02 01:30:00" in said, page
        assert "2026-05-01 18:30:00" not in said, page
