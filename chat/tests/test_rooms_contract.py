"""The documented calls on rooms and participants give the documented bodies."""

import uuid

import pytest
import time_machine

from chat.models import Conversation, Member, Message

NOON = "2026-03-01T12:00:00Z"
NOON_MS = "2026-03-01T12:00:00.000Z"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def created(tenant, **body):
    response = tenant.api.post("/api/v1/rooms/", {"name": "Tea and dice", **body})
    assert response.status_code == 201, response.content
    return response.json()["data"]


def test_creating_a_room_answers_the_whole_room(tenant):
    meta = {"category": "games", "tags": ["dice", "tea"], "max_participants": 12}
    response = tenant.api.post("/api/v1/rooms/", {"name": "Tea and dice", "description": "After work", "meta": meta})
    assert response.status_code == 201
    body = response.json()
    assert body == {
        "data": {
            "id": body["data"]["id"],
            "name": "Tea and dice",
            "description": "After work",
            "client_id": str(tenant.client.public_id),
            "is_active": True,
            "meta": meta,
            "created_at": NOON_MS,
            "updated_at": NOON_MS,
            "participant_count": 0,
            "message_count": 0,
        },
        "status": "success",
    }
    assert uuid.UUID(body["data"]["id"])
    assert tenant.api.get(f"/api/v1/rooms/{body['data']['id']}").json() == body


def test_the_list_of_rooms_has_the_room_and_its_place_in_the_whole(tenant):
    wanted = created(tenant, name="General tea")
    created(tenant, name="Other things")
    response = tenant.api.get("/api/v1/rooms/?search=general&limit=20&sort=-created_at")
    assert response.status_code == 200
    assert response.json() == {
        "data": [wanted],
        "pagination": {"skip": 0, "limit": 20, "total": 1, "has_more": False},
        "status": "success",
    }


def test_the_list_of_rooms_is_searched_by_description_filtered_by_state_sorted_and_paged(tenant):
    for number, name in enumerate(["b", "a", "c"]):
        with time_machine.travel(f"2026-03-01T12:00:0{number}Z", tick=False):
            created(tenant, name=name, description="about tea" if name == "a" else "")

    def names(query):
        return [room["name"] for room in tenant.api.get(f"/api/v1/rooms/?{query}").json()["data"]]

    assert names("") == ["c", "a", "b"]
    assert names("sort=created_at") == ["b", "a", "c"]
    assert names("sort=name") == ["a", "b", "c"]
    assert names("search=TEA") == ["a"]
    assert names("skip=1&limit=1") == ["a"]
    tenant.api.post(f"/api/v1/rooms/{Conversation.objects.get(name='a').pk}/deactivate")
    assert names("is_active=false") == ["a"]
    assert names("is_active=true") == ["c", "b"]
    page = tenant.api.get("/api/v1/rooms/?limit=2").json()["pagination"]
    assert page == {"skip": 0, "limit": 2, "total": 3, "has_more": True}


def test_updating_a_room_answers_the_whole_room_with_a_new_time(tenant):
    room = created(tenant, description="old")
    change = {"name": "Support desk", "description": "new", "meta": {"category": "support", "priority": "high"}}
    with time_machine.travel("2026-03-02T00:00:00Z", tick=False):
        response = tenant.api.put(f"/api/v1/rooms/{room['id']}", change)
    assert response.status_code == 200
    assert response.json() == {
        "data": {**room, **change, "updated_at": "2026-03-02T00:00:00.000Z"},
        "status": "success",
    }


def test_deleting_a_room_takes_everything_with_it(tenant, lounge, say):
    say("gone soon")
    response = tenant.api.delete(f"/api/v1/rooms/{lounge.pk}")
    assert response.status_code == 200
    assert response.json() == {"message": "Room deleted successfully", "status": "success"}
    assert not Conversation.objects.filter(pk=lounge.pk).exists()
    assert not Message.objects.filter(conversation_id=lounge.pk).exists()
    assert not Member.objects.filter(conversation_id=lounge.pk).exists()


def test_deactivating_and_activating_answer_the_state(tenant):
    room = created(tenant)
    with time_machine.travel("2026-03-02T00:00:00Z", tick=False):
        off = tenant.api.post(f"/api/v1/rooms/{room['id']}/deactivate")
    assert off.status_code == 200
    assert off.json() == {
        "data": {
            "id": room["id"],
            "name": room["name"],
            "is_active": False,
            "updated_at": "2026-03-02T00:00:00.000Z",
        },
        "message": "Room deactivated successfully",
        "status": "success",
    }
    on = tenant.api.post(f"/api/v1/rooms/{room['id']}/activate")
    assert on.json()["data"]["is_active"] is True
    assert tenant.api.get(f"/api/v1/rooms/{room['id']}").json()["data"]["is_active"] is True


def test_joining_listing_and_leaving(tenant):
    room = created(tenant)
    person = {"user_id": "linh@example.com", "user_name": "Linh", "meta": {"role": "member", "joined_via": "link"}}
    joined = tenant.api.post(f"/api/v1/rooms/{room['id']}/join", person)
    assert joined.status_code == 200
    assert joined.json() == {"message": "Successfully joined room", "status": "success"}
    assert tenant.api.get(f"/api/v1/rooms/{room['id']}/participants").json() == {
        "data": [{**person, "joined_at": NOON_MS}],
        "status": "success",
    }
    assert tenant.api.get(f"/api/v1/rooms/{room['id']}").json()["data"]["participant_count"] == 1
    left = tenant.api.post(f"/api/v1/rooms/{room['id']}/leave", {"user_id": "linh@example.com"})
    assert left.status_code == 200
    assert left.json() == {"message": "Successfully left room", "status": "success"}
    assert tenant.api.get(f"/api/v1/rooms/{room['id']}/participants").json() == {"data": [], "status": "success"}
    assert tenant.api.get(f"/api/v1/rooms/{room['id']}").json()["data"]["participant_count"] == 0


def test_nobody_is_online_without_a_socket(tenant, lounge):
    assert tenant.api.get(f"/api/v1/rooms/{lounge.pk}/online").json() == {
        "data": {"online_users": [], "total_online": 0},
        "status": "success",
    }


def error(response):
    return response.status_code, response.json()


def test_the_documented_errors(tenant, lounge):
    url = f"/api/v1/rooms/{lounge.pk}"
    assert error(tenant.api.get(f"/api/v1/rooms/{uuid.uuid4()}")) == (
        404,
        {"error": {"code": "ROOM_NOT_FOUND", "message": "Room not found"}, "status": "error"},
    )
    assert error(tenant.api.post(f"{url}/join", {"user_id": "lan", "user_name": "Lan"})) == (
        409,
        {
            "error": {"code": "ALREADY_IN_ROOM", "message": "User is already a participant in this room"},
            "status": "error",
        },
    )
    denied = tenant.api.post(f"{url}/messages/", {"sender_id": "stranger", "content": "hello"})
    assert denied.status_code == 403
    assert denied.json()["error"]["code"] == "ROOM_ACCESS_DENIED"
    tenant.api.post(f"{url}/deactivate")
    assert error(tenant.api.post(f"{url}/messages/", {"sender_id": "lan", "content": "hello"})) == (
        409,
        {
            "error": {"code": "ROOM_INACTIVE", "message": "Room is deactivated and cannot receive new messages"},
            "status": "error",
        },
    )
    assert Message.objects.filter(conversation=lounge).count() == 0


def test_leaving_a_room_one_is_not_in_is_refused(tenant, lounge):
    response = tenant.api.post(f"/api/v1/rooms/{lounge.pk}/leave", {"user_id": "stranger"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "PARTICIPANT_NOT_FOUND")
    assert Conversation.objects.get(pk=lounge.pk).participant_count == 2


def test_a_full_room_takes_nobody_and_nothing_moves(tenant):
    room = created(tenant, meta={"max_participants": 1})
    tenant.api.post(f"/api/v1/rooms/{room['id']}/join", {"user_id": "a", "user_name": "A"})
    response = tenant.api.post(f"/api/v1/rooms/{room['id']}/join", {"user_id": "b", "user_name": "B"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "ROOM_FULL")
    assert Conversation.objects.get(pk=room["id"]).participant_count == 1
    assert Member.objects.filter(conversation_id=room["id"]).count() == 1


@pytest.mark.parametrize("meta", [{"type": "private"}, {"invite_only": True}])
def test_a_private_room_is_entered_by_role_or_invitation(tenant, meta):
    room = created(tenant, meta=meta)
    url = f"/api/v1/rooms/{room['id']}/join"
    assert tenant.api.post(url, {"user_id": "x", "user_name": "X"}).json()["error"]["code"] == "ROOM_ACCESS_DENIED"
    uninvited = {"user_id": "x", "user_name": "X", "meta": {"invited_by": "nobody"}}
    assert tenant.api.post(url, uninvited).status_code == 403
    assert tenant.api.post(url, {"user_id": "o", "user_name": "O", "meta": {"role": "owner"}}).status_code == 200
    invited = {"user_id": "x", "user_name": "X", "meta": {"invited_by": "o"}}
    assert tenant.api.post(url, invited).status_code == 200
    assert Conversation.objects.get(pk=room["id"]).participant_count == 2


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"max_participants": 0}, "meta"),
        ({"max_participants": True}, "meta"),
        ({"max_participants": "5"}, "meta"),
        ({"max_participants": 2**62}, "meta"),
        ({"invite_only": "yes"}, "meta"),
        ({"long": "x" * 8200}, "meta"),
        ([1], "meta"),
        ("text", "meta"),
    ],
)
def test_meta_that_the_platform_cannot_act_on_is_refused(tenant, meta, field):
    response = tenant.api.post("/api/v1/rooms/", {"name": "n", "meta": meta})
    assert response.status_code == 422
    body = response.json()
    assert body["status"] == "error"
    assert body["error"]["code"] == "VALIDATION_ERROR"
    assert [entry["field"] for entry in body["error"]["details"]["errors"]] == [field]
    assert not Conversation.objects.exists()


def test_a_key_is_needed_and_bearer_works_too(tenant, lounge):
    tenant.api.credentials()
    refused = tenant.api.get(f"/api/v1/rooms/{lounge.pk}")
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "INVALID_CREDENTIALS"
    tenant.api.credentials(HTTP_AUTHORIZATION=f"Bearer {tenant.key_text}")
    assert tenant.api.get(f"/api/v1/rooms/{lounge.pk}").status_code == 200
    tenant.api.credentials(HTTP_X_API_KEY=tenant.key_text + "x")
    assert tenant.api.get(f"/api/v1/rooms/{lounge.pk}").status_code == 401


def test_too_many_requests_are_told_when_to_come_back(tenant, lounge, settings):
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "chat": "2/m"}
    answers = [tenant.api.get(f"/api/v1/rooms/{lounge.pk}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2]["X-RateLimit-Limit"] == "2"
    assert answers[2].json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= int(answers[2]["Retry-After"]) <= 30
