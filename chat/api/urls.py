"""Mounted at ``/api/v1/``."""

from chat.api import messages, moderation, rooms
from chat.api.base import SEGMENT
from core.wire.routers import ResourceRouter

ROOM = f"rooms/(?P<room_id>{SEGMENT})"

router = ResourceRouter()
router.register("rooms", rooms.RoomViewSet, basename="chat-rooms")
router.register(f"{ROOM}/messages", messages.RoomMessageViewSet, basename="chat-room-messages")
router.register(ROOM, moderation.ModerationViewSet, basename="chat-moderation")
router.register("messages", messages.MessageViewSet, basename="chat-messages")

urlpatterns = router.urls
