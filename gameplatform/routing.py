"""Every WebSocket route of the platform; each consumer belongs to its app."""

from django.urls import URLPattern, re_path

from chat.consumers import ChatConsumer

websocket_urlpatterns: list[URLPattern] = [
    re_path(r"^ws/(?P<room_id>[^/]+)/?$", ChatConsumer.as_asgi()),
]
