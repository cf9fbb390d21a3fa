"""The push services that are set up here, with their connections."""

from collections.abc import Callable, Coroutine
from typing import Any

from django.conf import settings

from apps.notifications.gateways.messages import PushGateway
from apps.notifications.gateways.session import open_session
from apps.notifications.gateways.web_push import VapidSigner, WebPushGateway
from socialapp.core.vapid import private_key_of

Close = Callable[[], Coroutine[Any, Any, None]]


async def open_gateways() -> tuple[dict[str, PushGateway], Close]:
    """The gateways by provider, for the running event loop, and what closes them."""
    gateways: dict[str, PushGateway] = {}
    session = open_session()
    if settings.VAPID_PRIVATE_KEY:
        gateways["web"] = WebPushGateway(session, _signer())
    return gateways, session.close


def _signer() -> VapidSigner:
    return VapidSigner(
        private_key=private_key_of(settings.VAPID_PRIVATE_KEY),
        public_key=settings.VAPID_PUBLIC_KEY,
        subject=settings.VAPID_SUBJECT,
    )
