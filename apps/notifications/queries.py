"""SQL of notifications: rows in, rows out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db.models import Count, Max, Q, QuerySet

from apps.notifications.models import (
    Channel,
    Digest,
    Kind,
    Lane,
    Notification,
    NotificationActor,
    NotificationGroup,
    NotificationPreference,
    NotificationSettings,
    OutgoingMessage,
    PushSubscription,
    Target,
)
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.pages import Page, PageRequest, keep_place, page_of, paginate
from socialapp.core.sql import as_utc, fetch, instances, placeholders, select

M = TypeVar("M", NotificationActor, NotificationGroup)

KINDS: tuple[str, ...] = tuple(Kind.values)
DIGESTS: tuple[str, ...] = tuple(Digest.values)
FLAGS = ("in_app", "push", "email")
DEFAULT_FLAGS: dict[str, bool] = {"in_app": True, "push": True, "email": False}

# Clocks of different machines differ: a first notification may have a lower id than its owner.
_MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)
_KEYS_A_QUERY = 200
# How many of the newest actors of a grouped notification are loaded: some may be deleted or blocked.
_MAX_LOADED_ACTORS = 5


@dataclass(frozen=True, slots=True)
class Preferences:
    """The flags of every kind, and how often a digest is mailed; every change increments `version`."""

    flags: dict[str, dict[str, bool]]
    digest: str
    version: int


@dataclass(frozen=True, slots=True)
class ChannelFlags:
    """The channels through which one person wants one kind."""

    in_app: bool = DEFAULT_FLAGS["in_app"]
    push: bool = DEFAULT_FLAGS["push"]
    email: bool = DEFAULT_FLAGS["email"]


# --- Notifications ------------------------------------------------------------------------------------------------


def own_notifications(*, user_id: int) -> QuerySet[Notification]:
    """A person's notifications. Nobody is notified before they registered: the bound spares a partitioned table its
    earlier partitions."""
    return Notification.objects.filter(user_id=user_id, id__gte=_first_id_of(user_id))


def _first_id_of(user_id: int) -> int:
    registered = min(id_time(user_id), datetime.now(UTC))
    return first_id_at(registered - _MAX_CLOCK_DIFFERENCE)


class NotificationRow(NamedTuple):
    """A notification as plain values: lists are read often, and the ORM takes longer to build them than the
    database."""

    id: int
    kind: str
    message: str
    is_read: bool
    created_at: datetime
    actor_id: int | None
    actors_count: int
    target_type: str
    target_id: int | None
    group_id: int | None
    action_id: int | None


Listed = Notification | NotificationRow


def notification_page(*, user_id: int, page: PageRequest, unread_only: bool) -> Page[NotificationRow]:
    """One page of a person's notifications, newest activity first. One query, one more for an emptied page."""
    return keep_place(page, read=lambda request: _read_page(user_id=user_id, page=request, unread_only=unread_only))


def _read_page(*, user_id: int, page: PageRequest, unread_only: bool) -> Page[NotificationRow]:
    conditions, values = ["user_id = %s", "id >= %s"], [user_id, _first_id_of(user_id)]
    if unread_only:
        conditions.append("is_read = 0")
    if page.position is not None:
        conditions.append("id > %s" if page.backwards else "id < %s")
        values.append(int(page.position[0]))
    sql = (
        f"SELECT {', '.join(NotificationRow._fields)} FROM notifications WHERE {' AND '.join(conditions)}"  # noqa: S608
        f" ORDER BY id {'ASC' if page.backwards else 'DESC'} LIMIT %s"
    )
    rows = [_notification_row(columns) for columns in select(Notification, sql=sql, values=[*values, page.limit + 1])]
    found = rows[: page.limit]
    if page.backwards:
        found.reverse()
    return page_of(found, page=page, more=len(rows) > page.limit, position=lambda row: (row.id,))


def _notification_row(columns: tuple[Any, ...]) -> NotificationRow:
    notification_id, kind, message, is_read, created_at, *others = columns
    return NotificationRow(notification_id, kind, message, bool(is_read), as_utc(created_at), *others)


def notifications_between(*, user_id: int, after: int, up_to: int | None = None, limit: int) -> list[Notification]:
    """The oldest `limit` notifications of a person with ids above `after` (and at most `up_to`), ascending."""
    rows = Notification.objects.filter(user_id=user_id, id__gt=after)
    if up_to is not None:
        rows = rows.filter(id__lte=up_to)
    return list(rows.order_by("id")[:limit])


def notifications_by_id(*, user_id: int, ids: Iterable[int]) -> list[Notification]:
    """Those of a person's notifications that still exist, ascending."""
    return list(Notification.objects.filter(user_id=user_id, id__in=list(ids)).order_by("id"))


def unread_notifications_among(ids: Iterable[int]) -> dict[int, Notification]:
    """Those of the notifications, of any person, that exist and are unread, by id. One query."""
    return {row.id: row for row in Notification.objects.filter(id__in=list(ids), is_read=False)}


def newest_unread(*, user_id: int, after: int = 0, limit: int) -> list[Notification]:
    """A person's newest unread notifications with ids above `after`, newest first. One query."""
    return list(own_notifications(user_id=user_id).filter(is_read=False, id__gt=after).order_by("-id")[:limit])


def unread_number(*, user_id: int) -> int:
    """A person's number of unread notifications, including hidden ones. One query."""
    return own_notifications(user_id=user_id).filter(is_read=False).count()


def newest_ids(*, user_ids: Iterable[int]) -> dict[int, int]:
    """The id of each person's newest notification; people without any are omitted. One query."""
    rows = Notification.objects.filter(user_id__in=list(user_ids)).order_by().values("user_id")
    return dict(rows.annotate(newest=Max("id")).values_list("user_id", "newest"))


def last_ids(*, user_id: int, limit: int) -> list[int]:
    """The ids of the person's newest notifications, newest first. One query."""
    return list(own_notifications(user_id=user_id).order_by("-id").values_list("id", flat=True)[:limit])


def unread_counts(*, user_ids: Iterable[int]) -> dict[int, int]:
    """Each person's number of unread notifications, including hidden ones; zeros are omitted. One query."""
    rows = Notification.objects.filter(user_id__in=list(user_ids), is_read=False).order_by().values("user_id")
    return dict(rows.annotate(unread=Count("id")).values_list("user_id", "unread"))


_NEWEST_ACTORS_SQL = (
    "SELECT group_id, actor_id FROM (SELECT group_id, actor_id,"  # noqa: S608 (a number of ours only)
    " ROW_NUMBER() OVER (PARTITION BY group_id ORDER BY at DESC, id DESC) AS place"
    " FROM notification_actors WHERE group_id IN ({}) AND present = 1) AS newest"
    f" WHERE place <= {_MAX_LOADED_ACTORS} ORDER BY group_id, place"
)


def newest_actors(rows: Sequence[Listed]) -> dict[int, list[int]]:
    """The newest actors of each notification, newest first. At most one query."""
    actors = {row.id: [row.actor_id] for row in rows if row.actor_id is not None}
    grouped = {row.group_id: row.id for row in rows if row.group_id and row.actors_count > 1}
    if not grouped:
        return actors
    found: dict[int, list[int]] = defaultdict(list)
    sql = _NEWEST_ACTORS_SQL.format(placeholders(grouped))
    for group_id, actor_id in select(NotificationActor, sql=sql, values=list(grouped)):
        found[grouped[group_id]].append(actor_id)
    return {**actors, **found}


class KnownActor(NamedTuple):
    """The latest activity of one person on one topic of another: its time, and whether it was undone."""

    id: int
    at: datetime
    present: bool


def known_actors(keys: Collection[tuple[int, str, int]]) -> dict[tuple[int, str, int], KnownActor]:
    """The known actors among (person, topic, actor): see `locked_actors`."""
    rows = locked_actors(keys)
    return {(row.user_id, row.topic, row.actor_id): KnownActor(row.id, row.at, row.present) for row in rows}


def locked_actors(keys: Collection[tuple[int, str, int]]) -> list[NotificationActor]:
    """The known actors among (person, topic, actor), locked for the transaction. One query per 200."""
    return _locked(NotificationActor, columns=("user_id", "topic", "actor_id"), keys=keys)


def locked_groups(keys: Collection[tuple[int, str, int]]) -> dict[tuple[int, str, int], tuple[int, int | None]]:
    """Id and notification of the groups among (person, topic, day), locked for the transaction. One query per 200."""
    rows = _locked(NotificationGroup, columns=("user_id", "topic", "day"), keys=keys)
    return {(row.user_id, row.topic, row.day): (row.id, row.notification_id) for row in rows}


def _locked(model: type[M], *, columns: tuple[str, str, str], keys: Collection[tuple[int, str, int]]) -> list[M]:
    """The rows whose values in these columns are one of the keys."""
    is_one = f"({' AND '.join(f'{name} = %s' for name in columns)})"
    ordered, found = sorted(keys), list[M]()
    for start in range(0, len(ordered), _KEYS_A_QUERY):
        some = ordered[start : start + _KEYS_A_QUERY]
        values = [value for key in some for value in key]
        found += instances(model, condition=" OR ".join([is_one] * len(some)), values=values, lock=True)
    return found


def present_actors(group_ids: Collection[int]) -> dict[int, int]:
    """The number of actors of these groups; zeros are omitted. At most one query."""
    if not group_ids:
        return {}
    sql = (
        "SELECT group_id, COUNT(*) FROM notification_actors"  # noqa: S608
        f" WHERE group_id IN ({placeholders(group_ids)}) AND present = 1 GROUP BY group_id"
    )
    return dict(fetch("notifications", sql=sql, values=list(group_ids)))


# --- Preferences --------------------------------------------------------------------------------------------------


def preferences(*, user_id: int) -> Preferences:
    """The channels through which a person wants each kind. Two queries."""
    flags = {kind: dict(DEFAULT_FLAGS) for kind in KINDS}
    own_settings = settings_of(user_id=user_id)
    version = own_settings.version
    for row in NotificationPreference.objects.filter(user_id=user_id):
        flags[row.kind] = {name: getattr(row, name) for name in FLAGS}
        version += row.version
    return Preferences(flags, own_settings.digest, version)


def channel_flags(*, kinds: Iterable[str], user_ids: Iterable[int]) -> dict[tuple[int, str], ChannelFlags]:
    """The choices of these people for these kinds, by (person, kind); defaults are omitted. One query."""
    people, wanted = list(user_ids), list(kinds)
    if not people or not wanted:
        return {}
    sql = (
        "SELECT user_id, kind, in_app, push, email FROM notification_preferences"  # noqa: S608
        f" WHERE user_id IN ({placeholders(people)}) AND kind IN ({placeholders(wanted)})"
    )
    rows = select(NotificationPreference, sql=sql, values=[*people, *wanted])
    return {
        (user_id, kind): ChannelFlags(bool(in_app) or kind == Kind.MODERATION, bool(push), bool(email))
        for user_id, kind, in_app, push, email in rows
    }


def settings_of(*, user_id: int) -> NotificationSettings:
    """A person's settings, the defaults if they have none. One query."""
    return NotificationSettings.objects.filter(user_id=user_id).first() or NotificationSettings(user_id=user_id)


def settings_by_user(user_ids: Iterable[int]) -> dict[int, NotificationSettings]:
    """The settings of these people; those without any are omitted. One query."""
    return {row.user_id: row for row in NotificationSettings.objects.filter(user_id__in=list(user_ids))}


# --- Sending ------------------------------------------------------------------------------------------------------


def subscriptions(*, user_id: int) -> QuerySet[PushSubscription]:
    """A person's push subscriptions."""
    return PushSubscription.objects.filter(user_id=user_id)


def subscription_page(*, user_id: int, page: PageRequest) -> Page[PushSubscription]:
    """One page of a person's push subscriptions, newest first. One query."""
    return paginate(subscriptions(user_id=user_id), page=page)


def devices_of(user_ids: Iterable[int]) -> list[tuple[int, int, int]]:
    """(id, person, failures in a row) of the push subscriptions of these people. One query."""
    people = list(user_ids)
    if not people:
        return []
    sql = f"SELECT id, user_id, failures FROM push_subscriptions WHERE user_id IN ({placeholders(people)})"  # noqa: S608
    return [(row[0], row[1], row[2]) for row in select(PushSubscription, sql=sql, values=people)]


def subscriptions_by_id(ids: Iterable[int | None]) -> dict[int, PushSubscription]:
    """Those of the subscriptions that exist. One query."""
    return PushSubscription.objects.in_bulk([value for value in ids if value is not None])


def claimed_messages(claim: str) -> list[OutgoingMessage]:
    """What one worker run has claimed, oldest first. One query."""
    return list(OutgoingMessage.objects.filter(claim=claim).order_by("id"))


def due_messages(*, channel: Channel, lane: Lane, now: datetime) -> QuerySet[OutgoingMessage]:
    """Messages that are due."""
    return OutgoingMessage.objects.filter(channel=channel, lane=lane, dead=False, due_at__lte=now)


def due_digests(*, now: datetime, limit: int) -> list[NotificationSettings]:
    """The settings of people whose digest is due, most overdue first. One query."""
    rows = NotificationSettings.objects.filter(~Q(digest=Digest.OFF), next_digest_at__lte=now)
    return list(rows.order_by("next_digest_at")[:limit])


def target_ids(*, rows: Iterable[Listed], target: Target) -> list[int]:
    """The ids of the targets of one type, sorted."""
    return sorted({row.target_id for row in rows if row.target_type == target and row.target_id})
