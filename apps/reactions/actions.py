"""Writes reactions: the row, its count and its event in one transaction, so the counts are exact at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from django.db import IntegrityError, connections
from django.db.models import F
from django.utils import timezone

from apps.reactions import queries
from apps.reactions.models import SLOTS, GoneSubject, Reaction, ReactionCount, TargetType
from apps.reactions.queries import Fault, Target, reactions_to
from socialapp.bus.publish import publish
from socialapp.contracts.reactions import ReactionRemoved, ReactionsErased, ReactionSet
from socialapp.db import again_after_deadlock, atomic
from socialapp.errors import Conflict, NotFound

CHUNK = 500
_TRIES = 3


def set_reaction(*, user_id: int, target: Target, reaction_type: str) -> None:
    """Makes `reaction_type` the user's one reaction to the target. The same again changes nothing and tells nobody.

    NotFound when the target or the user went away meanwhile.
    """
    again_after_deadlock(lambda: _set_reaction(user_id, target, reaction_type))


def _set_reaction(user_id: int, target: Target, reaction_type: str) -> None:
    with atomic("reactions"):
        reaction, previous = _take_row(user_id, target, reaction_type)
        _refuse_if_gone(target.id, user_id)
        if previous == reaction_type:
            return
        if previous is not None:
            reaction.reaction_type = reaction_type
            reaction.save(update_fields=["reaction_type"])
        _change_counts(target, user_id, added=reaction_type, removed=previous)
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


def _take_row(user_id: int, target: Target, reaction_type: str) -> tuple[Reaction, str | None]:
    """The user's locked row for the target, made if need be, and the reaction it held before (None: it is new)."""
    own = reactions_to(target.type, target.id).select_for_update().filter(user_id=user_id)
    for _ in range(_TRIES):
        if row := own.first():
            return row, row.reaction_type
        # The same person may react in two places at once: then the other's row is found in the next round.
        with suppress(IntegrityError), atomic("reactions"):
            return _insert(user_id, target, reaction_type), None
    raise Conflict("your reaction is being changed elsewhere; try again", code="reaction_contended")


def _insert(user_id: int, target: Target, reaction_type: str) -> Reaction:
    is_post = target.type == TargetType.POST
    return Reaction.objects.create(
        user_id=user_id,
        post_id=target.id if is_post else None,
        comment_id=None if is_post else target.id,
        reaction_type=reaction_type,
        target_author_id=target.author_id,
        under_post_id=target.post_id,
    )


def _refuse_if_gone(*subject_ids: int) -> None:
    """NotFound when one of the subjects is gone.

    A locking read *after* the reaction was written: whoever marks the subject gone first writes the mark and then
    reads the reactions with locks. So one of the two waits for the other, and no reaction slips through between them.
    """
    if list(GoneSubject.objects.select_for_update().filter(subject_id__in=subject_ids).values_list("subject_id")):
        raise NotFound("there is nothing here that you may react to")


def remove_reaction(*, user_id: int, target: Target) -> None:
    """Takes the user's reaction to the target back; without one, nothing happens."""
    again_after_deadlock(lambda: _remove_reaction(user_id, target))


def _remove_reaction(user_id: int, target: Target) -> None:
    with atomic("reactions"):
        reaction = reactions_to(target.type, target.id).select_for_update().filter(user_id=user_id).first()
        if reaction is None:
            return
        reaction_type = reaction.reaction_type
        reaction.delete()
        _change_counts(target, user_id, added=None, removed=reaction_type)
        publish(_removed(reaction, at=timezone.now()))


def _removed(reaction: Reaction, *, at: datetime) -> ReactionRemoved:
    return ReactionRemoved(
        target_type=reaction.target_type,
        target_id=reaction.target_id,
        target_author_id=reaction.target_author_id,
        post_id=reaction.under_post_id,
        user_id=reaction.user_id,
        reaction_type=reaction.reaction_type,
        at=at,
    )


def slot_of(user_id: int) -> int:
    """The slot that a user's reactions are counted in. The lowest 16 bits of an id hardly vary: they are left out."""
    return (user_id >> 16) % SLOTS


def _change_counts(target: Target, user_id: int, *, added: str | None, removed: str | None) -> None:
    changes = {name: 1 if name == added else -1 for name in (added, removed) if name}
    # Always in one order, so that two people of one slot cannot wait for each other.
    for reaction_type in sorted(changes):
        key = {
            "target_type": target.type,
            "target_id": target.id,
            "reaction_type": reaction_type,
            "slot": slot_of(user_id),
        }
        if not _add(key, changes[reaction_type]):
            _make_sure_of(key)
            _add(key, changes[reaction_type])


def _add(key: dict[str, object], change: int) -> int:
    return ReactionCount.objects.filter(**key).update(count=F("count") + change, updated_at=timezone.now())


def _make_sure_of(key: dict[str, object]) -> None:
    """Inserts a count of 0 unless there is one. An upsert locks for writing; ignoring a clash would deadlock."""
    names_its_key = connections["reactions"].features.supports_update_conflicts_with_target
    ReactionCount.objects.bulk_create(
        [ReactionCount(**key, count=0)],
        update_conflicts=True,
        update_fields=["slot"],
        unique_fields=list(key) if names_its_key else None,
    )


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


def forget_subject(*, kind: str, subject_id: int, erasure_id: int | None = None) -> None:
    """Marks a post, comment or user gone for good and removes the first of their reactions; `continue_removal` goes on.

    Idempotent: asked again, it makes sure again (and acknowledges an erasure again).
    """
    with atomic("reactions"):
        GoneSubject.objects.select_for_update().get_or_create(
            subject_id=subject_id, defaults={"kind": kind, "erasure_id": erasure_id}
        )
        _remove_chunk(subject_id, erasure_id)


def continue_removal(*, subject_id: int) -> bool:
    """Removes the next reactions of or to a gone subject; whether nothing is left."""
    return again_after_deadlock(lambda: _continue_removal(subject_id))


def _continue_removal(subject_id: int) -> bool:
    with atomic("reactions"):
        return _remove_chunk(subject_id, None)


def _remove_chunk(subject_id: int, erasure_id: int | None) -> bool:
    subject = GoneSubject.objects.select_for_update().get(subject_id=subject_id)
    if subject.kind == GoneSubject.Kind.USER:
        left = _erase_of_user(subject_id)
    else:
        left = _erase_to_target(subject.kind, subject_id)
    if left:
        return False
    subject.done = True
    subject.save(update_fields=["done"])
    acknowledged = erasure_id or subject.erasure_id
    if acknowledged is not None:
        publish(ReactionsErased(user_id=subject_id, erasure_id=acknowledged))
    return True


def _erase_to_target(target_type: str, target_id: int) -> bool:
    """Removes a chunk of the reactions to a gone target, silently: the deletion of the target says it all."""
    rows = reactions_to(target_type, target_id).select_for_update().order_by("id")
    ids = list(rows.values_list("id", flat=True)[:CHUNK])
    Reaction.objects.filter(id__in=ids).delete()
    ReactionCount.objects.filter(target_type=target_type, target_id=target_id).delete()
    return len(ids) == CHUNK


def _erase_of_user(user_id: int) -> bool:
    """Removes a chunk of a user's reactions, with the counts corrected and an event for each."""
    reactions = list(Reaction.objects.select_for_update().filter(user_id=user_id).order_by("id")[:CHUNK])
    Reaction.objects.filter(id__in=[reaction.id for reaction in reactions]).delete()
    _subtract(reactions, slot_of(user_id))
    now = timezone.now()
    publish(*(_removed(reaction, at=now) for reaction in reactions))
    return len(reactions) == CHUNK


def _subtract(reactions: Iterable[Reaction], slot: int) -> None:
    targets: dict[tuple[str, str], list[int]] = defaultdict(list)
    for reaction in reactions:
        targets[(reaction.target_type, reaction.reaction_type)].append(reaction.target_id)
    for (target_type, reaction_type), ids in sorted(targets.items()):
        ReactionCount.objects.filter(
            target_type=target_type, target_id__in=ids, reaction_type=reaction_type, slot=slot
        ).update(count=F("count") - 1, updated_at=timezone.now())
