"""Takes back what was told, and keeps what arrives late from being told at all."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from apps.notifications.actions.announcing import announce_removal
from apps.notifications.models import GoneThing, Notification, NotificationActor, NotificationGroup
from apps.notifications.queries import gone_among, message_text
from socialapp.contracts.notifications import RemovalBegun
from socialapp.core.db import transactional
from socialapp.messaging.publish import publish

REMOVED_A_STEP = 2000


@transactional("notifications")
def remove_actor(*, user_id: int, topic: str, actor_id: int, at: datetime) -> None:
    """Takes `actor_id` out of what `user_id` was told of `topic`; remembered, in case it has not been told yet.

    Something newer than `at` stands. Idempotent.
    """
    known = (
        NotificationActor.objects.select_for_update().filter(user_id=user_id, topic=topic, actor_id=actor_id).first()
    )
    if known is None:
        if not gone_among([user_id, actor_id]):  # of who is erased not even this is kept
            NotificationActor.objects.create(user_id=user_id, topic=topic, actor_id=actor_id, at=at, present=False)
    elif known.at <= at:
        take_out([known])
        NotificationActor.objects.filter(id=known.id).update(at=at)


@transactional("notifications")
def remove_between(*, user_id: int, actor_id: int) -> None:
    """Takes everything that `actor_id` has done out of the notifications of `user_id`. Idempotent."""
    take_out(NotificationActor.objects.filter(user_id=user_id, actor_id=actor_id, present=True))
    Notification.objects.filter(user_id=user_id, actor_id=actor_id, group_id=None).delete()
    announce_removal([user_id])


@transactional("notifications")
def remove_comment(*, comment_id: int) -> None:
    """Removes what was told of a comment that is gone, and of reactions to it, and lets nothing be told of it again."""
    GoneThing.objects.bulk_create([GoneThing(id=comment_id)], ignore_conflicts=True)
    groups = NotificationGroup.objects.filter(topic__in=[f"comment:{comment_id}", f"reaction:comment:{comment_id}"])
    _delete(Notification.objects.filter(id__in=[group.notification_id or 0 for group in groups]))
    _delete_groups(group.id for group in groups)


@transactional("notifications")
def begin_post_removal(*, post_id: int) -> None:
    """Lets nothing be told of the post any more; what was told is removed in the steps that follow. Idempotent."""
    GoneThing.objects.bulk_create([GoneThing(id=post_id)], ignore_conflicts=True)
    publish(RemovalBegun(post_id=post_id))


@transactional("notifications")
def remove_post_step(*, post_id: int) -> None:
    """Removes some of the notifications about a post and what stands under it, and says so if there are more."""
    found = list(Notification.objects.filter(post_id=post_id)[:REMOVED_A_STEP])
    _delete(found)
    _delete_groups(row.group_id for row in found if row.group_id is not None)
    if len(found) == REMOVED_A_STEP:
        publish(RemovalBegun(post_id=post_id))


def take_out(actors: Iterable[NotificationActor]) -> None:
    """Makes these actors absent from their groups; a group without actors goes, the others are counted again.

    The caller holds the transaction.
    """
    by_group: dict[int, list[int]] = defaultdict(list)
    for actor in actors:
        if actor.present and actor.group_id is not None:
            by_group[actor.group_id].append(actor.id)
    for group_id, actor_rows in sorted(by_group.items()):
        group = NotificationGroup.objects.select_for_update().filter(id=group_id).first()
        NotificationActor.objects.filter(id__in=actor_rows).update(present=False, group_id=None)
        if group is not None:
            _count_again(group)


@transactional("notifications")
def recount_group(*, group_id: int, repair: bool) -> tuple[int, int] | None:
    """Compares the number of people that a joined notification speaks of while nobody can join: (held, actual).

    None when they are equal or it is gone; otherwise it is corrected if `repair`.
    """
    group = NotificationGroup.objects.select_for_update().filter(id=group_id).first()
    row = Notification.objects.filter(group_id=group_id).first()
    if group is None or row is None:
        return None
    actual = NotificationActor.objects.filter(group_id=group_id, present=True).count()
    if row.actors_count == actual:
        return None
    if repair:
        _count_again(group)
    return row.actors_count, actual


def _count_again(group: NotificationGroup) -> None:
    rows = Notification.objects.filter(id=group.notification_id or 0)
    left = NotificationActor.objects.filter(group_id=group.id, present=True)
    newest = left.order_by("-at", "-id").first()
    if newest is None:
        rows.delete()
        group.delete()
    elif row := rows.first():
        count = left.count()
        message = message_text(row.kind, names=[], count=count, target_type=row.target_type)
        rows.update(actors_count=count, actor_id=newest.actor_id, message=message)
    announce_removal([group.user_id])


def _delete(rows: Iterable[Notification]) -> None:
    found = list(rows)
    Notification.objects.filter(id__in=[row.id for row in found]).delete()
    announce_removal(row.user_id for row in found)


def _delete_groups(group_ids: Iterable[int]) -> None:
    wanted = list(group_ids)
    NotificationActor.objects.filter(group_id__in=wanted).delete()
    NotificationGroup.objects.filter(id__in=wanted).delete()
