"""Every WebSocket route of the platform; each consumer belongs to its app."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
