"""What notifications reads: lists as their owner may see them now, unread counts, preferences, subscriptions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, Max, QuerySet, Window
from django.db.models.functions import RowNumber

from apps.notifications.models import (
    GoneThing,
    Kind,
    Notification,
    NotificationActor,
    NotificationPreference,
    PushSubscription,
    Target,
)
from socialapp.contracts.comments import Comments
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import Author, ProfileSummary, Users
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.sql import placeholders, select
from socialapp.http.profile_summary import profile_summary_body
from socialapp.rpc.calls import client

KINDS: tuple[str, ...] = tuple(Kind.values)
FLAGS = ("in_app", "push", "email")
DEFAULT_FLAGS: dict[str, bool] = {"in_app": True, "push": True, "email": False}

SHOWN_ACTORS = 3
# Of each joined notification so many of the newest actors are looked at: some may be gone or blocked.
_CHECKED_ACTORS = 5
# So many of the newest unread notifications are checked for visibility when they are counted.
_CHECKED_UNREAD = 100

# Clocks of different machines differ: a first notification may bear an id below that of its owner.
_CLOCK_DIFFERENCE = timedelta(minutes=5)

_URLS = {Target.POST: "/v1/posts/", Target.COMMENT: "/v1/comments/", Target.USER: "/v1/profiles/"}
_DEEDS = {
    Kind.NEW_POST: "wrote a new post.",
    Kind.FOLLOW: "followed you.",
    Kind.FOLLOW_REQUEST: "would like to follow you.",
    Kind.FOLLOW_ACCEPTED: "accepted your follow request.",
    Kind.COMMENT: "commented on your post.",
    Kind.REPLY: "replied to your comment.",
    Kind.MENTION: "mentioned you in a {target}.",
    Kind.REACTION: "reacted to your {target}.",
    Kind.REPOST: "reposted your post.",
}


@dataclass(frozen=True, slots=True)
class Unread:
    """How many unread notifications a person may see, and how many more there are that they may not see now."""

    count: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Preferences:
    """Every kind's flags; `version` rises with every change."""

    flags: dict[str, dict[str, bool]]
    version: int


@dataclass(slots=True)
class _Sight:
    """What one person may see of some notifications: the people in them, and the posts and comments."""

    people: dict[int, Author] = field(default_factory=dict)
    things: set[int] = field(default_factory=set)
    actors: dict[int, list[int]] = field(default_factory=dict)  # notification → its newest actors, newest first


def message_text(kind: str, *, names: Sequence[str], count: int, target_type: str) -> str:
    """The sentence that tells of `count` people, the newest of whom are called `names` (which may be empty)."""
    deed = _DEEDS[Kind(kind)].format(target=target_type)
    return f"{_who(names, count)} {deed}"


def _who(names: Sequence[str], count: int) -> str:
    if not names:
        return "Someone" if count <= 1 else f"{count} people"
    others = count - len(names)
    if others <= 0:
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names)} and {others} {'other' if others == 1 else 'others'}"


def notification_page(*, user_id: int, page: PageRequest, unread_only: bool) -> Page[Notification]:
    """One page of a person's notifications, newest activity first. One query."""
    rows = _rows_of(user_id)
    if unread_only:
        rows = rows.filter(is_read=False)
    return paginate(rows, page)


def _rows_of(user_id: int) -> QuerySet[Notification]:
    """A person's notifications. Nobody is told anything before they are registered: the bound spares a partitioned
    table its earlier partitions."""
    registered = min(id_time(user_id), datetime.now(UTC))
    return Notification.objects.filter(user_id=user_id, id__gte=first_id_at(registered - _CLOCK_DIFFERENCE))


def notifications_between(*, user_id: int, after: int, up_to: int | None = None, limit: int) -> list[Notification]:
    """The oldest `limit` notifications of a person with ids over `after` (and not over `up_to`), ascending."""
    rows = Notification.objects.filter(user_id=user_id, id__gt=after)
    if up_to is not None:
        rows = rows.filter(id__lte=up_to)
    return list(rows.order_by("id")[:limit])


def notifications_by_id(*, user_id: int, ids: Iterable[int]) -> list[Notification]:
    """Those of a person's notifications that still exist, ascending."""
    return list(Notification.objects.filter(user_id=user_id, id__in=list(ids)).order_by("id"))


def newest_ids(*, user_ids: Iterable[int]) -> dict[int, int]:
    """The id of each person's newest notification; who has none is left out. One query."""
    rows = Notification.objects.filter(user_id__in=list(user_ids)).order_by().values("user_id")
    return dict(rows.annotate(newest=Max("id")).values_list("user_id", "newest"))


def unread_counts(*, user_ids: Iterable[int]) -> dict[int, int]:
    """Each person's unread notifications, those they may not see now included; nobody's zero. One query."""
    rows = Notification.objects.filter(user_id__in=list(user_ids), is_read=False).order_by().values("user_id")
    return dict(rows.annotate(unread=Count("id")).values_list("user_id", "unread"))


def unread(*, user_id: int) -> Unread:
    """What is unread, without the notifications that the list would not show. Nobody who has read all costs a call.

    Counted from the index rather than cached: a cached count is wrong whenever somebody else's privacy changes.
    Only the newest hundred are checked for that; whoever has more unread sees a number that may be a little high.
    """
    rows = _rows_of(user_id).filter(is_read=False)
    newest = list(rows.order_by("-id")[: _CHECKED_UNREAD + 1])
    if not newest:
        return Unread(0, 0)
    total = len(newest) if len(newest) <= _CHECKED_UNREAD else rows.count()
    checked = newest[:_CHECKED_UNREAD]
    sight = _look(user_id, checked)
    hidden = sum(not _is_visible(row, sight) for row in checked)
    return Unread(total - hidden, hidden)


def notification_bodies(*, user_id: int, rows: Sequence[Notification]) -> list[dict[str, object]]:
    """The API's notification objects of those rows that their owner may see now, in the order given.

    Two queries at most and one call to each of users, posts and comments, however many rows.
    """
    sight = _look(user_id, rows)
    return [_body(row, sight) for row in rows if _is_visible(row, sight)]


def new_post_body(row: Notification, *, author: ProfileSummary) -> dict[str, object]:
    """The notification object of a post that was written a moment ago, the same but for its id for every follower."""
    return _fields(row, actors=[author], count=1, message=_message(row, [author], 1))


def _look(user_id: int, rows: Sequence[Notification]) -> _Sight:
    sight = _Sight(actors=_newest_actors(rows))
    people = sorted({actor for actors in sight.actors.values() for actor in actors})
    posts = sorted({row.target_id for row in rows if row.target_type == Target.POST and row.target_id})
    comments = sorted({row.target_id for row in rows if row.target_type == Target.COMMENT and row.target_id})
    if people:
        audience = client(Users).audience(viewer_id=user_id, author_ids=people)
        sight.people = {author.card.id: author for author in audience.authors}
    if posts:
        sight.things.update(post.id for post in client(Posts).visible(viewer_id=user_id, post_ids=posts))
    if comments:
        found = client(Comments).visible(viewer_id=user_id, comment_ids=comments)
        sight.things.update(comment.id for comment in found)
    return sight


def _newest_actors(rows: Sequence[Notification]) -> dict[int, list[int]]:
    actors = {row.id: [row.actor_id] for row in rows if row.actor_id is not None}
    joined: dict[int | None, int] = {row.group_id: row.id for row in rows if row.group_id and row.actors_count > 1}
    if not joined:
        return actors
    place = Window(RowNumber(), partition_by=F("group_id"), order_by=[F("at").desc(), F("id").desc()])
    newest = (
        NotificationActor.objects.filter(group_id__in=list(joined), present=True)
        .annotate(place=place)
        .filter(place__lte=_CHECKED_ACTORS)
        .order_by("group_id", "place")
    )
    found: dict[int, list[int]] = defaultdict(list)
    for group_id, actor_id in newest.values_list("group_id", "actor_id"):
        found[joined[group_id]].append(actor_id)
    return actors | found


def _is_visible(row: Notification, sight: _Sight) -> bool:
    """The one rule: its subject may be seen now, and at least one of those who acted is there and not blocked."""
    if row.target_type in (Target.POST, Target.COMMENT) and row.target_id not in sight.things:
        return False
    return row.kind == Kind.MODERATION or bool(_cards(row, sight))


def _cards(row: Notification, sight: _Sight) -> list[ProfileSummary]:
    people = [sight.people.get(actor) for actor in sight.actors.get(row.id, [])]
    return [person.card for person in people if person and person.active and not person.blocked]


def _body(row: Notification, sight: _Sight) -> dict[str, object]:
    if row.kind == Kind.MODERATION:
        return _fields(row, actors=[], count=0, message=row.message)
    cards = _cards(row, sight)
    count = max(row.actors_count - (len(sight.actors[row.id]) - len(cards)), len(cards))
    return _fields(row, actors=cards[:SHOWN_ACTORS], count=count, message=_message(row, cards[:SHOWN_ACTORS], count))


def _message(row: Notification, actors: Sequence[ProfileSummary], count: int) -> str:
    names = [card.full_name or card.username for card in actors]
    return message_text(row.kind, names=names, count=count, target_type=row.target_type)


def _fields(row: Notification, *, actors: Sequence[ProfileSummary], count: int, message: str) -> dict[str, object]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "message": message,
        "actors": [profile_summary_body(card) for card in actors],
        "actors_count": count,
        "target": _target(row),
        "is_read": row.is_read,
        "created_at": row.created_at,
        "group_id": str(row.group_id) if row.group_id is not None else None,
    }


def _target(row: Notification) -> dict[str, str] | None:
    if row.target_type == Target.NONE or row.target_id is None:
        return None
    return {
        "type": row.target_type,
        "id": str(row.target_id),
        "url": f"{_URLS[Target(row.target_type)]}{row.target_id}",
    }


def preferences(*, user_id: int) -> Preferences:
    """How a person wants to be told of each kind. One query."""
    flags = {kind: dict(DEFAULT_FLAGS) for kind in KINDS}
    version = 0
    for row in NotificationPreference.objects.filter(user_id=user_id):
        flags[row.kind] = {name: getattr(row, name) for name in FLAGS}
        version += row.version
    return Preferences(flags, version)


def unwilling(*, kinds: Iterable[str], user_ids: Iterable[int]) -> set[tuple[int, str]]:
    """Which of these people want no notifications (in the app) of which of these kinds. One query."""
    people, wanted = list(user_ids), list(kinds)
    if not people or not wanted:
        return set()
    sql = (
        "SELECT user_id, kind FROM notification_preferences"  # noqa: S608
        f" WHERE user_id IN ({placeholders(people)}) AND kind IN ({placeholders(wanted)}) AND NOT in_app"
    )
    return {(user_id, kind) for user_id, kind in select(NotificationPreference, sql, [*people, *wanted])}


def gone_among(ids: Iterable[int | None]) -> set[int]:
    """Which of these people, posts and comments are gone for good. One query."""
    wanted = [value for value in ids if value is not None]
    if not wanted:
        return set()
    sql = f"SELECT id FROM notification_gone WHERE id IN ({placeholders(wanted)})"  # noqa: S608
    return {row[0] for row in select(GoneThing, sql, wanted)}


def subscriptions(*, user_id: int) -> QuerySet[PushSubscription]:
    """A person's push subscriptions."""
    return PushSubscription.objects.filter(user_id=user_id)


def subscription_page(*, user_id: int, page: PageRequest) -> Page[PushSubscription]:
    """One page of a person's push subscriptions, newest first. One query."""
    return paginate(subscriptions(user_id=user_id), page)


def subscription_body(row: PushSubscription) -> dict[str, object]:
    """The API's push subscription object: never the keys."""
    return {
        "id": str(row.id),
        "endpoint": row.endpoint,
        "expires_at": row.expires_at,
        "created_at": row.created_at,
    }
