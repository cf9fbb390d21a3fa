"""Counts what the other contexts tell. Adding commutes, and tombstones keep what is gone from coming back."""

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


@handles(PostCreated)
def count_post(event: PostCreated) -> None:
    """A post more."""
    actions.note_post(post_id=event.post_id, author_id=event.author_id)


@handles(PostDeleted)
def forget_post(event: PostDeleted) -> None:
    """A post's numbers go with it."""
    actions.note_post_deleted(post_id=event.post_id, author_id=event.author_id, was_counted=not event.was_withdrawn)


@handles(PostRemoved)
def uncount_post(event: PostRemoved) -> None:
    """A post less; its numbers stay, in case it comes back."""
    actions.note_post_withdrawn(post_id=event.post_id, author_id=event.author_id)


@handles(PostRestored)
def count_post_again(event: PostRestored) -> None:
    """A post more, that was written long ago."""
    actions.note_post_restored(post_id=event.post_id, author_id=event.author_id)


@handles(PostsViewed)
def count_views(event: PostsViewed) -> None:
    """A batch of views."""
    actions.note_views(counts=event.counts, at=event.at)


@handles(CommentCreated)
def count_comment(event: CommentCreated) -> None:
    """A comment more, in the hour it was written."""
    actions.note_comment(post_id=event.post_id, comment_id=event.comment_id)


@handles(CommentRestored)
def count_comment_again(event: CommentRestored) -> None:
    """A comment more, that was written long ago."""
    actions.note_comment_restored(post_id=event.post_id, comment_id=event.comment_id)


@handles(CommentDeleted, CommentRemoved)
def uncount_comment(event: CommentDeleted | CommentRemoved) -> None:
    """A comment less, in the hour it was written: its id tells which, even when its creation is heard of later.

    Once: what was withdrawn is not counted when it is deleted.
    """
    if isinstance(event, CommentDeleted) and event.was_withdrawn:
        return
    actions.note_comment(post_id=event.post_id, comment_id=event.comment_id, amount=-1)


@handles(ReactionSet)
def count_reaction(event: ReactionSet) -> None:
    """A reaction more, unless it took the place of another. Those to comments count overall only."""
    if event.previous is not None:
        return
    if event.target_type == "post":
        actions.note_reaction(post_id=event.post_id, at=event.at)
    else:
        actions.note_reaction_to_comment(at=event.at)


@handles(ReactionRemoved)
def uncount_reaction(event: ReactionRemoved) -> None:
    """A reaction to a post less."""
    if event.target_type == "post":
        actions.note_reaction(post_id=event.post_id, at=event.at, amount=-1)


@handles(Reposted)
def count_repost(event: Reposted) -> None:
    """A repost more."""
    actions.note_repost(post_id=event.post_id, at=event.at)


@handles(Unreposted)
def uncount_repost(event: Unreposted) -> None:
    """A repost less; in the hour this is heard of, when an older producer did not say when."""
    actions.note_repost(post_id=event.post_id, at=event.at or timezone.now(), amount=-1)


@handles(Followed)
def count_follower(event: Followed) -> None:
    """A follower gained."""
    actions.note_follower(author_id=event.following_id, at=event.at, amount=1)


@handles(Unfollowed)
def uncount_follower(event: Unfollowed) -> None:
    """A follower lost."""
    actions.note_follower(author_id=event.following_id, at=event.at, amount=-1)


@handles(UserRegistered)
def count_registration(event: UserRegistered) -> None:
    """A registration more."""
    actions.note_registration(at=event.created_at)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases the user's numbers; acknowledged when nothing is left."""
    begin_removal("metrics", "user", subject_id=event.user_id, erasure_id=event.erasure_id)
