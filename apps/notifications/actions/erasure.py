"""Erases deleted people, and deletes notifications read long ago, both in bounded steps."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone

from apps.notifications.actions.removal import BATCH, remove_actors
from apps.notifications.actions.socket_messages import publish_removal
from apps.notifications.models import (
    MutedConversation,
    Notification,
    NotificationActor,
    NotificationGroup,
    NotificationPreference,
    NotificationSettings,
    OutgoingMessage,
    PushSubscription,
)
from socialapp.core.db import transactional
from socialapp.core.ids import first_id_at
from socialapp.lifecycle.removal import declare_removal, forget_tombstones

_ACTOR_BATCH = 200
_OWN: tuple[type[Model], ...] = (
    Notification, NotificationActor, NotificationGroup, NotificationPreference, NotificationSettings,
    MutedConversation, OutgoingMessage, PushSubscription,
)  # fmt: skip


def _erase_step(user_id: int) -> bool:
    return _erase_own(user_id) and _erase_as_actor(user_id)


def _erase_own(user_id: int) -> bool:
    """Deletes the person's notifications and settings; returns whether nothing is left."""
    return all(_delete_some(model._default_manager.filter(user_id=user_id)) for model in _OWN)


def _erase_as_actor(user_id: int) -> bool:
    """Deletes the person from the notifications of others; returns whether nothing is left."""
    rows = list(Notification.objects.filter(actor_id=user_id, group_id=None)[:BATCH])
    Notification.objects.filter(id__in=[row.id for row in rows]).delete()
    publish_removal(row.user_id for row in rows)
    acted = list(NotificationActor.objects.filter(actor_id=user_id)[:_ACTOR_BATCH])
    remove_actors(acted)
    NotificationActor.objects.filter(id__in=[row.id for row in acted]).delete()
    return len(rows) < BATCH and len(acted) < _ACTOR_BATCH


def _delete_some(rows: QuerySet[Any]) -> bool:
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    if ids:
        rows.model._default_manager.filter(pk__in=ids).delete()
    return len(ids) < BATCH


def prune_read() -> int:
    """Deletes notifications read and created NOTIFICATIONS_RETENTION_DAYS ago, and old tombstones of content.

    Returns how many rows; one transaction per batch, so that no lock is held for long.
    """
    until = timezone.now() - timedelta(days=settings.NOTIFICATIONS_RETENTION_DAYS)
    removed = 0
    while batch := _prune_step(first_id_at(until)):
        removed += batch
    old = NotificationActor.objects.filter(at__lt=until)
    of_deleted = old.filter(group_id=None, present=True)  # of notifications that their owners deleted
    for rows in (old.filter(present=False), of_deleted):
        while ids := list(rows.values_list("id", flat=True)[:BATCH]):
            removed += NotificationActor.objects.filter(id__in=ids).delete()[0]
    return removed + forget_tombstones("notifications", older_than=until)


@transactional("notifications")
def _prune_step(before_id: int) -> int:
    rows = list(Notification.objects.filter(id__lt=before_id, is_read=True).order_by("id")[:BATCH])
    groups = [row.group_id for row in rows if row.group_id is not None]
    NotificationActor.objects.filter(group_id__in=groups).delete()
    NotificationGroup.objects.filter(id__in=groups).delete()
    Notification.objects.filter(id__in=[row.id for row in rows]).delete()
    return len(rows)


def _people_with_notifications(user_ids: Collection[int]) -> set[int]:
    acted = NotificationActor.objects.filter(actor_id__in=user_ids).values_list("actor_id", flat=True).distinct()
    found = set(acted)
    for model in _OWN:
        found.update(model._default_manager.filter(user_id__in=user_ids).values_list("user_id", flat=True).distinct())
    return found


declare_removal("notifications", kind="user", step=_erase_step, leftovers=_people_with_notifications)
