"""Deletes notifications whose target is gone, and blocks late events from creating them again."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from apps.notifications.actions.socket_messages import publish_removal
from apps.notifications.models import MutedConversation, Notification, NotificationActor, NotificationGroup
from apps.notifications.presenters import message_text
from apps.notifications.queries import locked_actors
from socialapp.core.db import transactional
from socialapp.core.sql import insert_instances
from socialapp.lifecycle.removal import declare_removal, deleted_among, write_tombstone

BATCH = 2000


def remove_actor(*, user_id: int, topic: str, actor_id: int, at: datetime) -> None:
    """Removes `actor_id` from the notification of `user_id` about `topic`: see `undo_activities`."""
    undo_activities({(user_id, topic, actor_id): at})


@transactional("notifications")
def undo_activities(undone: Mapping[tuple[int, str, int], datetime]) -> None:
    """Removes actors, by (person, topic, actor), from notifications, and records it for notifications yet to come.

    Activity newer than the given time stays. Idempotent.
    """
    rows = locked_actors(undone)
    older = [row for row in rows if row.at <= undone[row.user_id, row.topic, row.actor_id]]
    remove_actors(older)
    for row in older:
        row.at, row.present = undone[row.user_id, row.topic, row.actor_id], False
    NotificationActor.objects.bulk_update(older, ["at", "present"])
    unknown = undone.keys() - {(row.user_id, row.topic, row.actor_id) for row in rows}
    people = {one for user_id, _, actor_id in unknown for one in (user_id, actor_id)}
    deleted = deleted_among("notifications", ids=people)
    new = [
        NotificationActor(
            user_id=user_id, topic=topic, actor_id=actor_id, at=undone[user_id, topic, actor_id], present=False
        )
        for user_id, topic, actor_id in sorted(unknown)
        if deleted.isdisjoint((user_id, actor_id))  # nothing is kept about erased people
    ]
    insert_instances("notifications", instances=new)


@transactional("notifications")
def remove_between(*, user_id: int, actor_id: int) -> None:
    """Removes everything that `actor_id` has done from the notifications of `user_id`. Idempotent."""
    remove_actors(NotificationActor.objects.filter(user_id=user_id, actor_id=actor_id, present=True))
    Notification.objects.filter(user_id=user_id, actor_id=actor_id, group_id=None).delete()
    publish_removal([user_id])


@transactional("notifications")
def remove_comment(*, comment_id: int) -> None:
    """Deletes the notifications about a deleted comment and about reactions to it permanently. Idempotent."""
    write_tombstone("notifications", kind="comment", subject_id=comment_id)
    _remove_comment_step(comment_id)


def _remove_comment_step(comment_id: int) -> bool:
    """Deletes the notifications about a deleted comment. Locks their groups, as new activity replaces notifications."""
    groups = list(NotificationGroup.objects.select_for_update().filter(topic__in=_comment_topics(comment_id)))
    _delete(Notification.objects.filter(id__in=[group.notification_id or 0 for group in groups]))
    _dissolve(group.id for group in groups)
    return True


def _comment_topics(comment_id: int) -> list[str]:
    return [f"comment:{comment_id}", f"reaction:comment:{comment_id}"]


def _remove_post_step(post_id: int) -> bool:
    """Deletes some of the notifications about a deleted post; returns whether nothing is left."""
    found = list(Notification.objects.filter(post_id=post_id)[:BATCH])
    _delete(found)
    _dissolve(row.group_id for row in found if row.group_id is not None)
    MutedConversation.objects.filter(post_id=post_id).delete()
    return len(found) < BATCH


def remove_actors(actors: Iterable[NotificationActor]) -> None:
    """Removes these actors from their groups; a group without actors is deleted, the others are recounted.

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
            _recount(group)


@transactional("notifications")
def recount_group(*, group_id: int, repair: bool) -> tuple[int, int] | None:
    """Compares the number of actors of a grouped notification, under its lock; returns (held, actual).

    None if they are equal or it is gone; otherwise it is corrected if `repair`.
    """
    group = NotificationGroup.objects.select_for_update().filter(id=group_id).first()
    row = Notification.objects.filter(group_id=group_id).first()
    if group is None or row is None:
        return None
    actual = NotificationActor.objects.filter(group_id=group_id, present=True).count()
    if row.actors_count == actual:
        return None
    if repair:
        _recount(group)
    return row.actors_count, actual


def _recount(group: NotificationGroup) -> None:
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
    publish_removal([group.user_id])


def _delete(rows: Iterable[Notification]) -> None:
    found = list(rows)
    Notification.objects.filter(id__in=[row.id for row in found]).delete()
    publish_removal(row.user_id for row in found)


def _dissolve(group_ids: Iterable[int]) -> None:
    wanted = list(group_ids)
    NotificationActor.objects.filter(group_id__in=wanted).delete()
    NotificationGroup.objects.filter(id__in=wanted).delete()


def _posts_with_notifications(post_ids: Collection[int]) -> set[int]:
    rows = Notification.objects.filter(post_id__in=post_ids).values_list("post_id", flat=True).distinct()
    return {post_id for post_id in rows if post_id is not None}


def _comments_with_notifications(comment_ids: Collection[int]) -> set[int]:
    topics = {topic: comment_id for comment_id in comment_ids for topic in _comment_topics(comment_id)}
    found = NotificationGroup.objects.filter(topic__in=topics).values_list("topic", flat=True)
    return {topics[topic] for topic in found}


declare_removal("notifications", kind="comment", step=_remove_comment_step, leftovers=_comments_with_notifications)
declare_removal("notifications", kind="post", step=_remove_post_step, leftovers=_posts_with_notifications)
