from accounts.api import views
from core.wire.routers import ResourceRouter

router = ResourceRouter()
router.register("auth", views.AuthViewSet, basename="auth")
router.register("game-lists", views.GameListViewSet, basename="game-lists")

urlpatterns = router.urls
