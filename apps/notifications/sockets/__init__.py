"""The WebSocket of notifications."""

from django.urls import URLPattern, re_path

from apps.notifications.sockets.consumer import NotificationsConsumer

__all__ = ["websocket_urlpatterns"]

websocket_urlpatterns: list[URLPattern] = [
    re_path(r"^ws/notifications/?$", NotificationsConsumer.as_asgi()),  # type: ignore[no-untyped-call]
]
