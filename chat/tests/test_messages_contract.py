"""Messages: the documented calls, their filters, and who may change what."""

import uuid

import pytest
import time_machine

from chat.models import Conversation, Message, ModerationAct


def test_posting_answers_the_whole_message(tenant, lounge):
    body = {
        "sender_id": "lan",
        "sender_name": "Lan Anh",
        "content": "Ván mới lúc 9 giờ 🎲",
        "message_type": "text",
        "meta": {"mentions": ["minh"], "thread_id": None, "priority": "normal"},
    }
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        response = tenant.api.post(f"/api/v1/rooms/{lounge.pk}/messages/", body)
    assert response.status_code == 201
    answer = response.json()
    assert answer == {
        "data": {
            **body,
            "id": answer["data"]["id"],
            "room_id": str(lounge.pk),
            "client_id": str(tenant.client.public_id),
            "created_at": "2026-03-01T12:00:00.000Z",
            "updated_at": "2026-03-01T12:00:00.000Z",
            "edited_at": None,
            "is_deleted": False,
            "seq": 1,
        },
        "status": "success",
    }
    assert tenant.api.get(f"/api/v1/messages/{answer['data']['id']}").json() == answer
    assert uuid.UUID(answer["data"]["id"]).version == 7


def test_the_same_client_msg_id_answers_the_first_message(tenant, lounge, say):
    first = say("one", client_msg_id="c-1")
    again = tenant.api.post(
        f"/api/v1/rooms/{lounge.pk}/messages/", {"sender_id": "lan", "content": "other", "client_msg_id": "c-1"}
    )
    assert again.status_code == 200
    assert again.json()["data"] == first
    assert say("mine", sender_id="minh", client_msg_id="c-1")["seq"] == 2
    assert Conversation.objects.get(pk=lounge.pk).message_count == 2


def test_seq_counts_per_room_without_gaps_and_the_room_keeps_exact_counts(tenant, lounge, say):
    assert [say(str(n))["seq"] for n in range(5)] == [1, 2, 3, 4, 5]
    room = tenant.api.get(f"/api/v1/rooms/{lounge.pk}").json()["data"]
    assert (room["participant_count"], room["message_count"]) == (2, 5)


def test_time_never_goes_back_in_a_room_when_a_clock_does(say):
    with time_machine.travel("2026-03-01T12:00:10Z", tick=False):
        assert say("a")["created_at"] == "2026-03-01T12:00:10.000Z"
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        assert say("b")["created_at"] == "2026-03-01T12:00:10.000Z"


def test_the_list_has_every_filter(tenant, lounge, say):
    for number, (sender, kind, text) in enumerate(
        [("lan", "text", "Chào cả nhà"), ("minh", "text", "chao buoi sang"), ("lan", "image", "a picture")]
    ):
        with time_machine.travel(f"2026-03-01T12:00:0{number}Z", tick=False):
            say(text, sender_id=sender, message_type=kind)

    def seqs(query):
        response = tenant.api.get(f"/api/v1/rooms/{lounge.pk}/messages/?{query}")
        assert response.status_code == 200, response.content
        return [message["seq"] for message in response.json()["data"]]

    assert seqs("") == [3, 2, 1]
    assert seqs("sort=created_at") == [1, 2, 3]
    assert seqs("sender_id=minh") == [2]
    assert seqs("message_type=image") == [3]
    assert seqs("created_after=2026-03-01T12:00:00Z") == [3, 2]
    assert seqs("created_before=2026-03-01T12:00:02Z") == [2, 1]
    assert seqs("search=chao") == [2, 1]
    assert seqs("search=ch%C3%A0o") == [2, 1]
    assert seqs("skip=1&limit=1") == [2]
    assert seqs("after_seq=1") == [2, 3]
    assert seqs("after_seq=1&sort=-created_at") == [3, 2]
    assert seqs("before_seq=3") == [2, 1]
    page = tenant.api.get(f"/api/v1/rooms/{lounge.pk}/messages/?limit=2").json()["pagination"]
    assert page == {"skip": 0, "limit": 2, "total": 3, "has_more": True}


def test_a_deleted_message_is_gone_from_list_search_and_count_until_it_is_restored(tenant, lounge, say):
    message = say("secret word")
    say("other")
    url = f"/api/v1/messages/{message['id']}"
    deleted = tenant.api.delete(f"{url}?user_id=lan")
    assert deleted.status_code == 200
    assert deleted.json() == {"message": "Message deleted successfully", "status": "success"}
    assert tenant.api.delete(f"{url}?user_id=lan").json()["error"]["code"] == "MESSAGE_NOT_FOUND"

    def seqs(query=""):
        return [m["seq"] for m in tenant.api.get(f"/api/v1/rooms/{lounge.pk}/messages/{query}").json()["data"]]

    assert seqs() == [2]
    assert seqs("?include_deleted=true") == [2, 1]
    assert tenant.api.get("/api/v1/messages/search?q=secret").json()["data"] == []
    assert Conversation.objects.get(pk=lounge.pk).message_count == 1
    with time_machine.travel("2026-03-01T12:10:00Z", tick=False):
        restored = tenant.api.post(f"{url}/restore", {"user_id": "lan"})
    assert restored.json() == {
        "data": {"id": message["id"], "is_deleted": False, "updated_at": "2026-03-01T12:10:00.000Z"},
        "message": "Message restored successfully",
        "status": "success",
    }
    assert seqs() == [2, 1]
    assert Conversation.objects.get(pk=lounge.pk).message_count == 2


def test_editing_changes_content_and_meta_and_says_when(tenant, say):
    message = say("helo")
    with time_machine.travel("2027-03-01T12:05:00Z", tick=False):
        edited = tenant.api.put(
            f"/api/v1/messages/{message['id']}",
            {"user_id": "lan", "content": "hello", "meta": {"edited_reason": "typo"}},
        )
    assert edited.json() == {
        "data": {
            **message,
            "content": "hello",
            "meta": {"edited_reason": "typo"},
            "updated_at": "2027-03-01T12:05:00.000Z",
            "edited_at": "2027-03-01T12:05:00.000Z",
        },
        "status": "success",
    }


@pytest.mark.parametrize("method", ["put", "delete"])
def test_only_the_sender_and_moderators_change_a_message(tenant, lounge, say, method):
    message = say("mine")
    url = f"/api/v1/messages/{message['id']}"
    body = {"user_id": "minh", "content": "not mine"} if method == "put" else {"user_id": "minh"}
    refused = getattr(tenant.api, method)(url, body)
    assert refused.status_code == 403
    assert refused.json() == {
        "error": {"code": "UNAUTHORIZED_EDIT", "message": "You can only edit your own messages"},
        "status": "error",
    }
    row = Message.objects.get(pk=message["id"])
    assert (row.content, row.is_deleted, row.edited_at) == ("mine", False, None)
    tenant.api.post(
        f"/api/v1/rooms/{lounge.pk}/join", {"user_id": "mod", "user_name": "Mod", "meta": {"role": "moderator"}}
    )
    assert getattr(tenant.api, method)(url, {**body, "user_id": "mod"}).status_code == 200
    act = ModerationAct.objects.get(message_id=message["id"])
    assert (act.actor, act.user_id) == ("member:mod", "lan")


def test_a_sender_cannot_restore_what_a_moderator_deleted(tenant, lounge, say):
    message = say("rude")
    tenant.api.post(
        f"/api/v1/rooms/{lounge.pk}/join", {"user_id": "mod", "user_name": "Mod", "meta": {"role": "moderator"}}
    )
    url = f"/api/v1/messages/{message['id']}"
    tenant.api.delete(f"{url}?user_id=mod")
    refused = tenant.api.post(f"{url}/restore", {"user_id": "lan"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "UNAUTHORIZED_EDIT")
    assert Message.objects.get(pk=message["id"]).is_deleted


def test_too_long_content_says_how_long(tenant, lounge, say):
    response = tenant.api.post(f"/api/v1/rooms/{lounge.pk}/messages/", {"sender_id": "lan", "content": "é" * 10_001})
    assert response.status_code == 413
    assert response.json() == {
        "error": {
            "code": "CONTENT_TOO_LONG",
            "message": "Message content exceeds maximum length",
            "details": {"max_length": 10000, "current_length": 10001},
        },
        "status": "error",
    }
    assert say("é" * 10_000)["seq"] == 1


def test_a_thread_gathers_replies_and_named_threads(tenant, lounge, say):
    root = say("who plays?")
    reply = say("me", meta={"reply_to": root["id"]})
    say("unrelated")
    nested = say("me too", sender_id="minh", meta={"reply_to": reply["id"]})
    for message in (root, reply, nested):
        thread = tenant.api.get(f"/api/v1/messages/{message['id']}/thread").json()
        assert [m["id"] for m in thread["data"]] == [root["id"], reply["id"], nested["id"]]
        assert thread["pagination"]["total"] == 3
    summary = tenant.api.get(f"/api/v1/messages/{root['id']}/thread/summary").json()["data"]
    assert summary == {
        "thread_id": root["id"],
        "message_count": 3,
        "reply_count": 2,
        "participants": ["lan", "minh"],
        "first_message_at": root["created_at"],
        "last_message_at": nested["created_at"],
        "last_message": nested,
    }
    named = say("by name", meta={"thread_id": "plans"})
    also = say("by name too", meta={"thread_id": "plans"})
    thread = tenant.api.get(f"/api/v1/messages/{named['id']}/thread").json()["data"]
    assert [m["id"] for m in thread] == [named["id"], also["id"]]


def test_search_looks_in_all_rooms_of_the_tenant_and_nowhere_else(tenant, neighbour, lounge, say):
    say("Tối nay đánh bài không?")
    say("TOI NAY thi co", sender_id="minh", message_type="note")
    other = neighbour.api.post("/api/v1/rooms/", {"name": "Theirs"}).json()["data"]["id"]
    neighbour.api.post(f"/api/v1/rooms/{other}/join", {"user_id": "x", "user_name": "X"})
    neighbour.api.post(f"/api/v1/rooms/{other}/messages/", {"sender_id": "x", "content": "tối nay của họ"})

    def seqs(query):
        response = tenant.api.get(f"/api/v1/messages/search?{query}")
        assert response.status_code == 200, response.content
        return [message["seq"] for message in response.json()["data"]]

    assert seqs("q=toi nay") == [2, 1]
    assert seqs("q=tối nay") == [2, 1]
    assert seqs("q=To%CC%82%CC%81i nay") == [2, 1]
    assert seqs("q=danh bai") == [1]
    assert seqs('q="nay toi"') == []
    assert seqs("q=toi nay&sender_ids=minh,nobody") == [2]
    assert seqs("q=toi nay&message_types=text") == [1]
    assert seqs(f"q=toi nay&room_ids={lounge.pk}") == [2, 1]
    assert seqs(f"q=toi nay&room_ids={other}") == []
    assert seqs("q=toi nay&room_ids=nonsense") == []
    assert seqs("q=toi nay&date_from=2020-01-01&date_to=2020-01-02") == []
    assert seqs("q=toi nay&date_from=2020-01-01") == [2, 1]
    assert seqs("q=toi nay&limit=1") == [2]


def test_a_deactivated_room_takes_no_new_words_by_any_path_and_keeps_its_history(tenant, lounge, say):
    message = say("before")
    gone = say("deleted before")
    tenant.api.delete(f"/api/v1/messages/{gone['id']}?user_id=lan")
    tenant.api.post(f"/api/v1/rooms/{lounge.pk}/deactivate")
    url = f"/api/v1/messages/{message['id']}"
    answers = [
        tenant.api.post(f"/api/v1/rooms/{lounge.pk}/messages/", {"sender_id": "lan", "content": "after"}),
        tenant.api.put(url, {"user_id": "lan", "content": "after"}),
        tenant.api.post(f"/api/v1/messages/{gone['id']}/restore", {"user_id": "lan"}),
        tenant.api.post(f"/api/v1/rooms/{lounge.pk}/join", {"user_id": "new", "user_name": "New"}),
        tenant.api.post(f"/api/v1/rooms/{lounge.pk}/ticket", {"user_id": "lan"}),
    ]
    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [(409, "ROOM_INACTIVE")] * 5
    assert [m["content"] for m in tenant.api.get(f"/api/v1/rooms/{lounge.pk}/messages/").json()["data"]] == ["before"]
    tenant.api.post(f"/api/v1/rooms/{lounge.pk}/activate")
    assert say("after")["seq"] == 3
