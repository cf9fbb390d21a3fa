"""Handlers of comments: notifies whom a comment concerns, each person once."""

from datetime import UTC, datetime

from apps.notifications import actions
from apps.notifications.access import recipients_seeing_post
from apps.notifications.actions import NotificationRequest
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentEdited, CommentRemoved, CommentRestored
from socialapp.messaging.registry import handles


def _comment_kinds(event: CommentCreated) -> dict[int, str]:
    """Whom a comment concerns, and how: each person once, as a reply before a comment before a mention."""
    kinds = dict.fromkeys(event.mention_ids, "mention")
    kinds[event.post_author_id] = "comment"
    if event.parent_author_id is not None:
        kinds[event.parent_author_id] = "reply"
    kinds.pop(event.author_id, None)
    return kinds


@handles(
    CommentCreated,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=_comment_kinds(event), at=event.created_at
    ),
)
def notify_of_comment(event: CommentCreated, willing: set[int]) -> None:
    """Notifies the authors of the post and of the parent comment, and those mentioned, of a comment."""
    actions.publish_post_change(post_id=event.post_id)
    actions.notify(
        [
            NotificationRequest(
                user_id=user_id,
                kind=kind,
                topic=f"comment:{event.comment_id}",
                at=event.created_at,
                actor_id=event.author_id,
                target_type="comment",
                target_id=event.comment_id,
                post_id=event.post_id,
            )
            for user_id, kind in sorted(_comment_kinds(event).items())
            if user_id in willing
        ]
    )


@handles(
    CommentEdited,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.new_mention_ids, at=None
    ),
)
def notify_newly_mentioned_in_comment(event: CommentEdited, mentioned: set[int]) -> None:
    """Notifies those whom an edit of a comment mentions for the first time."""
    now = datetime.now(UTC)
    actions.notify(
        [
            NotificationRequest(
                user_id=user_id,
                kind="mention",
                topic=f"comment:{event.comment_id}",
                at=now,
                actor_id=event.author_id,
                target_type="comment",
                target_id=event.comment_id,
                post_id=event.post_id,
            )
            for user_id in sorted(mentioned)
        ]
    )


@handles(CommentDeleted)
def remove_comment(event: CommentDeleted) -> None:
    """Removes the notifications about a deleted comment."""
    actions.publish_post_change(post_id=event.post_id)
    actions.remove_comment(comment_id=event.comment_id)


@handles(CommentRemoved, CommentRestored)
def show_comment_count(event: CommentRemoved | CommentRestored) -> None:
    """Shows open pages that a moderator removed a comment or brought it back."""
    actions.publish_post_change(post_id=event.post_id)
