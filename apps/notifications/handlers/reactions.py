"""Handlers of reactions: notifies the author of what was reacted to."""

from apps.notifications import actions
from apps.notifications.access import recipients
from apps.notifications.actions import NotificationRequest, day_of
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.messaging.registry import handles


def _publish_reaction_change(event: ReactionSet | ReactionRemoved) -> None:
    if event.target_type == "post":
        actions.publish_post_change(post_id=event.post_id)


def _reaction_topic(event: ReactionSet | ReactionRemoved) -> str:
    return f"reaction:{event.target_type}:{event.target_id}"


@handles(
    ReactionSet,
    gather=lambda event: recipients(actor_id=event.user_id, user_ids=[event.target_author_id], at=event.at),
)
def notify_of_reaction(event: ReactionSet, willing: set[int]) -> None:
    """Notifies the author of a post or comment of a reaction."""
    _publish_reaction_change(event)
    if event.target_author_id in willing:
        actions.notify(
            [
                NotificationRequest(
                    user_id=event.target_author_id,
                    kind="reaction",
                    topic=_reaction_topic(event),
                    day=day_of(event.at),
                    at=event.at,
                    actor_id=event.user_id,
                    target_type=event.target_type,
                    target_id=event.target_id,
                    post_id=event.post_id,
                )
            ]
        )


@handles(ReactionRemoved)
def remove_reaction(event: ReactionRemoved) -> None:
    """Removes an undone reaction from the author's notifications."""
    _publish_reaction_change(event)
    actions.remove_actor(
        user_id=event.target_author_id, topic=_reaction_topic(event), actor_id=event.user_id, at=event.at
    )
