"""Detects and repairs drift of notifications from their sources, while new ones are created."""

from django.db.models import Count

from apps.notifications.actions.removal import recount_group
from apps.notifications.models import Notification, NotificationActor
from socialapp.contracts.drift import Drift
from socialapp.contracts.posts import Posts
from socialapp.lifecycle.drift import Compared, events_in_flight, next_after
from socialapp.lifecycle.removal import begin_removal
from socialapp.rpc.calls import client


def check_actors(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the number of actors of the next grouped notifications. Two queries unless one is suspect."""
    grouped = Notification.objects.filter(id__gt=after, group_id__isnull=False, actor_id__isnull=False)
    rows = list(grouped.order_by("id").values_list("id", "group_id", "actors_count")[:limit])
    present = NotificationActor.objects.filter(present=True, group_id__in=[group_id for _, group_id, _ in rows])
    actual = dict(present.values_list("group_id").annotate(Count("id")))
    drifts = []
    for notification_id, group_id, held in rows:
        if group_id is None or held == actual.get(group_id, 0):
            continue
        found = recount_group(group_id=group_id, repair=repair)
        if found is not None:
            drift = Drift(projection="actors", id=notification_id, held=str(found[0]), actual=str(found[1]))
            drifts.append(drift)
    next_id = next_after([notification_id for notification_id, *_ in rows], limit=limit)
    return Compared(compared=len(rows), drifts=drifts, next_id=next_id)


def check_posts(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks that the posts of the next notifications exist. Two queries and two calls."""
    notified = Notification.objects.filter(post_id__gt=after).order_by("post_id").values_list("post_id", flat=True)
    ids = [post_id for post_id in notified.distinct()[:limit] if post_id is not None]
    there = {ref.id for ref in client(Posts).refs(post_ids=ids)} if ids else set()
    missing = [post_id for post_id in ids if post_id not in there]
    # A removed post may be restored; notifications about it are hidden until then.
    held = {document.id for document in client(Posts).removed(post_ids=missing)} if missing else set()
    gone = [post_id for post_id in missing if post_id not in held]
    in_flight = events_in_flight(("posts", "notifications")) if gone else set()
    drifts = []
    for post_id in gone:
        if post_id not in in_flight:
            if repair:
                begin_removal("notifications", kind="post", subject_id=post_id)
            drifts.append(Drift(projection="posts_told_of", id=post_id, held="notified", actual="gone"))
    left_out = len(gone) - len(drifts)
    compared = len(ids) - left_out
    return Compared(compared=compared, in_flight=left_out, drifts=drifts, next_id=next_after(ids, limit=limit))
