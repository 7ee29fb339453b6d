"""`/api/v1/webhook-endpoints`: where API clients and masters are told of what is theirs (style: nest)."""

from datetime import timedelta

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.wire.fields import ID_MAX, checked
from core.wire.nest import ok
from webhooks import deliveries, endpoints
from webhooks.api import schema
from webhooks.api.base import OwnerViewSet
from webhooks.api.outputs import COUNT, DELIVERY, ENDPOINT, ISSUED
from webhooks.api.serializers import ChangeInput, CreateInput, DeliveriesQuery, RotateInput
from webhooks.endpoints import Terms
from webhooks.errors import DeliveryNotFound


class EndpointViewSet(OwnerViewSet):
    """The caller's endpoints, and what was sent to them."""

    lookup_url_kwarg = "endpoint_id"
    lookup_value_regex = "[^/]+"

    @schema.list_endpoints
    def list(self, request: Request) -> Response:
        return ok("Webhook endpoints fetched successfully", data=ENDPOINT.many(self.among.order_by("id")))

    @schema.create_endpoint
    def create(self, request: Request) -> Response:
        values = checked(CreateInput, request.data)
        issued = endpoints.create(
            **values, client=self.client, user=self.user, actor=self.user, reason=self.reason, now=self.now
        )
        return ok("Webhook endpoint created successfully", data=ISSUED.of(issued), status=201)

    @schema.get_endpoint
    def retrieve(self, request: Request, endpoint_id: str) -> Response:
        return ok("Webhook endpoint fetched successfully", data=ENDPOINT.of(self.find(endpoint_id)))

    @schema.change_endpoint
    def partial_update(self, request: Request, endpoint_id: str) -> Response:
        found = self.find(endpoint_id)
        values = checked(ChangeInput, request.data)
        terms = Terms(
            name=values.get("name"),
            url=values.get("url"),
            types=values.get("types"),
            is_enabled=values.get("enabled"),
        )
        changed = endpoints.change(endpoint_id=found.pk, terms=terms, **self.by())
        return ok("Webhook endpoint updated successfully", data=ENDPOINT.of(changed))

    @schema.delete_endpoint
    def destroy(self, request: Request, endpoint_id: str) -> Response:
        endpoints.delete(endpoint_id=self.find(endpoint_id).pk, **self.by())
        return ok("Webhook endpoint deleted successfully")

    @schema.rotate_secret
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, endpoint_id: str) -> Response:
        found = self.find(endpoint_id)
        old_seconds = checked(RotateInput, request.data)["old_secret_seconds"]
        ends = self.now + timedelta(seconds=old_seconds)
        issued = endpoints.rotate_secret(endpoint_id=found.pk, old_ends_at=ends, **self.by())
        return ok("Webhook secret rotated successfully", data=ISSUED.of(issued))

    @schema.send_test
    @action(detail=True, methods=["post"])
    def test(self, request: Request, endpoint_id: str) -> Response:
        delivery = endpoints.send_test(endpoint_id=self.find(endpoint_id).pk, **self.by())
        return ok("Test event is on its way", data=DELIVERY.of(delivery), status=201)

    @schema.list_deliveries
    @action(detail=True)
    def deliveries(self, request: Request, endpoint_id: str) -> Response:
        """What was sent to an endpoint, newest first; ``next`` continues the list."""
        found = self.find(endpoint_id)
        values = checked(DeliveriesQuery, request.query_params)
        limit = values["limit"]
        rows = deliveries.newest(found, limit=limit, state=values.get("state"), before_id=values.get("before"))
        more = rows[-1].pk if len(rows) == limit else None
        return Response(
            {"message": "Webhook deliveries fetched successfully", "data": DELIVERY.many(rows), "next": more}
        )

    @schema.replay
    @action(detail=True, methods=["post"], url_path=r"deliveries/(?P<delivery_id>[1-9][0-9]{0,18})/replay")
    def replay(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        found = self.find(endpoint_id)
        if int(delivery_id) > ID_MAX:
            raise DeliveryNotFound()
        by = {**self.by(), "among": self.among.filter(pk=found.pk)}
        replayed = deliveries.replay(delivery_id=int(delivery_id), **by)
        return ok("Webhook delivery is on its way", data=DELIVERY.of(replayed))

    @schema.replay_dead
    @action(detail=True, methods=["post"], url_path="replay-dead")
    def replay_dead(self, request: Request, endpoint_id: str) -> Response:
        count = deliveries.replay_dead(endpoint_id=self.find(endpoint_id).pk, **self.by())
        return ok("Webhook deliveries are on their way", data=COUNT.of({"count": count}))
