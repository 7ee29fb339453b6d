"""Routes below /api/v1; a trailing slash is optional on each."""

from core.wire.routers import ResourceRouter
from rooms.api.join_views import GameJoinRoomViewSet
from rooms.api.room_views import GameRoomViewSet
from rooms.api.session_views import GameSessionViewSet

router = ResourceRouter()
router.register("game-rooms/sessions", GameSessionViewSet, basename="game-sessions")
router.register("game-rooms", GameRoomViewSet, basename="game-rooms")
router.register("game-join-rooms", GameJoinRoomViewSet, basename="game-join-rooms")

urlpatterns = router.urls
