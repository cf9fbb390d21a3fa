"""Sets and removes one person's reaction to one target."""

from datetime import datetime

from django.utils import timezone

from apps.reactions.access import Target
from apps.reactions.actions.counts import change_counts
from apps.reactions.models import Reaction, TargetType
from apps.reactions.queries import OwnReaction, counts_unless_deleted, own_reaction, reactions_to
from socialapp.contracts.reactions import ReactionCounts, ReactionRemoved, ReactionSet
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict
from socialapp.core.sql import insert_instances, on_clash
from socialapp.lifecycle.removal import deleted_meanwhile
from socialapp.messaging.publish import publish

_TRIES = 3


@transactional("reactions")
def set_reaction(*, user_id: int, target: Target, reaction_type: str) -> ReactionCounts:
    """Sets the user's single reaction to the target; returns the counts of all. Repeating it changes and publishes
    nothing.

    NotFound if the target or the user was deleted meanwhile.
    """
    reaction_id, previous = _take_row(user_id, target, reaction_type)
    if previous != reaction_type:
        if previous is not None:
            Reaction.objects.filter(id=reaction_id).update(reaction_type=reaction_type)
        change_counts(target=target, user_id=user_id, added=reaction_type, removed=previous)
        _publish(user_id, target, reaction_type, previous)
    counts = counts_unless_deleted(target_type=target.type, target_id=target.id, user_id=user_id)
    if counts is None:
        raise deleted_meanwhile()
    return counts


def _publish(user_id: int, target: Target, reaction_type: str, previous: str | None) -> None:
    publish(
        ReactionSet(
            target_type=target.type,
            target_id=target.id,
            target_author_id=target.author_id,
            post_id=target.post_id,
            user_id=user_id,
            reaction_type=reaction_type,
            previous=previous,
            at=timezone.now(),
        )
    )


def _take_row(user_id: int, target: Target, reaction_type: str) -> tuple[int, str | None]:
    """The id of the user's locked row for the target, created if need be, and its previous type (None: it is new)."""
    column = "post_id" if target.type == TargetType.POST else "comment_id"
    kept = on_clash("reactions", key=("user_id", column))
    for _ in range(_TRIES):
        made = Reaction(
            user_id=user_id,
            reaction_type=reaction_type,
            target_author_id=target.author_id,
            under_post_id=target.post_id,
            **{column: target.id},
        )
        returned = insert_instances(
            "reactions", instances=[made], on_clash=kept, returning=(*OwnReaction._fields, "user_id", column)
        )
        own = next((OwnReaction(*row[:2]) for row in returned if row[2:] == (user_id, target.id)), None)
        own = own or own_reaction(user_id=user_id, target_type=target.type, target_id=target.id)
        if own is not None:  # otherwise the id clashed, with a process of the same node number
            return (made.id, None) if own.id == made.id else (own.id, own.reaction_type)
    raise Conflict("your reaction is being changed by another request; try again", code="reaction_contended")


@transactional("reactions")
def remove_reaction(*, user_id: int, target_type: str, target_id: int) -> None:
    """Removes the user's reaction to the target, whether or not they may still see it. Idempotent."""
    reaction = (
        reactions_to(target_type=target_type, target_id=target_id).select_for_update().filter(user_id=user_id).first()
    )
    if reaction is None:
        return
    target = Target(reaction.target_type, reaction.target_id, reaction.target_author_id, reaction.under_post_id)
    reaction.delete()
    change_counts(target=target, user_id=user_id, added=None, removed=reaction.reaction_type)
    publish(removal_of(reaction, at=timezone.now()))


def removal_of(reaction: Reaction, *, at: datetime) -> ReactionRemoved:
    """The event of a removed reaction."""
    return ReactionRemoved(
        target_type=reaction.target_type,
        target_id=reaction.target_id,
        target_author_id=reaction.target_author_id,
        post_id=reaction.under_post_id,
        user_id=reaction.user_id,
        reaction_type=reaction.reaction_type,
        at=at,
    )
