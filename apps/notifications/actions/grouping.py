"""Groups activity of several people on one target within a day into one notification, despite duplicates and delays.

A batch takes a constant number of statements, except for actors who repeat something they did before.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError
from django.utils import timezone

from apps.notifications.actions.queue import NewNotification
from apps.notifications.actions.socket_messages import NotificationChanged, publish_to_user
from apps.notifications.models import Notification, NotificationActor, NotificationGroup, Target
from apps.notifications.presenters import message_text
from apps.notifications.queries import KnownActor, known_actors, locked_groups, present_actors
from socialapp.core.ids import new_id
from socialapp.core.sql import delete, insert, insert_instances, on_clash
from socialapp.messaging.delivery import caused_by
from socialapp.telemetry import traces

_SECONDS_A_DAY = 86_400
_ACTOR_COLUMNS = ("id", "user_id", "topic", "actor_id", "group_id", "at", "present")
_GROUP_COLUMNS = ("id", "user_id", "topic", "day", "notification_id")
_GROUP_KEY = ("user_id", "topic", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """A request to notify one person of what `actor_id` did at `at`.

    Requests with the same person, `topic` and `day` share one notification; with a `day` (see `day_of`) it is grouped:
    it has several actors. `message` is for sentences that cannot be built from kind and actors. `cause` is the causing
    event, if a handler processes several together.
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
    action_id: int | None = None
    message: str = ""
    cause: object = None

    @property
    def actor(self) -> tuple[int, str, int]:
        """The key of the actor's row."""
        return self.user_id, self.topic, self.actor_id or 0

    @property
    def group(self) -> tuple[int, str, int]:
        """The key of the group's row."""
        return self.user_id, self.topic, self.day


@dataclass(slots=True, kw_only=True)
class _Group:
    """The additions of a batch to one group. `notification_id` is its new notification, `before` its previous one."""

    id: int
    notification_id: int
    requests: list[NotificationRequest]
    is_new: bool
    before: int | None = None
    count: int = 0


def day_of(at: datetime) -> int:
    """The UTC day, counted from 1970, under which activity at `at` is grouped."""
    return int(at.timestamp()) // _SECONDS_A_DAY


def record_activity(requests: Sequence[NotificationRequest]) -> list[NewNotification]:
    """Creates the notifications, or adds the newest actors to their groups, with a new id so that they are on top.

    Activity older than the known state of an actor is ignored; a changed reaction, such as from like to love, is not
    new activity. The caller holds the transaction. Idempotent.
    """
    in_order = sorted(requests, key=lambda request: request.at)
    known = known_actors({request.actor for request in in_order if request.actor_id is not None})
    latest = dict(known)
    added = [request for request in in_order if _is_new(request, latest)]
    for key, actor in known.items():
        if actor.present and latest[key].at > actor.at:
            NotificationActor.objects.filter(id=actor.id).update(at=latest[key].at)
    groups = _lock(added)
    _count(groups)
    _write_actors(groups, known=known, latest=latest)
    rows = _write_notifications(groups)
    for group in groups:
        with caused_by(group.requests[-1].cause):
            publish_to_user(NotificationChanged(group.requests[-1].user_id, group.notification_id, traces.current()))
    return rows


def _is_new(request: NotificationRequest, latest: dict[tuple[int, str, int], KnownActor]) -> bool:
    """Whether this adds the actor to the group; updates the known state of the actor."""
    if request.actor_id is None:
        return True
    actor = latest.get(request.actor)
    if actor and actor.at >= request.at:
        return False
    latest[request.actor] = KnownActor(actor.id if actor else new_id(), request.at, True)
    return actor is None or not actor.present


def _lock(requests: Sequence[NotificationRequest]) -> list[_Group]:
    """The groups of these requests, created if missing, locked in one order until the transaction ends."""
    by_key: dict[tuple[int, str, int], list[NotificationRequest]] = defaultdict(list)
    for request in requests:
        by_key[request.group].append(request)
    made = {key: (new_id(), new_id()) for key in sorted(by_key)}
    rows = [(group_id, *key, notification_id) for key, (group_id, notification_id) in made.items()]
    kept = on_clash("notifications", key=_GROUP_KEY)
    returned = insert(
        "notifications",
        model=NotificationGroup,
        columns=_GROUP_COLUMNS,
        rows=rows,
        on_clash=kept,
        returning=_GROUP_COLUMNS,
    )
    locked = {(user_id, topic, day): (group_id, told_of) for group_id, user_id, topic, day, told_of in returned}
    if len(returned) < len(rows):  # the database cannot return those that were there
        locked = locked_groups(by_key)
    if locked.keys() != by_key.keys():
        raise IntegrityError("the id of a group was taken")  # by a process with the same node number: retried
    groups = [
        _Group(
            id=group_id,
            notification_id=made[key][1],
            requests=by_key[key],
            is_new=group_id == made[key][0],
            before=notification_id if group_id != made[key][0] else None,
        )
        for key, (group_id, notification_id) in sorted(locked.items())
    ]
    # Without an actor the group has nothing to count.
    return [group for group in groups if group.is_new or group.requests[0].actor_id is not None]


def _count(groups: Sequence[_Group]) -> None:
    """The number of actors of each group after the additions: of the previous notification, which is deleted, or
    counted from the rows if it was deleted before."""
    replaced = [group.before for group in groups if group.before]
    before = dict(delete(Notification, ids=replaced, returning=("id", "actors_count")))
    uncounted = present_actors([group.id for group in groups if not group.is_new and group.before not in before])
    for group in groups:
        held = before.get(group.before, uncounted.get(group.id, 0))
        group.count = held + sum(request.actor_id is not None for request in group.requests)


def _write_actors(
    groups: Sequence[_Group],
    *,
    known: dict[tuple[int, str, int], KnownActor],
    latest: dict[tuple[int, str, int], KnownActor],
) -> None:
    rows = []
    for group in groups:
        for key in [request.actor for request in group.requests if request.actor_id is not None]:
            actor = latest[key]
            if key in known:
                NotificationActor.objects.filter(id=actor.id).update(at=actor.at, present=True, group_id=group.id)
            else:
                rows.append((actor.id, *key, group.id, actor.at, True))
    insert("notifications", model=NotificationActor, columns=_ACTOR_COLUMNS, rows=rows)


def _write_notifications(groups: Sequence[_Group]) -> list[NewNotification]:
    now = timezone.now()
    rows = [_row(group, now=now) for group in groups]
    insert_instances("notifications", instances=rows)
    older = [(group.id, *group.requests[0].group, group.notification_id) for group in groups if not group.is_new]
    replaced = on_clash("notifications", key=_GROUP_KEY, replaced=["notification_id"])
    insert("notifications", model=NotificationGroup, columns=_GROUP_COLUMNS, rows=older, on_clash=replaced)
    return [NewNotification(row.id, row.user_id, row.kind, row.actors_count) for row in rows]


def _row(group: _Group, *, now: datetime) -> Notification:
    newest = group.requests[-1]
    said = newest.message or message_text(newest.kind, names=[], count=group.count, target_type=newest.target_type)
    return Notification(
        id=group.notification_id,
        user_id=newest.user_id,
        kind=str(newest.kind),
        message=said,
        created_at=now,
        actor_id=newest.actor_id,
        actors_count=group.count,
        target_type=str(newest.target_type),
        target_id=newest.target_id,
        post_id=newest.post_id,
        group_id=group.id,
        action_id=newest.action_id,
    )
