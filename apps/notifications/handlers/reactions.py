"""Handlers of reactions: notify the authors of posts and comments."""

from collections.abc import Sequence

from apps.notifications import access, actions
from apps.notifications.access import PostActivity
from apps.notifications.actions import NotificationRequest
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.messaging.registry import handles


def _reaction_topic(event: ReactionSet | ReactionRemoved) -> str:
    return f"reaction:{event.target_type}:{event.target_id}"


def _willing(events: Sequence[ReactionSet]) -> list[set[int]]:
    return access.recipients_of_posts(
        [
            PostActivity(post_id=event.post_id, actor_id=event.user_id, user_ids=[event.target_author_id], at=event.at)
            for event in events
        ]
    )


@handles(ReactionSet, gather=_willing, together=True)
def notify_of_reaction(events: Sequence[ReactionSet], willing: list[set[int]]) -> None:
    """Notifies the authors of posts and comments of reactions."""
    actions.publish_post_changes(post_ids=[event.post_id for event in events if event.target_type == "post"])
    actions.notify([_request(event) for event, found in zip(events, willing, strict=True) if found])


def _request(event: ReactionSet) -> NotificationRequest:
    return NotificationRequest(
        user_id=event.target_author_id,
        kind="reaction",
        topic=_reaction_topic(event),
        day=actions.day_of(event.at),
        at=event.at,
        actor_id=event.user_id,
        target_type=event.target_type,
        target_id=event.target_id,
        post_id=event.post_id,
        cause=event,
    )


@handles(ReactionRemoved, together=True)
def remove_reaction(events: Sequence[ReactionRemoved]) -> None:
    """Removes undone reactions from the authors' notifications."""
    actions.publish_post_changes(post_ids=[event.post_id for event in events if event.target_type == "post"])
    in_order = sorted(events, key=lambda event: event.at)  # the last of several by one person counts
    actions.undo_activities(
        {(event.target_author_id, _reaction_topic(event), event.user_id): event.at for event in in_order}
    )
