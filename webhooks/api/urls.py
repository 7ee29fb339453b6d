"""Routes below /api/v1; a trailing slash is optional on each."""

from django.urls import re_path

from webhooks.api import views

ENDPOINT = r"^webhook-endpoints/(?P<endpoint_id>[^/]+)"
DELIVERY = ENDPOINT + r"/deliveries/(?P<delivery_id>[1-9][0-9]{0,18})"

urlpatterns = [
    re_path(r"^webhook-endpoints/?$", views.EndpointsView.as_view(), name="webhook-endpoints"),
    re_path(ENDPOINT + r"/?$", views.EndpointView.as_view(), name="webhook-endpoint"),
    re_path(ENDPOINT + r"/rotate-secret/?$", views.RotateSecretView.as_view(), name="webhook-rotate-secret"),
    re_path(ENDPOINT + r"/test/?$", views.TestView.as_view(), name="webhook-test"),
    re_path(ENDPOINT + r"/replay-dead/?$", views.ReplayDeadView.as_view(), name="webhook-replay-dead"),
    re_path(ENDPOINT + r"/deliveries/?$", views.DeliveriesView.as_view(), name="webhook-deliveries"),
    re_path(DELIVERY + r"/replay/?$", views.ReplayView.as_view(), name="webhook-replay"),
]
