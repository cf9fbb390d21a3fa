"""Push subscriptions of browsers and apps."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from apps.notifications.models import OutgoingMessage, Provider, PushSubscription
from apps.notifications.queries import subscriptions
from socialapp.core.db import transactional
from socialapp.core.errors import NotFound
from socialapp.lifecycle.removal import deleted_among

MAX_SUBSCRIPTIONS = 20


@transactional("notifications")
def subscribe_to_push(
    *,
    user_id: int,
    session_id: int,
    endpoint: str,
    p256dh: str = "",
    auth: str = "",
    expires_at: datetime | None = None,
    language: str = "",
    provider: str = Provider.WEB,
) -> PushSubscription:
    """Stores a device's subscription for a session; a known one is renewed, and moved from the device's previous user.

    A person's oldest ones beyond MAX_SUBSCRIPTIONS are deleted.
    """
    digest = hashlib.sha256(f"{provider}:{endpoint}".encode() if provider != Provider.WEB else endpoint.encode())
    if deleted_among("notifications", ids=[user_id]):
        raise NotFound("this account was deleted")
    of_device = PushSubscription.objects.filter(endpoint_digest=digest.hexdigest())
    _forget(of_device.exclude(user_id=user_id).values_list("id", flat=True))
    row, _ = PushSubscription.objects.update_or_create(
        endpoint_digest=digest.hexdigest(),
        defaults={
            "user_id": user_id,
            "session_id": session_id,
            "provider": provider,
            "endpoint": endpoint,
            "p256dh": p256dh,
            "auth": auth,
            "language": language,
            "failures": 0,
            "expires_at": expires_at,
        },
    )
    beyond = subscriptions(user_id=user_id).order_by("-id").values_list("id", flat=True)
    _forget(beyond[MAX_SUBSCRIPTIONS:])
    return row


@transactional("notifications")
def remove_subscription(*, user_id: int, subscription_id: int) -> None:
    """Deletes one of the person's own subscriptions; NotFound otherwise."""
    if not subscriptions(user_id=user_id).filter(id=subscription_id).exists():
        raise NotFound("there is no such subscription")
    _forget([subscription_id])


@transactional("notifications")
def forget_devices_of_sessions(session_ids: Iterable[int], *, user_id: int) -> None:
    """Deletes the subscriptions that these sessions of the person made. Idempotent."""
    _forget(subscriptions(user_id=user_id).filter(session_id__in=list(session_ids)).values_list("id", flat=True))


@transactional("notifications")
def forget_devices(ids: Iterable[int]) -> None:
    """Deletes subscriptions that their push service no longer knows. Idempotent."""
    _forget(ids)


@transactional("notifications")
def record_device_failures(ids: Iterable[int]) -> None:
    """Counts a failed send for each of these devices: they move to the lane of retries until one succeeds.

    They are kept however many failures there are, as the push service may be down: only that service knows which
    devices are gone.
    """
    PushSubscription.objects.filter(id__in=list(ids)).update(failures=F("failures") + 1)


@transactional("notifications")
def reset_device_failures(ids: Iterable[int]) -> None:
    """Records that these devices accept messages again."""
    PushSubscription.objects.filter(id__in=list(ids)).update(failures=0)


def _forget(ids: Iterable[int]) -> None:
    found = list(ids)
    if found:
        OutgoingMessage.objects.filter(subscription_id__in=found).delete()
        PushSubscription.objects.filter(id__in=found).delete()
