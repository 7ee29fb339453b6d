"""Routes of a resource, and the filters of its lists."""

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django_filters import rest_framework as filters
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from core.wire.filtering import IdFilter, StrictFilterBackend, StrictFilterSet
from core.wire.nest import NestViewSet, ok
from core.wire.routers import ResourceRouter


class KindFilter(StrictFilterSet):
    id = IdFilter(field_name="id")
    model = filters.CharFilter(max_length=5)

    class Meta:
        model = ContentType
        fields: list[str] = []


class KindViewSet(NestViewSet):
    filter_backends = [StrictFilterBackend]
    filterset_class = KindFilter
    queryset = ContentType.objects.order_by("id")

    def list(self, request: Request) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        return ok("Listed", data=[row.pk for row in self.paginate_queryset(rows)])

    def change(self, request: Request) -> Response:
        return ok("Changed")

    def retrieve(self, request: Request, pk: str) -> Response:
        return ok("Shown", data=pk)

    @action(detail=False, url_path="find-by-id")
    def find_by_id(self, request: Request) -> Response:
        return ok("Found")


router = ResourceRouter()
router.register("kinds", KindViewSet, basename="kinds")
urlpatterns = router.urls
pytestmark = pytest.mark.urls(__name__)


def call(method: str, path: str) -> Any:
    return getattr(APIClient(), method)(path)


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("patch", "/kinds", "Changed"),
        ("patch", "/kinds/", "Changed"),
        ("get", "/kinds/find-by-id", "Found"),
        ("get", "/kinds/find-by-id/", "Found"),
        ("get", "/kinds/12", "Shown"),
    ],
)
def test_slash_at_the_end_is_optional(db: None, method: str, path: str, message: str) -> None:
    answer = call(method, path)

    assert (answer.status_code, answer.json()["message"]) == (200, message)


@pytest.mark.parametrize(
    ("method", "path"), [("delete", "/kinds"), ("put", "/kinds/12"), ("post", "/kinds/find-by-id")]
)
def test_method_without_an_action_is_refused(db: None, method: str, path: str) -> None:
    assert call(method, path).status_code == 405


@pytest.mark.parametrize("query", ["id=", "id=0", "id=abc", "id=-1", "model=toolong"])
def test_unreadable_filter_is_refused(db: None, query: str) -> None:
    answer = call("get", f"/kinds?{query}")

    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")
    assert answer.json()["message"].startswith(query.partition("=")[0])


def test_filter_chooses_rows(db: None) -> None:
    kind = ContentType.objects.first()
    assert kind is not None

    assert call("get", f"/kinds?id={kind.pk}&unknown=1").json()["data"] == [kind.pk]


@pytest.mark.parametrize("path", ["/kinds", "/kinds/12", "/kinds/find-by-id"])
def test_options_are_answered_for_each_route(db: None, path: str) -> None:
    answer = call("options", path)

    assert (answer.status_code, answer.json()["renders"]) == (200, ["application/json"])


def test_form_class_is_built_once() -> None:
    assert KindFilter().get_form_class() is KindFilter().get_form_class()
