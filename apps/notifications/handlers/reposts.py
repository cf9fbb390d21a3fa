"""Handlers of reposts: notifies the author, and shows open pages of followers that their feed has changed."""

from datetime import UTC, datetime

from django.conf import settings

from apps.notifications import access, actions
from apps.notifications.access import PostActivity
from apps.notifications.actions import NotificationRequest
from apps.notifications.handlers.posts import FOLLOWER_BATCH
from socialapp.contracts.posts import Reposted, Unreposted
from socialapp.contracts.users import Users
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client


def _willing(event: Reposted) -> set[int]:
    activity = PostActivity(post_id=event.post_id, actor_id=event.user_id, user_ids=[event.author_id], at=event.at)
    return access.recipients_of_posts([activity])[0]


@handles(Reposted, gather=_willing)
def notify_of_repost(event: Reposted, willing: set[int]) -> None:
    """Notifies the author of a repost."""
    actions.publish_post_changes(post_ids=[event.post_id])
    if event.author_id in willing:
        actions.notify(
            [
                NotificationRequest(
                    user_id=event.author_id,
                    kind="repost",
                    topic=f"repost:{event.post_id}",
                    day=actions.day_of(event.at),
                    at=event.at,
                    actor_id=event.user_id,
                    target_type="post",
                    target_id=event.post_id,
                    post_id=event.post_id,
                )
            ]
        )


def _gather_feed_readers(event: Reposted) -> list[int]:
    """The reposter's followers. Reposts by people with very many followers are not in feeds."""
    readers: list[int] = []
    after = 0
    while not access.is_outdated(event.at) and len(readers) < settings.POPULAR_FOLLOWERS:
        page = client(Users).followers(user_id=event.user_id, after=after, limit=FOLLOWER_BATCH)
        if not page:
            return readers
        muting = set(client(Users).muted_by(user_ids=page, muted_id=event.user_id))
        readers += [user_id for user_id in page if user_id not in muting]
        after = page[-1]
    return []


@handles(Reposted, gather=_gather_feed_readers)
def show_repost_in_feeds(event: Reposted, followers: list[int]) -> None:
    """Shows open pages of the reposter's followers that their feed has changed."""
    actions.publish_feed_change(post_id=event.post_id, user_ids=followers)


@handles(Unreposted)
def remove_repost(event: Unreposted) -> None:
    """Deletes an undone repost from the author's notifications."""
    actions.publish_post_changes(post_ids=[event.post_id])
    actions.remove_actor(
        user_id=event.author_id,
        topic=f"repost:{event.post_id}",
        actor_id=event.user_id,
        at=event.at or datetime.now(UTC),
    )
