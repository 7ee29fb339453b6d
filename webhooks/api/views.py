"""`/api/v1/webhook-endpoints`: where API clients and masters are told of what is theirs (style: nest)."""

from datetime import timedelta
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from core.wire.fields import ID_MAX
from core.wire.nest import ok
from webhooks import deliveries, endpoints
from webhooks.api import outputs, schema
from webhooks.api.base import OwnerView
from webhooks.api.serializers import ChangeInput, CreateInput, DeliveriesQuery, RotateInput
from webhooks.endpoints import Terms
from webhooks.errors import DeliveryNotFound


def checked(serializer: type[Serializer], data: Any) -> dict[str, Any]:
    """The validated values of ``data``. Raises ``ValidationError``."""
    bound = serializer(data=data)
    bound.is_valid(raise_exception=True)
    values: dict[str, Any] = bound.validated_data
    return values


class EndpointsView(OwnerView):
    """The caller's endpoints; a new one."""

    @schema.list_endpoints
    def get(self, request: Request) -> Response:
        data = [outputs.endpoint(row) for row in self.among.order_by("id")]
        return ok("Webhook endpoints fetched successfully", data=data)

    @schema.create_endpoint
    def post(self, request: Request) -> Response:
        values = checked(CreateInput, request.data)
        issued = endpoints.create(
            **values, client=self.client, user=self.user, actor=self.user, reason=self.reason, now=self.now
        )
        return ok("Webhook endpoint created successfully", data=outputs.issued(issued), status=201)


class EndpointView(OwnerView):
    """One endpoint."""

    @schema.get_endpoint
    def get(self, request: Request, endpoint_id: str) -> Response:
        return ok("Webhook endpoint fetched successfully", data=outputs.endpoint(self.find(endpoint_id)))

    @schema.change_endpoint
    def patch(self, request: Request, endpoint_id: str) -> Response:
        found = self.find(endpoint_id)
        values = checked(ChangeInput, request.data)
        terms = Terms(
            name=values.get("name"),
            url=values.get("url"),
            types=values.get("types"),
            is_enabled=values.get("enabled"),
        )
        changed = endpoints.change(endpoint_id=found.pk, terms=terms, **self.by())
        return ok("Webhook endpoint updated successfully", data=outputs.endpoint(changed))

    @schema.delete_endpoint
    def delete(self, request: Request, endpoint_id: str) -> Response:
        endpoints.delete(endpoint_id=self.find(endpoint_id).pk, **self.by())
        return ok("Webhook endpoint deleted successfully")


class RotateSecretView(OwnerView):
    """A new secret."""

    @schema.rotate_secret
    def post(self, request: Request, endpoint_id: str) -> Response:
        found = self.find(endpoint_id)
        old_seconds = checked(RotateInput, request.data)["old_secret_seconds"]
        ends = self.now + timedelta(seconds=old_seconds)
        issued = endpoints.rotate_secret(endpoint_id=found.pk, old_ends_at=ends, **self.by())
        return ok("Webhook secret rotated successfully", data=outputs.issued(issued))


class TestView(OwnerView):
    """A test event."""

    @schema.send_test
    def post(self, request: Request, endpoint_id: str) -> Response:
        delivery = endpoints.send_test(endpoint_id=self.find(endpoint_id).pk, **self.by())
        return ok("Test event is on its way", data=outputs.delivery(delivery), status=201)


class DeliveriesView(OwnerView):
    """What was sent to an endpoint, newest first; ``next`` continues the list."""

    @schema.list_deliveries
    def get(self, request: Request, endpoint_id: str) -> Response:
        found = self.find(endpoint_id)
        values = checked(DeliveriesQuery, request.query_params)
        limit = values["limit"]
        rows = deliveries.newest(found, limit=limit, state=values.get("state"), before_id=values.get("before"))
        more = rows[-1].pk if len(rows) == limit else None
        data = [outputs.delivery(row) for row in rows]
        return Response({"message": "Webhook deliveries fetched successfully", "data": data, "next": more})


class ReplayView(OwnerView):
    """One delivery, once more."""

    @schema.replay
    def post(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        found = self.find(endpoint_id)
        if int(delivery_id) > ID_MAX:
            raise DeliveryNotFound()
        by = {**self.by(), "among": self.among.filter(pk=found.pk)}
        replayed = deliveries.replay(delivery_id=int(delivery_id), **by)
        return ok("Webhook delivery is on its way", data=outputs.delivery(replayed))


class ReplayDeadView(OwnerView):
    """All that was given up, once more."""

    @schema.replay_dead
    def post(self, request: Request, endpoint_id: str) -> Response:
        count = deliveries.replay_dead(endpoint_id=self.find(endpoint_id).pk, **self.by())
        return ok("Webhook deliveries are on their way", data={"count": count})
