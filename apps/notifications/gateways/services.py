"""The configured push services, with their connections."""

import ssl
from contextlib import AsyncExitStack

import httpx
from django.conf import settings

from apps.notifications.gateways.apns import ApnsAccount, ApnsGateway
from apps.notifications.gateways.fcm import FcmAccount, FcmGateway
from apps.notifications.gateways.messages import PushGateway
from apps.notifications.gateways.session import SECONDS, open_session
from apps.notifications.gateways.web_push import VapidSigner, WebPushGateway
from socialapp.core.vapid import private_key_of


async def open_gateways(stack: AsyncExitStack) -> dict[str, PushGateway]:
    """The gateways by provider, for the running event loop; `stack` closes their connections."""
    gateways: dict[str, PushGateway] = {}
    if settings.VAPID_PRIVATE_KEY:
        gateways["web"] = WebPushGateway(await stack.enter_async_context(open_session()), _signer())
    if settings.APNS_KEY or settings.FCM_CREDENTIALS:
        client = await stack.enter_async_context(_client())
        if settings.APNS_KEY:
            gateways["apns"] = ApnsGateway(client, _apns_account())
        if settings.FCM_CREDENTIALS:
            gateways["fcm"] = FcmGateway(client, _fcm_account())
    return gateways


def _client() -> httpx.AsyncClient:
    """Not guarded: unlike the endpoints of browsers, those of APNs and FCM are configured by the operator."""
    return httpx.AsyncClient(http2=True, timeout=SECONDS, verify=ssl.create_default_context(), trust_env=False)


def _signer() -> VapidSigner:
    return VapidSigner(
        private_key=private_key_of(settings.VAPID_PRIVATE_KEY),
        public_key=settings.VAPID_PUBLIC_KEY,
        subject=settings.VAPID_SUBJECT,
    )


def _apns_account() -> ApnsAccount:
    return ApnsAccount(
        url=settings.APNS_URL,
        key=settings.APNS_KEY,
        key_id=settings.APNS_KEY_ID,
        team_id=settings.APNS_TEAM_ID,
        topic=settings.APNS_TOPIC,
    )


def _fcm_account() -> FcmAccount:
    fields = ("project_id", "client_email", "private_key", "token_uri")
    return FcmAccount(url=settings.FCM_URL, **{name: settings.FCM_CREDENTIALS[name] for name in fields})
