"""Event handlers of reactions: deletions of posts, comments and people."""

import apps.reactions.actions  # noqa: F401  (declares the removals)
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import CommentDeleted
from socialapp.contracts.posts import PostDeleted
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles


@handles(PostDeleted)
def remove_reactions_to_post(event: PostDeleted) -> None:
    """Deletes the reactions to the post; those to its comments follow with the comments' own events."""
    begin_removal("reactions", kind="post", subject_id=event.post_id)


@handles(CommentDeleted)
def remove_reactions_to_comment(event: CommentDeleted) -> None:
    """Deletes the reactions to the comment, even if it leaves a tombstone."""
    begin_removal("reactions", kind="comment", subject_id=event.comment_id)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases the user's reactions; acknowledged once nothing is left."""
    begin_removal("reactions", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)
