"""Event handlers of comments: deletions, moderation and reactions."""

from collections import Counter
from collections.abc import Sequence

from apps.comments import actions
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.moderation import ContentRemoved, ContentRestored, ContentRestricted
from socialapp.contracts.posts import PostDeleted
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles


@handles(PostDeleted)
def remove_comments_on_post(event: PostDeleted) -> None:
    """Deletes the comments on the post."""
    begin_removal("comments", kind="post", subject_id=event.post_id)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases what the user wrote; acknowledged once nothing is left."""
    begin_removal("comments", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)


@handles(ContentRemoved)
def remove_comment(event: ContentRemoved) -> None:
    """Hides the comment that a moderator removed."""
    if event.target_type == "comment":
        actions.remove_comment(comment_id=event.target_id, action_id=event.action_id)


@handles(ContentRestored)
def restore_comment(event: ContentRestored) -> None:
    """Restores a comment that was removed wrongly."""
    if event.target_type == "comment":
        actions.restore_comment(comment_id=event.target_id, action_id=event.action_id)


@handles(ContentRestricted)
def restrict_comment(event: ContentRestricted) -> None:
    """Hides a comment, or ends that, as a moderator decided."""
    if event.target_type == "comment" and event.kind == "hidden":
        actions.hide_comment(
            comment_id=event.target_id, is_hidden=event.is_active, at=event.at, is_waiting=event.is_waiting
        )


@handles(ReactionSet, together=True)
def count_reaction(events: Sequence[ReactionSet]) -> None:
    """Adds first reactions to the scores: one that replaced another was counted before."""
    actions.add_to_scores(
        Counter(event.target_id for event in events if event.target_type == "comment" and event.previous is None)
    )


@handles(ReactionRemoved, together=True)
def discount_reaction(events: Sequence[ReactionRemoved]) -> None:
    """Subtracts removed reactions from the scores."""
    removed = Counter(event.target_id for event in events if event.target_type == "comment")
    actions.add_to_scores({comment_id: -number for comment_id, number in removed.items()})
