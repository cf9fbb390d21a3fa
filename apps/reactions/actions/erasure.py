"""Erases the reactions of deleted people or to deleted targets, in steps; tombstones block late events."""

from collections.abc import Collection
from functools import partial

from django.utils import timezone

from apps.reactions.actions.counts import subtract_counts
from apps.reactions.actions.reactions import removal_of
from apps.reactions.models import Reaction, ReactionCount, TargetType
from apps.reactions.queries import reactions_to, targets_with_reactions, users_with_reactions
from socialapp.contracts.reactions import POST_REACTIONS
from socialapp.core.fragments import forget
from socialapp.lifecycle.removal import declare_removal
from socialapp.messaging.publish import publish

BATCH = 500


def _remove_reactions_to(target_type: str, target_id: int) -> bool:
    """Deletes some of the reactions to a deleted target, without events: the target's deletion implies them."""
    rows = reactions_to(target_type=target_type, target_id=target_id).select_for_update().order_by("id")
    ids = list(rows.values_list("id", flat=True)[:BATCH])
    Reaction.objects.filter(id__in=ids).delete()
    ReactionCount.objects.filter(target_type=target_type, target_id=target_id).delete()
    if target_type == TargetType.POST:
        forget(POST_REACTIONS, ids=[target_id], context="reactions")
    return len(ids) < BATCH


def _remove_reactions_of(user_id: int) -> bool:
    """Deletes some of a user's reactions, with their counts, and publishes an event for each."""
    # In index order: sorting first would read and lock all reactions in every step.
    reactions = list(Reaction.objects.select_for_update().filter(user_id=user_id).order_by("post_id")[:BATCH])
    Reaction.objects.filter(id__in=[reaction.id for reaction in reactions]).delete()
    subtract_counts(reactions, user_id=user_id)
    now = timezone.now()
    publish(*(removal_of(reaction, at=now) for reaction in reactions))
    return len(reactions) < BATCH


def _targets_left(target_type: str, target_ids: Collection[int]) -> set[int]:
    return targets_with_reactions(target_type=target_type, target_ids=target_ids)


for _target_type in (TargetType.POST, TargetType.COMMENT):
    declare_removal(
        "reactions",
        kind=_target_type.value,
        step=partial(_remove_reactions_to, _target_type.value),
        leftovers=partial(_targets_left, _target_type.value),
    )
declare_removal("reactions", kind="user", step=_remove_reactions_of, leftovers=users_with_reactions)
