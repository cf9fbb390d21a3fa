"""The stored counts: changed with the rows, and compared with them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from django.db import connections
from django.db.models import F
from django.utils import timezone

from apps.reactions import queries
from apps.reactions.models import SLOTS, Reaction, ReactionCount
from apps.reactions.queries import Fault, Target, reactions_to
from socialapp.db import again_after_deadlock, atomic

_KEY = ("target_type", "target_id", "reaction_type", "slot")


def slot_of(user_id: int) -> int:
    """The slot that a user's reactions are counted in. The lowest 16 bits of an id hardly vary: they are left out."""
    return (user_id >> 16) % SLOTS


def change_counts(target: Target, user_id: int, *, added: str | None, removed: str | None) -> None:
    """Counts one person's change of reaction to a target. Needs the transaction of that change."""
    changes = {name: 1 if name == added else -1 for name in (added, removed) if name}
    # Always in one order, so that two people of one slot cannot wait for each other.
    for reaction_type in sorted(changes):
        add_to_count(target, reaction_type, slot=slot_of(user_id), by=changes[reaction_type])


def add_to_count(target: Target, reaction_type: str, *, slot: int, by: int) -> None:
    """Adds to one slot of a count, which is made if need be."""
    key = {"target_type": target.type, "target_id": target.id, "reaction_type": reaction_type, "slot": slot}
    if not _add(key, by):
        _make_sure_of(key)
        _add(key, by)


def _add(key: dict[str, object], change: int) -> int:
    return ReactionCount.objects.filter(**key).update(count=F("count") + change, updated_at=timezone.now())


def _make_sure_of(*keys: dict[str, object]) -> None:
    """Inserts counts of 0 unless they are there. An upsert locks for writing; ignoring a clash would deadlock."""
    names_its_key = connections["reactions"].features.supports_update_conflicts_with_target
    ReactionCount.objects.bulk_create(
        [ReactionCount(**key, count=0) for key in keys],
        update_conflicts=True,
        update_fields=["slot"],
        unique_fields=list(_KEY) if names_its_key else None,
    )


def add_to_counts(numbers: Mapping[tuple[str, int, str, int], int]) -> None:
    """Adds to many counts, by (target type, target, reaction type, slot), in few statements.

    Needs the transaction that adds the reactions.
    """
    if not numbers:
        return
    _make_sure_of(*(dict(zip(_KEY, key, strict=True)) for key in sorted(numbers)))
    rows = ReactionCount.objects.filter(target_id__in={key[1] for key in numbers})
    ids: dict[int, list[int]] = defaultdict(list)
    for row_id, *key in rows.values_list("id", *_KEY):
        ids[numbers.get((key[0], key[1], key[2], key[3]), 0)].append(row_id)
    for number in sorted(ids.keys() - {0}):
        change = {"count": F("count") + number, "updated_at": timezone.now()}
        ReactionCount.objects.filter(id__in=ids[number]).update(**change)


def subtract_counts(reactions: Iterable[Reaction], *, slot: int) -> None:
    """Takes one off the counts of each of one person's reactions. Needs the transaction that removes them."""
    targets: dict[tuple[str, str], list[int]] = defaultdict(list)
    for reaction in reactions:
        targets[(reaction.target_type, reaction.reaction_type)].append(reaction.target_id)
    for (target_type, reaction_type), ids in sorted(targets.items()):
        ReactionCount.objects.filter(
            target_type=target_type, target_id__in=ids, reaction_type=reaction_type, slot=slot
        ).update(count=F("count") - 1, updated_at=timezone.now())


def check_targets(*, target_type: str, target_ids: Sequence[int], repair: bool) -> list[Fault]:
    """The wrong counts of these targets; each is corrected if `repair`."""
    found = [
        again_after_deadlock(partial(_recheck, target_type, target_id, reaction_type, repair))
        for target_id, reaction_type in queries.suspect_counts(target_type=target_type, target_ids=target_ids)
    ]
    return [fault for fault in found if fault is not None]


def _recheck(target_type: str, target_id: int, reaction_type: str, repair: bool) -> Fault | None:
    """Compares one count with its rows while nobody can change either; corrects it if `repair`."""
    key: dict[str, object] = {"target_type": target_type, "target_id": target_id, "reaction_type": reaction_type}
    with atomic("reactions"):
        # With every slot there and locked, whoever is reacting has either finished or not counted yet.
        for slot in range(SLOTS):
            _make_sure_of({**key, "slot": slot})
        slots = list(ReactionCount.objects.select_for_update().filter(**key).order_by("slot"))
        counted = sum(row.count for row in slots)
        actual = reactions_to(target_type, target_id).filter(reaction_type=reaction_type).count()
        if counted == actual:
            return None
        if repair:
            slots[0].count += actual - counted
            slots[0].save(update_fields=["count", "updated_at"])
        return Fault(target_type, target_id, reaction_type, counted, actual)
