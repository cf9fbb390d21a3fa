"""Handlers of posts: notifies followers page by page, and those who are mentioned."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.notifications import actions
from apps.notifications.access import is_outdated, recipients_seeing_post
from apps.notifications.actions import NotificationRequest
from socialapp.contracts.notifications import NewPostPageNotified
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited, PostRestored, Posts
from socialapp.contracts.users import ProfileSummary, Users
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client

# Followers notified in one transaction. Their ids also travel in the URL of a call, so not many more.
FOLLOWER_BATCH = 1000


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """Who is to be notified of a new post. `author` is None when the post or its author is gone, or it is hidden."""

    author: ProfileSummary | None
    follower_ids: list[int]
    excluded: list[int]


def _gather_followers(*, post_id: int, author_id: int, after: int, at: datetime) -> FollowerPage:
    authors = [] if is_outdated(at) else client(Users).profiles(ids=[author_id])
    if not authors or not any(not post.hidden for post in client(Posts).refs(post_ids=[post_id])):
        return FollowerPage(None, [], [])
    followers = client(Users).followers(user_id=author_id, after=after, limit=FOLLOWER_BATCH)
    excluded = client(Users).muted_by(user_ids=followers, muted_id=author_id) if followers else []
    return FollowerPage(authors[0], followers, excluded)


def _notify_page(page: NewPostPageNotified, gathered: FollowerPage) -> None:
    if gathered.author is None or not gathered.follower_ids:
        return
    actions.notify_followers(
        page,
        follower_ids=gathered.follower_ids,
        excluded=gathered.excluded,
        author=gathered.author,
        last_page=len(gathered.follower_ids) < FOLLOWER_BATCH,
    )


@handles(
    PostCreated,
    gather=lambda event: _gather_followers(
        post_id=event.post_id, author_id=event.author_id, after=0, at=event.created_at
    ),
)
def notify_first_followers(event: PostCreated, gathered: FollowerPage) -> None:
    """Notifies the first page of the author's followers of a new post; further pages follow by events."""
    page = NewPostPageNotified(
        post_id=event.post_id,
        author_id=event.author_id,
        mention_ids=event.mention_ids,
        after=0,
        created_at=event.created_at,
    )
    _notify_page(page, gathered)


@handles(
    NewPostPageNotified,
    gather=lambda event: _gather_followers(
        post_id=event.post_id, author_id=event.author_id, after=event.after, at=event.created_at
    ),
)
def notify_next_followers(event: NewPostPageNotified, gathered: FollowerPage) -> None:
    """Notifies the next page of the author's followers of a new post."""
    _notify_page(event, gathered)


def _mention_requests(
    *, post_id: int, author_id: int, user_ids: Iterable[int], at: datetime
) -> list[NotificationRequest]:
    return [
        NotificationRequest(
            user_id=user_id,
            kind="mention",
            topic=f"mention:post:{post_id}",
            at=at,
            actor_id=author_id,
            target_type="post",
            target_id=post_id,
            post_id=post_id,
        )
        for user_id in sorted(user_ids)
    ]


@handles(
    PostCreated,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.mention_ids, at=event.created_at
    ),
)
def notify_mentioned(event: PostCreated, mentioned: set[int]) -> None:
    """Notifies those whom a post mentions and who may see it."""
    actions.notify(
        _mention_requests(post_id=event.post_id, author_id=event.author_id, user_ids=mentioned, at=event.created_at)
    )


@handles(
    PostRestored,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.mention_ids, at=None
    ),
)
def notify_mentioned_at_last(event: PostRestored, mentioned: set[int]) -> None:
    """Notifies those whom a post mentions that a rule held, as soon as a moderator has let it pass."""
    now = datetime.now(UTC)
    actions.notify(_mention_requests(post_id=event.post_id, author_id=event.author_id, user_ids=mentioned, at=now))


@handles(
    PostEdited,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.new_mention_ids, at=None
    ),
)
def notify_newly_mentioned(event: PostEdited, mentioned: set[int]) -> None:
    """Notifies those whom an edit mentions for the first time."""
    now = datetime.now(UTC)
    actions.notify(_mention_requests(post_id=event.post_id, author_id=event.author_id, user_ids=mentioned, at=now))


@handles(PostDeleted)
def remove_post(event: PostDeleted) -> None:
    """Removes the notifications about a deleted post."""
    begin_removal("notifications", kind="post", subject_id=event.post_id)
