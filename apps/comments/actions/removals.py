"""Removing everything on a post or by a person that is gone, in chunks, so that nothing comes back."""

from apps.comments.actions.withdrawals import delete_withdrawn, deletion_of
from apps.comments.actions.writing import author_of, delete_living
from apps.comments.models import Comment, CommentCount, GoneSubject, WithdrawnComment
from socialapp.contracts.comments import CommentDeleted, CommentsErased
from socialapp.core.db import transactional
from socialapp.messaging.publish import publish

CHUNK = 100


def forget_post(*, post_id: int) -> None:
    """Marks a post gone for good and removes the first of its comments; `continue_removal` goes on. Idempotent."""
    _forget(GoneSubject.Kind.POST, post_id, None)


def erase_user(*, user_id: int, erasure_id: int) -> None:
    """Marks a person gone for good and erases the first of their comments; `continue_removal` goes on. Idempotent.

    `CommentsErased` is published when nothing is left; asked again, it is acknowledged again.
    """
    _forget(GoneSubject.Kind.USER, user_id, erasure_id)


@transactional("comments")
def _forget(kind: str, subject_id: int, erasure_id: int | None) -> None:
    GoneSubject.objects.select_for_update().get_or_create(
        subject_id=subject_id, defaults={"kind": kind, "erasure_id": erasure_id}
    )
    _remove_chunk(subject_id, erasure_id)


@transactional("comments")
def continue_removal(*, subject_id: int) -> bool:
    """Removes the next comments on or by a gone subject; whether nothing is left."""
    return _remove_chunk(subject_id, None)


def _remove_chunk(subject_id: int, erasure_id: int | None) -> bool:
    subject = GoneSubject.objects.select_for_update().get(subject_id=subject_id)
    is_user = subject.kind == GoneSubject.Kind.USER
    left = _erase_of_user(subject_id) if is_user else _erase_on_post(subject_id)
    if left:
        return False
    subject.done = True
    subject.save(update_fields=["done"])
    acknowledged = erasure_id or subject.erasure_id
    if acknowledged is not None:
        publish(CommentsErased(user_id=subject_id, erasure_id=acknowledged))
    return True


def _erase_on_post(post_id: int) -> bool:
    """Removes a chunk of a post's comments, tombstones included, with an event for each living one."""
    # In the order of the index: sorting first would read and lock all comments for every chunk.
    in_order = Comment.objects.select_for_update().filter(post_id=post_id).order_by("parent_comment_id", "id")
    rows = list(in_order[:CHUNK])
    ids = [row.id for row in rows]
    withdrawn = list(WithdrawnComment.objects.filter(comment_id__in=ids))
    WithdrawnComment.objects.filter(comment_id__in=ids).delete()
    Comment.objects.filter(id__in=ids).delete()
    CommentCount.objects.filter(post_id=post_id).delete()
    publish(
        *(
            CommentDeleted(comment_id=row.id, post_id=row.post_id, author_id=author_of(row))
            for row in rows
            if not row.is_tombstone
        ),
        *map(deletion_of, withdrawn),
    )
    return len(rows) == CHUNK


def _erase_of_user(user_id: int) -> bool:
    """Deletes a chunk of a user's comments; where replies stay, so does a tombstone without a trace of its author."""
    rows = Comment.objects.select_for_update().filter(user_id=user_id).order_by("-id")
    ids = list(rows.values_list("id", flat=True)[:CHUNK])
    for comment_id in ids:
        # Read one by one: deleting a reply changes the count of the comment above, which may be the next one.
        delete_living(Comment.objects.get(id=comment_id))
    withdrawn = WithdrawnComment.objects.filter(user_id=user_id).order_by("-comment_id")
    withdrawn_ids = list(withdrawn.values_list("comment_id", flat=True)[:CHUNK])
    delete_withdrawn(withdrawn_ids)
    return CHUNK in (len(ids), len(withdrawn_ids))
