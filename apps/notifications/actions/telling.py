"""Makes notifications: each thing told once, and what several people do to one thing within a day told together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from django.utils import timezone

from apps.notifications.actions.announcing import Told, ToldMany, announce, announce_to_many
from apps.notifications.models import Kind, Notification, NotificationActor, NotificationGroup, Target
from apps.notifications.queries import gone_among, message_text, new_post_body, unwilling
from socialapp.contracts.notifications import NewPostPageTold
from socialapp.contracts.users import ProfileSummary
from socialapp.core.db import transactional
from socialapp.core.ids import new_id
from socialapp.core.json import to_json
from socialapp.core.sql import insert
from socialapp.messaging.publish import publish
from socialapp.telemetry import traces

_SECONDS_A_DAY = 86_400
_COLUMNS = tuple(field.attname for field in Notification._meta.concrete_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something to tell one person: what `actor_id` did at `at`.

    `topic` and `day` say what it is the same as; with a `day` (see `day_of`) several people's doing is told together.
    `message` is given where the sentence cannot be made from kind and actors.
    """

    user_id: int
    kind: str
    topic: str
    at: datetime
    actor_id: int | None = None
    day: int = 0
    target_type: str = Target.NONE
    target_id: int | None = None
    post_id: int | None = None
    message: str = ""


def day_of(at: datetime) -> int:
    """The number of the UTC day since 1970 that activity at `at` is joined under."""
    return int(at.timestamp()) // _SECONDS_A_DAY


@transactional("notifications")
def tell(news: Sequence[News]) -> None:
    """Makes the notifications, unless what they tell of is gone, unwanted, or was told before. Idempotent."""
    wanted = [item for item in news if item.actor_id != item.user_id]
    if not wanted:
        return
    gone = gone_among(_named_ids(wanted))
    refused = unwilling(kinds={item.kind for item in wanted}, user_ids={item.user_id for item in wanted})
    for item in wanted:
        if gone.isdisjoint(_named_ids([item])) and (item.user_id, item.kind) not in refused:
            _tell_one(item)


def _named_ids(news: Iterable[News]) -> set[int]:
    named = {value for item in news for value in (item.user_id, item.actor_id, item.post_id, item.target_id)}
    return {value for value in named if value is not None}


def _tell_one(news: News) -> None:
    if news.actor_id is None:
        _tell_without_actor(news)
        return
    actors = NotificationActor.objects
    known = actors.select_for_update().filter(user_id=news.user_id, topic=news.topic, actor_id=news.actor_id).first()
    if known and known.at >= news.at:
        return
    if known and known.present:
        # Changed their mind, such as from like to love: that is no news.
        actors.filter(id=known.id).update(at=news.at)
        return
    group, _ = _locked_group(news)
    if known:
        actors.filter(id=known.id).update(at=news.at, present=True, group_id=group.id)
    else:
        actors.create(user_id=news.user_id, topic=news.topic, actor_id=news.actor_id, group_id=group.id, at=news.at)
    _renew(news, group)


def _tell_without_actor(news: News) -> None:
    group, created = _locked_group(news)
    if created:
        _renew(news, group)


def _locked_group(news: News) -> tuple[NotificationGroup, bool]:
    """The group of this person, topic and day, locked until the transaction ends, and whether it is new."""
    group, created = NotificationGroup.objects.get_or_create(user_id=news.user_id, topic=news.topic, day=news.day)
    return (group, True) if created else (NotificationGroup.objects.select_for_update().get(id=group.id), False)


def _renew(news: News, group: NotificationGroup) -> None:
    """Gives the group's notification its newest actor and a new id, which puts it on top of the list; or makes it."""
    rows = Notification.objects.filter(id=group.notification_id or 0)
    before = rows.first()
    if before:
        count = before.actors_count + 1
    else:
        count = NotificationActor.objects.filter(group_id=group.id, present=True).count()
    fresh = new_id()
    message = news.message or message_text(news.kind, names=[], count=count, target_type=news.target_type)
    values = {
        "message": message,
        "is_read": False,
        "created_at": timezone.now(),
        "actor_id": news.actor_id,
        "actors_count": count,
    }
    if before:
        rows.update(id=fresh, **values)
    else:
        Notification.objects.create(
            id=fresh,
            user_id=news.user_id,
            kind=news.kind,
            target_type=news.target_type,
            target_id=news.target_id,
            post_id=news.post_id,
            group_id=group.id,
            **values,
        )
    NotificationGroup.objects.filter(id=group.id).update(notification_id=fresh)
    announce(Told(news.user_id, fresh, traces.current()))


@transactional("notifications")
def tell_followers(
    page: NewPostPageTold,
    *,
    follower_ids: Sequence[int],
    excluded: Iterable[int],
    author: ProfileSummary,
    last_page: bool,
) -> None:
    """Tells one page of the author's followers of a new post, and says so if there are more pages.

    Exactly once because the bus hands each page's event over once; there is no row to look up for each follower.
    """
    gone = gone_among([page.post_id, page.author_id, *follower_ids])
    if page.post_id in gone or page.author_id in gone:
        return
    refusals = unwilling(kinds=[Kind.NEW_POST, Kind.MENTION], user_ids=follower_ids)
    refused = {user_id for user_id, kind in refusals if kind == Kind.NEW_POST}
    # Whoever the post names is told that instead.
    mentioned = {user_id for user_id in page.mention_ids if (user_id, Kind.MENTION) not in refusals}
    skipped = {*excluded, *mentioned, *gone, *refused, page.author_id}
    receivers = [follower for follower in follower_ids if follower not in skipped]
    now = timezone.now()
    rows = [_new_post_row(receiver, page, now) for receiver in receivers]
    if rows:
        insert("notifications", Notification, _COLUMNS, ([getattr(row, name) for name in _COLUMNS] for row in rows))
        told = [(row.user_id, row.id) for row in rows]
        announce_to_many(ToldMany(_body_without_id(rows[0], author), told, traces.current()))
    if not last_page:
        publish(replace(page, after=follower_ids[-1]))


def _new_post_row(receiver: int, page: NewPostPageTold, now: datetime) -> Notification:
    return Notification(
        user_id=receiver,
        kind=Kind.NEW_POST,
        message=message_text(Kind.NEW_POST, names=[], count=1, target_type=Target.POST),
        created_at=now,
        actor_id=page.author_id,
        actors_count=1,
        target_type=Target.POST,
        target_id=page.post_id,
        post_id=page.post_id,
    )


def _body_without_id(row: Notification, author: ProfileSummary) -> msgspec.Raw:
    body = new_post_body(row, author=author)
    del body["id"]
    return msgspec.Raw(to_json(body))
