"""What comments does when posts and people go, when a moderator removes one, and when people react."""

from apps.comments import actions
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.moderation import ContentRemoved, ContentRestored, ContentRestricted
from socialapp.contracts.posts import PostDeleted
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles


@handles(PostDeleted)
def remove_comments_on_post(event: PostDeleted) -> None:
    """The comments go with their post."""
    begin_removal("comments", kind="post", subject_id=event.post_id)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases what the user wrote; the acknowledgement follows when nothing is left."""
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


@handles(ReactionSet)
def count_reaction(event: ReactionSet) -> None:
    """Only a first reaction counts: a replaced one was counted before."""
    if event.target_type == "comment" and event.previous is None:
        actions.change_score(comment_id=event.target_id, by=1)


@handles(ReactionRemoved)
def discount_reaction(event: ReactionRemoved) -> None:
    """The reaction no longer counts."""
    if event.target_type == "comment":
        actions.change_score(comment_id=event.target_id, by=-1)
