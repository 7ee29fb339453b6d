"""Every WebSocket route of the platform; each consumer belongs to its app."""

from django.urls import URLPattern, re_path

from chat.consumers import ChatConsumer
from rooms.consumers import LobbyConsumer, RoomConsumer

websocket_urlpatterns: list[URLPattern] = [
    re_path(r"^ws/game-rooms/?$", LobbyConsumer.as_asgi()),
    re_path(r"^ws/game-rooms/(?P<room_id>[1-9][0-9]{0,18})/?$", RoomConsumer.as_asgi()),
    re_path(r"^ws/(?P<room_id>[^/]+)/?$", ChatConsumer.as_asgi()),
]
