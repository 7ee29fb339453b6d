"""`/api/v1/webhook-endpoints`, by who owns endpoints: an API client with its key, a master with its token."""

import secrets
import uuid
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from accounts import api_keys
from accounts.models import ApiClient, Game
from core.db import clock
from core.models import AuditEntry
from tests.support.webhooks import an_endpoint, deliveries_of
from webhooks import courier
from webhooks.catalogue import ALLOWED, EventType
from webhooks.endpoints import ENDPOINTS_EACH_MAX
from webhooks.models import Delivery, Endpoint, Event
from webhooks.outbox import Audience
from webhooks.tests.conftest import tell

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/webhook-endpoints"
ID_TOO_LARGE = 2**63


@pytest.fixture
def server(game):
    """The game's server, with its key."""
    return keyed("server", game=game)


class KeyedClient(APIClient):
    """A client that knows its key."""

    owner: ApiClient
    key_text: str


def keyed(name, *, game=None, scopes=("webhooks",)) -> KeyedClient:
    issued = api_keys.create_client(name=name, game=game, scopes=scopes, now=clock.now())
    client = KeyedClient()
    client.default_format = "json"
    client.credentials(HTTP_X_API_KEY=issued.text)
    client.owner = issued.key.client
    client.key_text = issued.text
    return client


@pytest.fixture
def terms(receiver):
    return {"name": "books", "url": receiver.url(), "types": ["session.ended"]}


def created(client, terms, **more) -> dict:
    answer = client.post(ROOT, {**terms, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def of(endpoint, *parts) -> str:
    return "/".join([ROOT, str(endpoint["id"] if isinstance(endpoint, dict) else endpoint.public_id), *map(str, parts)])


def refused(answer) -> tuple[int, str]:
    body = answer.json()
    assert body["statusCode"] == answer.status_code
    assert set(body) == {"statusCode", "message", "error"}
    return answer.status_code, body["message"]


def test_an_endpoint_from_its_making_to_its_end(server, terms, receiver):
    made = created(server, terms)
    first = made.pop("secret")
    assert made == {
        "id": str(Endpoint.objects.get().public_id),
        **terms,
        "enabled": True,
        "disabled_at": None,
        "disabled_reason": "",
        "failing_since": None,
        "old_secret_ends_at": None,
        "created_at": made["created_at"],
    }
    assert server.get(ROOT).json() == {"message": "Webhook endpoints fetched successfully", "data": [made]}
    assert server.get(of(made)).json()["data"] == made

    tested = server.post(of(made, "test"))
    assert (tested.status_code, tested.json()["data"]["state"]) == (201, "pending")
    assert courier.advance(now=clock.now()) == 1
    assert receiver.got[0].verified(first) == {
        "type": "webhook.test",
        "timestamp": receiver.got[0].json["timestamp"],
        "data": {"endpoint_id": made["id"], "name": "books"},
    }
    listed = server.get(of(made, "deliveries")).json()
    assert [(row["state"], row["attempts"], row["last_status"]) for row in listed["data"]] == [("delivered", 1, 200)]
    assert listed["data"][0]["message_id"] == receiver.got[0].id
    assert listed["next"] is None

    rotated = server.post(of(made, "rotate-secret"), {"old_secret_seconds": 60}).json()["data"]
    assert rotated["old_secret_ends_at"] is not None
    server.post(of(made, "test"))
    courier.advance(now=clock.now())
    assert receiver.got[1].verified(first) == receiver.got[1].verified(rotated["secret"])

    changed = server.patch(of(made), {"name": "ledger", "url": receiver.url("/new"), "types": ["pot.paid"]}).json()
    assert (changed["data"]["name"], changed["data"]["types"]) == ("ledger", ["pot.paid"])
    assert "secret" not in changed["data"]
    assert server.delete(of(made)).json() == {"message": "Webhook endpoint deleted successfully"}
    assert refused(server.get(of(made))) == (404, "Webhook endpoint not found")
    assert server.get(ROOT).json()["data"] == []

    trail = AuditEntry.objects.filter(action__startswith="webhook").order_by("id")
    assert list(trail.values_list("action", flat=True)) == [
        "webhook endpoint created",
        "webhook test sent",
        "webhook secret rotated",
        "webhook test sent",
        "webhook endpoint changed",
        "webhook endpoint deleted",
    ]
    prefix = server.key_text.split("_")[1]
    assert {(entry.who(), entry.reason) for entry in trail} == {("the platform", f"by the API key {prefix}")}


def test_without_a_body_the_old_secret_signs_for_another_day(server, terms):
    made = created(server, terms)
    before = clock.now()
    assert server.post(of(made, "rotate-secret")).status_code == 200
    ends_at = Endpoint.objects.get().old_secret_ends_at
    assert ends_at is not None
    day = ends_at - before
    assert timedelta(hours=24) <= day < timedelta(hours=24, seconds=30)


def test_what_is_disabled_hears_nothing_until_it_is_enabled_and_what_was_given_up_can_be_replayed(
    server, terms, game, receiver
):
    made = created(server, terms)
    ours = Audience(game_id=game.pk)
    for _ in range(3):
        assert tell(EventType.SESSION_ENDED, audience=ours) == 1
    disabled = server.patch(of(made), {"enabled": False}).json()["data"]
    assert (disabled["enabled"], disabled["name"]) == (False, "books")
    assert disabled["disabled_reason"].startswith("by the API key ")
    assert tell(EventType.SESSION_ENDED, audience=ours) == 0
    dead = server.get(of(made, "deliveries"), {"state": "dead"}).json()["data"]
    assert [row["last_error"] for row in dead] == ["The endpoint was disabled"] * 3
    for path in (("test",), ("replay-dead",), ("deliveries", dead[0]["id"], "replay")):
        assert refused(server.post(of(made, *path))) == (409, "The endpoint is disabled; enable it first")
    assert courier.advance(now=clock.now()) == 0

    assert server.patch(of(made), {"enabled": True}).json()["data"]["disabled_at"] is None
    replayed = server.post(of(made, "deliveries", dead[0]["id"], "replay"))
    assert (replayed.status_code, replayed.json()["data"]["state"]) == (200, "pending")
    assert refused(server.post(of(made, "deliveries", dead[0]["id"], "replay"))) == (
        409,
        "The delivery is still being tried",
    )
    assert server.post(of(made, "replay-dead")).json()["data"] == {"count": 2}
    assert courier.advance(now=clock.now()) == 3
    assert {got.id for got in receiver.got} == {row["message_id"] for row in dead}


def test_a_change_to_what_is_already_so_leaves_no_trace(server, terms):
    made = created(server, terms)
    before = AuditEntry.objects.count()
    for body in ({}, {"enabled": True}, {"name": "books"}, {"types": ["session.ended"] * 2}):
        assert server.patch(of(made), body).json()["data"] == {name: made[name] for name in made if name != "secret"}
    assert AuditEntry.objects.count() == before


def test_deliveries_come_in_pages(server, terms):
    made = created(server, terms)
    ids = [server.post(of(made, "test")).json()["data"]["id"] for _ in range(5)]
    pages, before = [], {}
    while True:
        page = server.get(of(made, "deliveries"), {"limit": 2, **before}).json()
        pages.append([row["id"] for row in page["data"]])
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert pages == [ids[4:2:-1], ids[2:0:-1], ids[:1]]


def test_a_page_of_deliveries_takes_the_same_statements_whatever_the_number(server, terms, django_assert_num_queries):
    made = created(server, terms)
    for _ in range(12):
        server.post(of(made, "test"))
    for limit in (1, 10):
        with django_assert_num_queries(3):  # the key, the endpoint, its deliveries
            assert len(server.get(of(made, "deliveries"), {"limit": limit}).json()["data"]) == limit


def test_a_master_has_endpoints_of_its_own(api, master, terms):
    made = created(api(master), terms)
    endpoint = Endpoint.objects.get(public_id=made["id"])
    assert (endpoint.user_id, endpoint.client_id, endpoint.owner_kind) == (master.pk, None, "master")
    entry = AuditEntry.objects.get(action="webhook endpoint created")
    assert (entry.actor_id, entry.reason) == (master.pk, "by its owner, over the API")
    assert "whsec_" not in f"{entry.before}{entry.after}"


def test_nobody_finds_anothers_endpoint(server, api, master, player, staff):
    now = clock.now()
    other_game = Game.objects.create(name="Elsewhere", symbol="ELSE")
    owned = {
        "of the platform": an_endpoint(now=now),
        "of a tenant": an_endpoint(
            client=ApiClient.objects.create(name="tenant"), types=["chat.message.created"], now=now
        ),
        "of another game's server": an_endpoint(
            client=ApiClient.objects.create(name="other", game=other_game), now=now
        ),
        "of another client of the same game": an_endpoint(
            client=ApiClient.objects.create(name="twin", game=server.owner.game), now=now
        ),
        "of a master": an_endpoint(user=master, now=now),
    }
    mine = an_endpoint(client=server.owner, now=now)
    gone = an_endpoint(client=server.owner, now=now)
    server.delete(of(gone))
    for whose, endpoint in [*owned.items(), ("deleted", gone)]:
        dead, _ = deliveries_of(endpoint, now=now) if whose != "deleted" else (Delivery(pk=1), None)
        calls = [
            server.get(of(endpoint)),
            server.patch(of(endpoint), {"name": "mine now"}),
            server.patch(of(endpoint), {"enabled": False}),
            server.delete(of(endpoint)),
            server.post(of(endpoint, "rotate-secret")),
            server.post(of(endpoint, "test")),
            server.post(of(endpoint, "replay-dead")),
            server.get(of(endpoint, "deliveries")),
            server.post(of(endpoint, "deliveries", dead.pk, "replay")),
        ]
        assert {refused(answer) for answer in calls} == {(404, "Webhook endpoint not found")}, whose
        # A delivery of another endpoint is not found through one's own.
        by_mine = server.post(of(mine, "deliveries", dead.pk, "replay"))
        assert refused(by_mine) == (404, "Webhook delivery not found"), whose
        before = endpoint.secret_encrypted
        endpoint.refresh_from_db()
        assert (endpoint.name, bytes(endpoint.secret_encrypted)) == ("books", before)
    assert [row["id"] for row in server.get(ROOT).json()["data"]] == [str(mine.public_id)]
    for user in (player, staff):
        assert refused(api(user).get(ROOT)) == (403, "Only API clients and masters have webhook endpoints")
    assert [row["id"] for row in api(master).get(ROOT).json()["data"]] == [str(owned["of a master"].public_id)]
    assert Delivery.objects.filter(state="dead").count() == len(owned)


def test_a_key_needs_the_scope_and_to_live(game):
    chatting = keyed("chatting", game=game, scopes=["chat", "pots", "rounds", "results", "system"])
    assert refused(chatting.get(ROOT)) == (401, "Unauthorized")
    revoked = keyed("revoked", scopes=["webhooks"])
    assert revoked.get(ROOT).status_code == 200
    api_keys.revoke_all_keys(client=revoked.owner, actor=None, reason="", now=clock.now())
    assert revoked.get(ROOT).status_code == 401
    bearer = APIClient()
    bearer.credentials(HTTP_AUTHORIZATION=f"Bearer {keyed('bearer').key_text}")
    assert bearer.get(ROOT).status_code == 200
    # A key for webhooks alone opens nothing else.
    assert bearer.get("/api/v1/rooms/").status_code == 401
    assert bearer.get("/api/v1/game-rooms").status_code == 401


def test_nobody_asks_for_what_is_none_of_its_business(server, api, master, terms):
    for kind in sorted(set(EventType) - ALLOWED["game"]):
        status, message = refused(server.post(ROOT, {**terms, "types": [kind.value]}))
        assert (status, message) == (400, f"Event types that this owner has none of: {kind.value}")
    assert refused(api(master).post(ROOT, {**terms, "types": ["chat.message.created"]}))[0] == 400
    made = created(server, terms)
    assert refused(server.patch(of(made), {"types": ["wallet.deposited"]}))[0] == 400
    assert Endpoint.objects.get().types == ["session.ended"]


def test_an_owner_has_a_bounded_number_of_endpoints(server, terms, game):
    for _ in range(ENDPOINTS_EACH_MAX):
        last = created(server, terms)
    assert refused(server.post(ROOT, terms)) == (409, "There are too many endpoints already; delete one first")
    assert Endpoint.objects.count() == ENDPOINTS_EACH_MAX
    # Another owner has its own number, and one that was deleted counts no more.
    created(keyed("another", game=game), terms)
    server.delete(of(last))
    created(server, terms)


BAD_TERMS = [
    {"name": None},
    {"name": ""},
    {"name": "a" * 101},
    {"name": "left\u202eright"},
    {"name": 7},
    {"url": None},
    {"url": 7},
    {"url": ""},
    {"url": "https://8.8.8.8/" + "a" * 2000},
    {"url": "http://8.8.8.8/"},
    {"url": "ftp://8.8.8.8/"},
    {"url": "https://8.8.8.8:22/"},
    {"url": "https://127.0.0.1/"},
    {"url": "https://169.254.169.254/latest/meta-data/"},
    {"url": "https://[::1]/"},
    {"url": "https://localhost/"},
    {"url": "https://user:word@8.8.8.8/"},
    {"url": "https://8.8.8.8/\u0000"},
    {"url": " https://8.8.8.8/"},
    {"url": "https://no-such-host.invalid/"},
    {"types": None},
    {"types": []},
    {"types": "session.ended"},
    {"types": ["session.ended", 7]},
    {"types": ["no.such"]},
    {"types": ["webhook.test"]},
    {"types": [["session.ended"]]},
    {"types": ["session.ended"] * 1000},
    {"types": {"session.ended": True}},
    {"enabled": "false"},
    {"enabled": 0},
    {"secret": "whsec_mine"},
    {"client": 1},
]


@pytest.mark.parametrize("bad", BAD_TERMS, ids=str)
def test_bad_terms_are_refused_and_change_nothing(server, settings, bad):
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    endpoint = an_endpoint(client=server.owner, now=clock.now())
    good = {"name": "books", "url": endpoint.url, "types": ["session.ended"]}
    for answer in (server.post(ROOT, {**good, **bad}), server.patch(of(endpoint), bad)):
        status, message = refused(answer)
        assert status == 400, bad
        assert len(message) < 250
    kept = Endpoint.objects.get()
    assert (kept.name, kept.url, kept.types, kept.disabled_at) == ("books", endpoint.url, ["session.ended"], None)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"null", b'{"name": NaN}', b"\xff\xfe", b'{"a": 1, "a": 2}']
)
def test_what_is_no_json_object_is_refused(server, body):
    endpoint = an_endpoint(client=server.owner, now=clock.now())
    calls = [(server.post, ROOT), (server.patch, of(endpoint)), (server.post, of(endpoint, "rotate-secret"))]
    for call, path in calls:
        answer = call(path, body, content_type="application/json")
        # No body at all is a change of nothing, and a rotation with the usual time.
        assert answer.status_code == (200 if body == b"" and path != ROOT else 400), (path, answer.content)
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize("seconds", [-1, 604_801, 2**63, 1.5, "60", True, None])
def test_an_old_secret_signs_for_a_week_at_most(server, terms, seconds):
    made = created(server, terms)
    assert refused(server.post(of(made, "rotate-secret"), {"old_secret_seconds": seconds}))[0] == 400
    assert Endpoint.objects.get().old_secret_ends_at is None


@pytest.mark.parametrize("endpoint_id", [1, ID_TOO_LARGE, "x", "%00", uuid.UUID(int=0), "a" * 500, "%F0%9F%8E%B2"])
def test_an_id_that_is_none_is_not_found(server, endpoint_id):
    assert refused(server.get(f"{ROOT}/{endpoint_id}")) == (404, "Webhook endpoint not found")
    assert refused(server.post(f"{ROOT}/{endpoint_id}/deliveries/1/replay"))[0] == 404


@pytest.mark.parametrize("delivery_id", [0, 1, ID_TOO_LARGE, 10**19, "x", "-1", "1.0", "%D9%A1"])
def test_a_delivery_that_there_is_none_of_is_not_found(server, terms, delivery_id):
    made = created(server, terms)
    answer = server.post(of(made, "deliveries", delivery_id, "replay"))
    assert answer.status_code == 404
    assert answer.json()["statusCode"] == 404


@pytest.mark.parametrize(
    "query",
    [
        {"state": "lost"},
        {"before": ID_TOO_LARGE},
        {"before": 0},
        {"before": "x"},
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
    ],
    ids=str,
)
def test_a_bad_query_is_refused(server, terms, query):
    made = created(server, terms)
    assert refused(server.get(of(made, "deliveries"), query))[0] == 400


def test_changes_are_limited_and_reading_is_not_counted_with_them(server, terms, settings):
    settings.RATE_LIMITS_ENABLED = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "webhooks_ip": "3/m"}
    settings.TRUSTED_PROXY_COUNT = 1
    # An address no other test has: the counts live in a Redis that outlives the test.
    address = "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))
    server.credentials(HTTP_X_API_KEY=server.key_text, HTTP_X_FORWARDED_FOR=address)
    made = created(server, terms)
    assert [server.post(of(made, "test")).status_code for _ in range(3)] == [201, 201, 429]
    assert server.get(ROOT).status_code == 200
    assert Event.objects.count() == 2
