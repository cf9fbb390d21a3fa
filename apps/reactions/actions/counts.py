"""The stored counts, updated with the rows."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import F
from django.utils import timezone

from apps.reactions.access import Target
from apps.reactions.models import SLOTS, Reaction, ReactionCount, TargetType
from socialapp.contracts.reactions import OWN_REACTIONS, POST_REACTIONS
from socialapp.core.fragments import forget
from socialapp.core.slotted_counts import SlottedCounts, slot_of


def forget_counts(keys: Iterable[tuple[str, int, str, int]]) -> None:
    """Invalidates cached counts, by (target type, target, reaction type, slot). Must be called in the change's
    transaction."""
    posts = [target_id for target_type, target_id, *_ in keys if target_type == _POST]
    forget(POST_REACTIONS, ids=posts, context="reactions")


COUNTS = SlottedCounts(
    ReactionCount, key=("target_type", "target_id", "reaction_type"), slots=SLOTS, changed=forget_counts
)
_POST: str = TargetType.POST.value


def change_counts(*, target: Target, user_id: int, added: str | None, removed: str | None) -> None:
    """Counts the change of one person's reaction to a target. Must be called in the transaction of the change."""
    changes = {name: 1 if name == added else -1 for name in (added, removed) if name}
    slot = slot_of(user_id, slots=SLOTS)
    COUNTS.add({(target.type, target.id, name, slot): by for name, by in changes.items()})
    forget(OWN_REACTIONS, ids=[user_id], context="reactions")


def subtract_counts(reactions: Iterable[Reaction], *, user_id: int) -> None:
    """Subtracts one person's reactions from the counts. Must be called in the transaction that deletes them."""
    slot = slot_of(user_id, slots=SLOTS)
    targets: dict[tuple[str, str], list[int]] = defaultdict(list)
    for reaction in reactions:
        targets[(reaction.target_type, reaction.reaction_type)].append(reaction.target_id)
    for (target_type, reaction_type), ids in sorted(targets.items()):
        ReactionCount.objects.filter(
            target_type=target_type, target_id__in=ids, reaction_type=reaction_type, slot=slot
        ).update(count=F("count") - 1, updated_at=timezone.now())
        forget_counts((target_type, target_id, reaction_type, slot) for target_id in ids)
    forget(OWN_REACTIONS, ids=[user_id], context="reactions")
