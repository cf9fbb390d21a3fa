"""Erases what is held about people who are gone, and what was read long ago; both in steps of bounded size."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from apps.notifications.actions.announcing import announce_removal
from apps.notifications.actions.removing import REMOVED_A_STEP, take_out
from apps.notifications.models import (
    GoneThing,
    Notification,
    NotificationActor,
    NotificationGroup,
    NotificationPreference,
    PushSubscription,
)
from socialapp.contracts.lifecycle import context_erased
from socialapp.contracts.notifications import ErasureBegun
from socialapp.core.db import transactional
from socialapp.core.ids import first_id_at
from socialapp.messaging.publish import publish

_ACTORS_A_STEP = 200


@transactional("notifications")
def begin_erasure(*, user_id: int, erasure_id: int) -> None:
    """Lets nothing more be told of or to the person; the erasure goes on in the steps that follow. Idempotent."""
    GoneThing.objects.bulk_create([GoneThing(id=user_id, is_person=True)], ignore_conflicts=True)
    publish(ErasureBegun(user_id=user_id, erasure_id=erasure_id))


@transactional("notifications")
def erase_step(*, user_id: int, erasure_id: int) -> None:
    """Erases a part, and says whether there is more to erase or all is done. Idempotent."""
    if _erase_own(user_id) and _erase_deeds(user_id):
        publish(context_erased("notifications")(user_id=user_id, erasure_id=erasure_id))
    else:
        publish(ErasureBegun(user_id=user_id, erasure_id=erasure_id))


def _erase_own(user_id: int) -> bool:
    """Deletes what was told to the person and what they set; whether nothing is left."""
    kept: tuple[QuerySet[Any], ...] = (
        Notification.objects.filter(user_id=user_id),
        NotificationActor.objects.filter(user_id=user_id),
        NotificationGroup.objects.filter(user_id=user_id),
        NotificationPreference.objects.filter(user_id=user_id),
        PushSubscription.objects.filter(user_id=user_id),
    )
    return all(_delete_some(rows) for rows in kept)


def _erase_deeds(user_id: int) -> bool:
    """Takes the person out of what others were told; whether nothing is left."""
    rows = list(Notification.objects.filter(actor_id=user_id, group_id=None)[:REMOVED_A_STEP])
    Notification.objects.filter(id__in=[row.id for row in rows]).delete()
    announce_removal(row.user_id for row in rows)
    deeds = list(NotificationActor.objects.filter(actor_id=user_id)[:_ACTORS_A_STEP])
    take_out(deeds)
    NotificationActor.objects.filter(id__in=[deed.id for deed in deeds]).delete()
    return len(rows) < REMOVED_A_STEP and len(deeds) < _ACTORS_A_STEP


def _delete_some(rows: QuerySet[Any]) -> bool:
    ids = list(rows.values_list("id", flat=True)[:REMOVED_A_STEP])
    if ids:
        rows.model.objects.filter(id__in=ids).delete()
    return len(ids) < REMOVED_A_STEP


def prune_read() -> int:
    """Deletes notifications read and made NOTIFICATIONS_RETENTION_DAYS ago, and what was kept to refuse late events.

    How many rows; a transaction for each batch, so that no lock is held for long.
    """
    until = timezone.now() - timedelta(days=settings.NOTIFICATIONS_RETENTION_DAYS)
    removed = 0
    while batch := _prune_step(first_id_at(until)):
        removed += batch
    for rows in (
        NotificationActor.objects.filter(present=False, at__lt=until),
        GoneThing.objects.filter(is_person=False, gone_at__lt=until),
    ):
        while ids := list(rows.values_list("id", flat=True)[:REMOVED_A_STEP]):
            removed += rows.model.objects.filter(id__in=ids).delete()[0]
    return removed


@transactional("notifications")
def _prune_step(before_id: int) -> int:
    rows = list(Notification.objects.filter(id__lt=before_id, is_read=True).order_by("id")[:REMOVED_A_STEP])
    groups = [row.group_id for row in rows if row.group_id is not None]
    NotificationActor.objects.filter(group_id__in=groups).delete()
    NotificationGroup.objects.filter(id__in=groups).delete()
    Notification.objects.filter(id__in=[row.id for row in rows]).delete()
    return len(rows)
