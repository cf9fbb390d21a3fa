"""Removing all reactions of or to what is gone, in chunks, so that nothing comes back."""

from django.utils import timezone

from apps.reactions.actions.counts import slot_of, subtract_counts
from apps.reactions.actions.reacting import removal_of
from apps.reactions.models import GoneSubject, Reaction, ReactionCount
from apps.reactions.queries import reactions_to
from socialapp.contracts.reactions import ReactionsErased
from socialapp.core.db import transactional
from socialapp.messaging.publish import publish

CHUNK = 500


@transactional("reactions")
def forget_subject(*, kind: str, subject_id: int, erasure_id: int | None = None) -> None:
    """Marks a post, comment or user gone for good and removes the first of their reactions; `continue_removal` goes on.

    Idempotent: asked again, it makes sure again (and acknowledges an erasure again).
    """
    GoneSubject.objects.select_for_update().get_or_create(
        subject_id=subject_id, defaults={"kind": kind, "erasure_id": erasure_id}
    )
    _remove_chunk(subject_id, erasure_id)


@transactional("reactions")
def continue_removal(*, subject_id: int) -> bool:
    """Removes the next reactions of or to a gone subject; whether nothing is left."""
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
    # In the order of an index: sorting first would read and lock all reactions for every chunk.
    reactions = list(Reaction.objects.select_for_update().filter(user_id=user_id).order_by("post_id")[:CHUNK])
    Reaction.objects.filter(id__in=[reaction.id for reaction in reactions]).delete()
    subtract_counts(reactions, slot=slot_of(user_id))
    now = timezone.now()
    publish(*(removal_of(reaction, at=now) for reaction in reactions))
    return len(reactions) == CHUNK
