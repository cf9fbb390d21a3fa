"""Keeps how people want to be told, and where their browsers take pushes."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from apps.notifications.models import NotificationPreference, PushSubscription
from apps.notifications.queries import DEFAULT_FLAGS, FLAGS, gone_among, subscriptions
from socialapp.core.db import transactional
from socialapp.core.errors import NotFound, Stale

MOST_SUBSCRIPTIONS = 20


@transactional("notifications")
def change_preferences(
    *, user_id: int, changes: Mapping[str, Mapping[str, bool]], expected_versions: frozenset[int] | None
) -> None:
    """Sets the given flags of the given kinds and leaves the others; Stale when the version is another."""
    rows = {row.kind: row for row in NotificationPreference.objects.select_for_update().filter(user_id=user_id)}
    if expected_versions is not None and sum(row.version for row in rows.values()) not in expected_versions:
        raise Stale("the preferences were changed meanwhile; read them again")
    for kind, flags in sorted(changes.items()):
        row = rows.get(kind) or _default_row(user_id, kind)
        if any(getattr(row, name) != value for name, value in flags.items()):
            for name, value in flags.items():
                setattr(row, name, value)
            row.version += 1
            row.save(update_fields=[*FLAGS, "version"])


def _default_row(user_id: int, kind: str) -> NotificationPreference:
    defaults = {**DEFAULT_FLAGS, "version": 0}
    row, _ = NotificationPreference.objects.get_or_create(user_id=user_id, kind=kind, defaults=defaults)
    return row


@transactional("notifications")
def subscribe_to_push(
    *, user_id: int, endpoint: str, p256dh: str, auth: str, expires_at: datetime | None
) -> PushSubscription:
    """Keeps a browser's subscription; one that is known is renewed, and taken from whoever used that browser before.

    A person's oldest ones beyond MOST_SUBSCRIPTIONS go.
    """
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    if gone_among([user_id]):
        raise NotFound("this account is gone")
    PushSubscription.objects.filter(endpoint_digest=digest).exclude(user_id=user_id).delete()
    row, _ = PushSubscription.objects.update_or_create(
        endpoint_digest=digest,
        defaults={
            "user_id": user_id,
            "endpoint": endpoint,
            "p256dh": p256dh,
            "auth": auth,
            "expires_at": expires_at,
        },
    )
    beyond = subscriptions(user_id=user_id).order_by("-id").values_list("id", flat=True)
    PushSubscription.objects.filter(id__in=list(beyond[MOST_SUBSCRIPTIONS:])).delete()
    return row


@transactional("notifications")
def remove_subscription(*, user_id: int, subscription_id: int) -> None:
    """Forgets one of the person's own subscriptions; NotFound otherwise."""
    deleted, _ = subscriptions(user_id=user_id).filter(id=subscription_id).delete()
    if not deleted:
        raise NotFound("there is no such subscription")
