"""Creates notifications about people's activity and about new posts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from django.utils import timezone

from apps.notifications.actions.grouping import NotificationRequest, record_activity
from apps.notifications.actions.queue import NewNotification, enqueue
from apps.notifications.actions.socket_messages import (
    FeedChanged,
    NotificationsCreated,
    broadcast,
    publish_removal,
)
from apps.notifications.models import Kind, Notification, NotificationActor, NotificationGroup, Target
from apps.notifications.presenters import message_text, new_post_body
from apps.notifications.queries import ChannelFlags, channel_flags
from socialapp.contracts.notifications import NewPostPageNotified
from socialapp.contracts.users import ProfileSummary
from socialapp.core.db import transactional
from socialapp.core.errors import NotFound
from socialapp.core.ids import new_id
from socialapp.core.json import to_json
from socialapp.core.sql import insert
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.delivery import caused_by
from socialapp.messaging.publish import publish
from socialapp.telemetry import traces

_SHARED = tuple(field.attname for field in Notification._meta.concrete_fields if field.attname not in ("id", "user_id"))


@transactional("notifications")
def notify(requests: Sequence[NotificationRequest]) -> None:
    """Creates the notifications, unless their target is gone, they are unwanted, or exist already. Idempotent."""
    wanted = [item for item in requests if item.actor_id != item.user_id]
    if not wanted:
        return
    people = {item.user_id for item in wanted}
    gone = deleted_among("notifications", ids=_named_ids(wanted))
    flags = channel_flags(kinds={item.kind for item in wanted}, user_ids=people)
    allowed = [
        item
        for item in wanted
        if flags.get((item.user_id, item.kind), ChannelFlags()).in_app and gone.isdisjoint(_named_ids([item]))
    ]
    if allowed:
        enqueue(rows=record_activity(allowed), flags=flags)


def _named_ids(requests: Iterable[NotificationRequest]) -> set[int]:
    named: set[int] = set()
    for item in requests:
        ids = [item.user_id, item.actor_id, item.post_id]
        # The target of a removal may be gone: its author is notified nevertheless.
        ids += [item.target_id] if item.kind != Kind.MODERATION else []
        named.update(value for value in ids if value is not None)
    return named


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerPage:
    """A page of an author's followers to be notified of a new post.

    `excluded` are those who mute the author; `cause` is the event that triggered this page.
    """

    post: NewPostPageNotified
    author: ProfileSummary
    follower_ids: Sequence[int]
    excluded: Iterable[int]
    is_last: bool
    cause: object


@transactional("notifications")
def notify_followers(pages: Sequence[FollowerPage]) -> None:
    """Notifies pages of followers of new posts, and publishes an event for each post that has more pages.

    Exactly once, because the inbox processes each page's event once; there is no row to look up per follower. One
    query each for deleted recipients and for preferences, and one INSERT per thousand rows, however many posts.
    """
    people = {follower for page in pages for follower in page.follower_ids}
    subjects = {subject for page in pages for subject in (page.post.post_id, page.post.author_id)}
    gone = deleted_among("notifications", ids=people | subjects)
    flags = channel_flags(kinds=[Kind.NEW_POST, Kind.MENTION], user_ids=people)
    present = [page for page in pages if gone.isdisjoint((page.post.post_id, page.post.author_id))]
    notices = [(page, _new_post_row(page.post), _receivers(page, gone, flags)) for page in present]
    shared = [(_shared_values(row), receivers) for _, row, receivers in notices]
    rows = [(*receiver, *values) for values, receivers in shared for receiver in receivers]
    if rows:
        insert("notifications", model=Notification, columns=("id", "user_id", *_SHARED), rows=rows)
        enqueue(rows=[NewNotification(row[0], row[1], Kind.NEW_POST, 1) for row in rows], flags=flags)
    for page, row, receivers in notices:
        with caused_by(page.cause):
            _announce(page, row=row, gone=gone, receivers=receivers)


def _receivers(
    page: FollowerPage, gone: Collection[int], flags: Mapping[tuple[int, str], ChannelFlags]
) -> list[tuple[int, int]]:
    """New notification ids, each with its recipient."""
    chosen = {user_id: flags.get((user_id, Kind.NEW_POST), ChannelFlags()) for user_id in page.follower_ids}
    unwilling = {user_id for user_id, wanted in chosen.items() if not wanted.in_app}
    # People mentioned in the post get that notification instead.
    mentioned = {
        user_id for user_id in page.post.mention_ids if flags.get((user_id, Kind.MENTION), ChannelFlags()).in_app
    }
    left_out = {*page.excluded, *gone, page.post.author_id, *mentioned, *unwilling}
    return [(new_id(), follower) for follower in page.follower_ids if follower not in left_out]


def _announce(
    page: FollowerPage, *, row: Notification, gone: Collection[int], receivers: Sequence[tuple[int, int]]
) -> None:
    """Messages the sockets of notified people and of people with the post in their feed; publishes the next pages."""
    post = page.post
    if receivers:
        recipients = [(user_id, notification_id) for notification_id, user_id in receivers]
        body = _body_without_id(row, page.author)
        broadcast(NotificationsCreated(body, recipients, traces.current()))
    hidden = {*page.excluded, *gone, post.author_id}
    readers = [follower for follower in page.follower_ids if follower not in hidden]
    broadcast(FeedChanged(post.post_id, [*readers, post.author_id] if post.after == 0 else readers))
    if not page.is_last:
        publish(replace(post, after=page.follower_ids[-1]))


def _shared_values(row: Notification) -> list[Any]:
    """The columns that all notifications of a post share, in the order of `_SHARED`."""
    return [getattr(row, name) for name in _SHARED]


def _new_post_row(post: NewPostPageNotified) -> Notification:
    return Notification(
        kind=Kind.NEW_POST.value,
        message=message_text(Kind.NEW_POST, names=[], count=1, target_type=Target.POST),
        created_at=timezone.now(),
        actor_id=post.author_id,
        actors_count=1,
        target_type=Target.POST.value,
        target_id=post.post_id,
        post_id=post.post_id,
    )


def _body_without_id(row: Notification, author: ProfileSummary) -> msgspec.Raw:
    body = new_post_body(row, author=author)
    del body["id"]
    return msgspec.Raw(to_json(body))


@transactional("notifications")
def delete_notification(*, user_id: int, notification_id: int) -> None:
    """Deletes one of the person's own notifications; NotFound otherwise. Later activity creates a new one.

    The group is dissolved, so that the new one does not include the actors of the deleted one. One that new activity
    replaced meanwhile stays: the person has not seen it.
    """
    row = Notification.objects.filter(user_id=user_id, id=notification_id).first()
    if row is not None and row.group_id is not None and row.actor_id is not None:
        NotificationActor.objects.filter(group_id=row.group_id).update(group_id=None)
        NotificationGroup.objects.filter(id=row.group_id).delete()
    deleted, _ = Notification.objects.filter(user_id=user_id, id=notification_id).delete()
    if not deleted:
        raise NotFound("there is no such notification")
    publish_removal([user_id])
