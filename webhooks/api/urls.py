"""Routes below /api/v1; a trailing slash is optional on each."""

from core.wire.routers import ResourceRouter
from webhooks.api.views import EndpointViewSet

router = ResourceRouter()
router.register("webhook-endpoints", EndpointViewSet, basename="webhook-endpoints")

urlpatterns = router.urls
