"""Handlers of post events: notify followers, page by page, and mentioned people."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from apps.notifications import access, actions
from apps.notifications.access import PostActivity
from apps.notifications.actions import FollowerPage, NotificationRequest
from socialapp.contracts.notifications import NewPostPageNotified
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited, PostRestored, Posts
from socialapp.contracts.users import Users
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client

# Followers notified in one transaction. Their ids are also part of a call's URL, so not many more.
FOLLOWER_BATCH = 1000


def _pages(posts: Sequence[tuple[object, NewPostPageNotified]]) -> list[FollowerPage]:
    """The page of followers that each event is about; None for a post that is deleted, hidden or old, and for a
    deleted author."""
    current = [(cause, post) for cause, post in posts if not access.is_outdated(post.created_at)]
    if not current:
        return []
    authors = {one.id: one for one in client(Users).profiles(ids=sorted({post.author_id for _, post in current}))}
    refs = client(Posts).refs(post_ids=sorted({post.post_id for _, post in current}))
    there = {post.id for post in refs if not post.hidden}
    current = [(cause, post) for cause, post in current if post.author_id in authors and post.post_id in there]
    followers = {key: _followers(*key) for key in {(post.author_id, post.after) for _, post in current}}
    return [
        FollowerPage(
            post=post,
            author=authors[post.author_id],
            follower_ids=follower_ids,
            excluded=excluded,
            is_last=len(follower_ids) < FOLLOWER_BATCH,
            cause=cause,
        )
        for cause, post in current
        for follower_ids, excluded in [followers[post.author_id, post.after]]
        if follower_ids
    ]


def _followers(author_id: int, after: int) -> tuple[list[int], list[int]]:
    """A page of an author's followers, and those of them who mute the author."""
    found = client(Users).followers(user_id=author_id, after=after, limit=FOLLOWER_BATCH)
    return found, client(Users).muted_by(user_ids=found, muted_id=author_id) if found else []


def _first_pages(events: Sequence[PostCreated]) -> list[FollowerPage]:
    return _pages([(event, _first_page(event)) for event in events])


def _first_page(event: PostCreated) -> NewPostPageNotified:
    return NewPostPageNotified(
        post_id=event.post_id,
        author_id=event.author_id,
        mention_ids=event.mention_ids,
        after=0,
        created_at=event.created_at,
    )


def _next_pages(events: Sequence[NewPostPageNotified]) -> list[FollowerPage]:
    return _pages([(event, event) for event in events])


@handles(PostCreated, gather=_first_pages, together=True)
def notify_first_followers(events: Sequence[PostCreated], pages: list[FollowerPage]) -> None:
    """Notifies the first page of each author's followers of a new post; further events continue."""
    _notify(pages)


@handles(NewPostPageNotified, gather=_next_pages, together=True)
def notify_next_followers(events: Sequence[NewPostPageNotified], pages: list[FollowerPage]) -> None:
    """Notifies the next page of each author's followers of a new post."""
    _notify(pages)


def _notify(pages: list[FollowerPage]) -> None:
    """Groups pages of few followers, as each statement takes a bounded number of people."""
    some: list[FollowerPage] = []
    people = 0
    for page in pages:
        if some and people + len(page.follower_ids) > FOLLOWER_BATCH:
            actions.notify_followers(some)
            some, people = [], 0
        some.append(page)
        people += len(page.follower_ids)
    if some:
        actions.notify_followers(some)


def _mention_topic(post_id: int) -> str:
    return f"mention:post:{post_id}"


def _mention_requests(
    event: PostCreated | PostEdited | PostRestored, *, user_ids: Iterable[int], at: datetime
) -> list[NotificationRequest]:
    return [
        NotificationRequest(
            user_id=user_id,
            kind="mention",
            topic=_mention_topic(event.post_id),
            at=at,
            actor_id=event.author_id,
            target_type="post",
            target_id=event.post_id,
            post_id=event.post_id,
            cause=event,
        )
        for user_id in sorted(user_ids)
    ]


def _mentioned(events: Sequence[PostCreated]) -> list[set[int]]:
    return access.recipients_seeing_posts(
        [
            PostActivity(
                post_id=event.post_id, actor_id=event.author_id, user_ids=event.mention_ids, at=event.created_at
            )
            for event in events
        ]
    )


@handles(PostCreated, gather=_mentioned, together=True)
def notify_mentioned(events: Sequence[PostCreated], mentioned: list[set[int]]) -> None:
    """Notifies mentioned people who may see the posts."""
    pairs = zip(events, mentioned, strict=True)
    actions.notify(
        [one for event, user_ids in pairs for one in _mention_requests(event, user_ids=user_ids, at=event.created_at)]
    )


def _newly_mentioned(event: PostEdited | PostRestored) -> set[int]:
    mentioned = event.mention_ids if isinstance(event, PostRestored) else event.new_mention_ids
    return access.recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=mentioned, at=event.at
    )


@handles(PostEdited, PostRestored, gather=_newly_mentioned)
def notify_newly_mentioned(event: PostEdited | PostRestored, mentioned: set[int]) -> None:
    """Notifies people newly mentioned by an edit, or mentioned in a restored post.

    People who were notified before are not notified again of a restored post.
    """
    at = event.at or datetime.now(UTC)
    actions.notify(_mention_requests(event, user_ids=mentioned, at=at))


@handles(PostEdited)
def remove_dropped_mentions(event: PostEdited) -> None:
    """Deletes the notifications of people whom an edit no longer mentions."""
    topic, at = _mention_topic(event.post_id), event.at or datetime.now(UTC)
    actions.undo_activities({(user_id, topic, event.author_id): at for user_id in event.removed_mention_ids})


@handles(PostDeleted)
def remove_post(event: PostDeleted) -> None:
    """Deletes the notifications about a deleted post."""
    begin_removal("notifications", kind="post", subject_id=event.post_id)
