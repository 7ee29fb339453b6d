"""The webhooks routes' rows of the authorisation matrix. The endpoint is ``master``'s; keys are in test_api.py."""

from tests.support.permissions import Ask, Row

TERMS = {"name": "books", "url": "https://8.8.8.8/hooks", "types": ["session.ended"]}
MASTERS = (401, 403, 403, 200, 200, 403)
# To another master the endpoint is as unknown as one that never was.
OWNER = (401, 403, 403, 200, 404, 403)
CREATED = (401, 403, 403, 201, 404, 403)


def endpoint(world):
    return Ask(path={"endpoint_id": world.endpoint.public_id})


def changed(world):
    return Ask(path={"endpoint_id": world.endpoint.public_id}, body={"name": "ledger"})


def delivery(world):
    return Ask(path={"endpoint_id": world.endpoint.public_id, "delivery_id": world.dead_delivery.pk})


ROWS = {
    ("webhook-endpoints", "GET"): Row(MASTERS),
    ("webhook-endpoints", "POST"): Row((401, 403, 403, 201, 201, 403), lambda world: Ask(body=TERMS)),
    ("webhook-endpoints-one", "GET"): Row(OWNER, endpoint),
    ("webhook-endpoints-one", "PATCH"): Row(OWNER, changed),
    ("webhook-endpoints-one", "DELETE"): Row(OWNER, endpoint),
    ("webhook-endpoints-rotate-secret", "POST"): Row(OWNER, endpoint),
    ("webhook-endpoints-test", "POST"): Row(CREATED, endpoint),
    ("webhook-endpoints-deliveries", "GET"): Row(OWNER, endpoint),
    ("webhook-endpoints-replay", "POST"): Row(OWNER, delivery),
    ("webhook-endpoints-replay-dead", "POST"): Row(OWNER, endpoint),
}
