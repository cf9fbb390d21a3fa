"""Event handlers of metrics. Additions commute, and tombstones keep late events from restoring deleted numbers."""

from collections.abc import Sequence

from django.utils import timezone

from apps.metrics import actions
from socialapp.contracts.auth import UserDeleted, UserRegistered
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentRemoved, CommentRestored
from socialapp.contracts.posts import (
    PostCreated,
    PostDeleted,
    PostRemoved,
    PostRestored,
    PostsViewed,
    Reposted,
    Unreposted,
)
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.contracts.users import Followed, Unfollowed
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles


@handles(PostCreated, together=True)
def count_post(events: Sequence[PostCreated]) -> None:
    """Counts the posts."""
    actions.record_posts({event.post_id: event.author_id for event in events})


@handles(PostDeleted)
def forget_post(event: PostDeleted) -> None:
    """Deletes the post's numbers."""
    actions.record_post_deleted(post_id=event.post_id, author_id=event.author_id, was_counted=not event.was_withdrawn)


@handles(PostRemoved)
def uncount_post(event: PostRemoved) -> None:
    """Subtracts the post from its author's posts; its numbers stay in case it is restored."""
    actions.record_post_removed(post_id=event.post_id, author_id=event.author_id)


@handles(PostRestored)
def count_post_again(event: PostRestored) -> None:
    """Adds the post to its author's posts again."""
    actions.record_post_restored(post_id=event.post_id, author_id=event.author_id)


@handles(PostsViewed)
def count_views(event: PostsViewed) -> None:
    """Counts a batch of views and impressions."""
    actions.record_views(counts=event.counts, at=event.at)


@handles(CommentCreated, together=True)
def count_comment(events: Sequence[CommentCreated]) -> None:
    """Counts the comments in the hours they were written."""
    actions.record_comments({event.comment_id: event.post_id for event in events})


@handles(CommentRestored)
def count_comment_again(event: CommentRestored) -> None:
    """Counts the comment again."""
    actions.record_comment_restored(post_id=event.post_id, comment_id=event.comment_id)


@handles(CommentDeleted, CommentRemoved)
def uncount_comment(event: CommentDeleted | CommentRemoved) -> None:
    """Subtracts the comment in the hour it was written, even if its creation arrives later.

    A removed comment is not subtracted again when it is deleted.
    """
    if isinstance(event, CommentDeleted) and event.was_withdrawn:
        return
    actions.record_comments({event.comment_id: event.post_id}, amount=-1)


@handles(ReactionSet, together=True)
def count_reaction(events: Sequence[ReactionSet]) -> None:
    """Counts reactions that replaced no other. Those to comments count only overall."""
    new = [event for event in events if event.previous is None]
    if new:
        actions.record_reactions((event.post_id if event.target_type == "post" else None, event.at) for event in new)


@handles(ReactionRemoved, together=True)
def uncount_reaction(events: Sequence[ReactionRemoved]) -> None:
    """Subtracts reactions to posts."""
    of_posts = [event for event in events if event.target_type == "post"]
    if of_posts:
        actions.record_reactions(((event.post_id, event.at) for event in of_posts), amount=-1)


@handles(Reposted)
def count_repost(event: Reposted) -> None:
    """Counts the repost."""
    actions.record_repost(post_id=event.post_id, at=event.at)


@handles(Unreposted)
def uncount_repost(event: Unreposted) -> None:
    """Subtracts the repost; at the present time if an older producer sent none."""
    actions.record_repost(post_id=event.post_id, at=event.at or timezone.now(), amount=-1)


@handles(Followed)
def count_follower(event: Followed) -> None:
    """Counts a follower gained."""
    actions.record_follower(author_id=event.following_id, at=event.at, amount=1)


@handles(Unfollowed)
def uncount_follower(event: Unfollowed) -> None:
    """Counts a follower lost."""
    actions.record_follower(author_id=event.following_id, at=event.at, amount=-1)


@handles(UserRegistered)
def count_registration(event: UserRegistered) -> None:
    """Counts the registration."""
    actions.record_registration(at=event.created_at)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases the user's numbers; acknowledged once nothing is left."""
    begin_removal("metrics", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)
