"""Bulk import of reactions, with the same counts and events as setting them one by one."""

from collections import Counter
from collections.abc import Sequence

from apps.reactions.access import LoadableReaction
from apps.reactions.actions.counts import COUNTS
from apps.reactions.models import SLOTS, Reaction, TargetType
from socialapp.contracts.bulk import Rejected
from socialapp.contracts.reactions import OWN_REACTIONS, ReactionSet
from socialapp.core.db import transactional
from socialapp.core.fragments import forget
from socialapp.core.slotted_counts import slot_of
from socialapp.lifecycle.removal import refuse_if_deleted
from socialapp.messaging.publish import publish

Key = tuple[str, int, int]  # target type, target, user: unique for reactions


@transactional("reactions")
def load_reactions(*, reactions: Sequence[LoadableReaction]) -> list[Rejected]:
    """Writes the reactions that do not exist yet, in one transaction; rejects second reactions to the same target and
    those with the id of another reaction.

    NotFound, with nothing written, if a target or a person is deleted meanwhile.
    """
    rows = Reaction.objects.in_bulk([reaction.id for reaction in reactions])
    present = {row.id: (row.target_type, row.target_id, row.user_id) for row in rows.values()}
    taken = _taken(reactions)
    new: list[LoadableReaction] = []
    rejected: list[Rejected] = []
    for reaction in reactions:
        if reaction.id in present:
            if present[reaction.id] != _key(reaction):
                rejected.append(Rejected(index=reaction.index, reason="this id belongs to another reaction"))
            continue
        if _key(reaction) in taken:
            rejected.append(Rejected(index=reaction.index, reason="this user has reacted to this target already"))
            continue
        present[reaction.id] = _key(reaction)
        taken.add(_key(reaction))
        new.append(reaction)
    Reaction.objects.bulk_create([_row(reaction) for reaction in new])
    refuse_if_deleted("reactions", *{reaction.target.id for reaction in new}, *{reaction.user_id for reaction in new})
    _count(new)
    publish(*(_set(reaction) for reaction in new))
    return rejected


def _key(reaction: LoadableReaction) -> Key:
    return reaction.target.type, reaction.target.id, reaction.user_id


def _taken(reactions: Sequence[LoadableReaction]) -> set[Key]:
    """The keys of these for which there is a reaction already."""
    people = {reaction.user_id for reaction in reactions}
    targets = {reaction.target.id for reaction in reactions}
    rows = Reaction.objects.filter(user_id__in=people)
    found = [*rows.filter(post_id__in=targets), *rows.filter(comment_id__in=targets)]
    return {(row.target_type, row.target_id, row.user_id) for row in found}


def _row(reaction: LoadableReaction) -> Reaction:
    is_post = reaction.target.type == TargetType.POST
    return Reaction(
        id=reaction.id,
        user_id=reaction.user_id,
        post_id=reaction.target.id if is_post else None,
        comment_id=None if is_post else reaction.target.id,
        reaction_type=reaction.reaction_type,
        created_at=reaction.created_at,
        target_author_id=reaction.target.author_id,
        under_post_id=reaction.target.post_id,
    )


def _count(reactions: Sequence[LoadableReaction]) -> None:
    COUNTS.add(Counter(_count_key(reaction) for reaction in reactions))
    forget(OWN_REACTIONS, ids=(reaction.user_id for reaction in reactions), context="reactions")


def _count_key(reaction: LoadableReaction) -> tuple[str, int, str, int]:
    slot = slot_of(reaction.user_id, slots=SLOTS)
    return reaction.target.type, reaction.target.id, reaction.reaction_type, slot


def _set(reaction: LoadableReaction) -> ReactionSet:
    return ReactionSet(
        target_type=reaction.target.type,
        target_id=reaction.target.id,
        target_author_id=reaction.target.author_id,
        post_id=reaction.target.post_id,
        user_id=reaction.user_id,
        reaction_type=reaction.reaction_type,
        previous=None,
        at=reaction.created_at,
    )
