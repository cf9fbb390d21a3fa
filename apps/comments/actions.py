"""Writes comments: the row, the counts above it and the event in one transaction, so the counts are exact at once.

Rows are locked from a comment upwards to its ancestors and never downwards, so threads cannot deadlock.
"""

from collections.abc import Sequence

from django.db import connections
from django.db.models import F
from django.utils import timezone

from apps.comments import queries
from apps.comments.models import SLOTS, Comment, CommentCount, GoneSubject
from apps.comments.queries import MAX_DEPTH, Draft, Fault, no_such_parent
from socialapp.bus.publish import publish
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentEdited, CommentsErased
from socialapp.db import again_after_deadlock, atomic
from socialapp.errors import Invalid, NotFound, Stale

CHUNK = 100


def create_comment(*, draft: Draft) -> Comment:
    """Writes a comment. Runs within the caller's transaction, if there is one.

    NotFound when the post or the author went away meanwhile; Invalid when the parent did, or when the thread would
    get deeper than MAX_DEPTH.
    """
    with atomic("comments"):
        parent = _lock_parent(draft)
        now = timezone.now()
        comment = Comment.objects.create(
            post_id=draft.post.id,
            user_id=draft.author.id,
            parent_comment=parent,
            content=draft.content,
            created_at=now,
            updated_at=now,
            depth=parent.depth + 1 if parent else 0,
        )
        _refuse_if_gone(draft.post.id, draft.author.id)
        if parent:
            Comment.objects.filter(id=parent.id).update(replies_count=F("replies_count") + 1)
        _change_count(draft.post.id, comment.id, by=1)
        publish(
            CommentCreated(
                comment_id=comment.id,
                post_id=draft.post.id,
                post_author_id=draft.post.author_id,
                author_id=draft.author.id,
                parent_comment_id=parent.id if parent else None,
                parent_author_id=parent.user_id if parent else None,
                mention_ids=draft.mention_ids,
                created_at=now,
            )
        )
        return comment


def _lock_parent(draft: Draft) -> Comment | None:
    if draft.parent is None:
        return None
    parent = Comment.objects.select_for_update().filter(id=draft.parent.id, deleted_at=None).first()
    if parent is None:
        raise no_such_parent()
    if parent.depth >= MAX_DEPTH:
        raise Invalid.of("parent_comment_id", "too_deep", f"Threads are at most {MAX_DEPTH} replies deep.")
    return parent


def _refuse_if_gone(*subject_ids: int) -> None:
    """NotFound when one of the subjects is gone.

    A locking read *after* the comment was written: whoever marks the subject gone first writes the mark and then
    reads the comments with locks. So one of the two waits for the other, and no comment slips through between them.
    """
    if list(GoneSubject.objects.select_for_update().filter(subject_id__in=subject_ids).values_list("subject_id")):
        raise NotFound("there is nothing here that you may comment on")


def slot_of(comment_id: int) -> int:
    """The slot that a comment is counted in. The lowest 16 bits of an id hardly vary, so they are left out."""
    return (comment_id >> 16) % SLOTS


def _change_count(post_id: int, comment_id: int, *, by: int) -> None:
    rows = CommentCount.objects.filter(post_id=post_id, slot=slot_of(comment_id))
    change = {"count": F("count") + by, "updated_at": timezone.now()}
    if not rows.update(**change):
        _make_sure_of_count(post_id, slot_of(comment_id))
        rows.update(**change)


def _make_sure_of_count(post_id: int, slot: int) -> None:
    """Inserts a count of 0 unless there is one. An upsert locks for writing; ignoring a clash would deadlock."""
    names_its_key = connections["comments"].features.supports_update_conflicts_with_target
    CommentCount.objects.bulk_create(
        [CommentCount(post_id=post_id, slot=slot, count=0)],
        update_conflicts=True,
        update_fields=["slot"],
        unique_fields=["post_id", "slot"] if names_its_key else None,
    )


def edit_comment(*, comment_id: int, content: str, expected_version: int | None) -> Comment:
    """Changes the text of a comment. The same text again changes nothing. Stale when the version is another one."""
    return again_after_deadlock(lambda: _edit_comment(comment_id, content, expected_version))


def _edit_comment(comment_id: int, content: str, expected_version: int | None) -> Comment:
    with atomic("comments"):
        comment = _lock_living(comment_id, expected_version)
        if comment.content == content:
            return comment
        comment.content = content
        comment.version += 1
        comment.edited = True
        comment.updated_at = timezone.now()
        comment.save(update_fields=["content", "version", "edited", "updated_at"])
        publish(
            CommentEdited(
                comment_id=comment.id, post_id=comment.post_id, author_id=_author(comment), version=comment.version
            )
        )
        return comment


def _lock_living(comment_id: int, expected_version: int | None) -> Comment:
    comment = Comment.objects.select_for_update().filter(id=comment_id, deleted_at=None).first()
    if comment is None:
        raise NotFound("there is no such comment that you may see")
    if expected_version is not None and comment.version != expected_version:
        raise Stale("this comment has been edited since you read it")
    return comment


def _author(comment: Comment) -> int:
    if comment.user_id is None:
        raise ValueError(f"comment {comment.id} has no author: only a tombstone may be so")
    return comment.user_id


def delete_comment(*, comment_id: int, expected_version: int | None = None) -> None:
    """Deletes a comment; one with replies becomes a tombstone. NotFound when it is gone already, Stale as for edits."""
    again_after_deadlock(lambda: _delete_comment(comment_id, expected_version))


def _delete_comment(comment_id: int, expected_version: int | None) -> None:
    with atomic("comments"):
        _delete_living(_lock_living(comment_id, expected_version))


def remove_comment(*, comment_id: int) -> None:
    """Deletes a comment because a moderator decided so; nothing happens when it is gone already."""
    with atomic("comments"):
        comment = Comment.objects.select_for_update().filter(id=comment_id, deleted_at=None).first()
        if comment is not None:
            _delete_living(comment)


def _delete_living(comment: Comment) -> None:
    """Deletes a locked, living comment, and the tombstones above that stood only for it."""
    deleted = CommentDeleted(comment_id=comment.id, post_id=comment.post_id, author_id=_author(comment))
    _change_count(comment.post_id, comment.id, by=-1)
    if comment.replies_count:
        _bury(comment)
    else:
        _remove_upwards(comment)
    publish(deleted)


def _bury(comment: Comment) -> None:
    comment.user_id = None
    comment.content = ""
    comment.score = 0
    comment.version += 1
    comment.deleted_at = comment.updated_at = timezone.now()
    comment.save(update_fields=["user_id", "content", "score", "version", "deleted_at", "updated_at"])


def _remove_upwards(comment: Comment) -> None:
    """Removes a row without replies, then its parent if that is a tombstone without further replies, and so on."""
    row: Comment | None = comment
    while row is not None:
        parent = Comment.objects.select_for_update().filter(id=row.parent_comment_id).first()
        row.delete()
        if parent is None:
            return
        parent.replies_count -= 1
        parent.save(update_fields=["replies_count"])
        row = parent if parent.is_tombstone and not parent.replies_count else None


def change_score(*, comment_id: int, by: int) -> None:
    """Adds to the number of reactions that `top` goes by. A sum comes out right in whatever order its parts arrive."""
    with atomic("comments"):
        Comment.objects.filter(id=comment_id, deleted_at=None).update(score=F("score") + by)


def check_posts(*, post_ids: Sequence[int], repair: bool) -> list[Fault]:
    """The wrong counts of these posts and of the comments on them; each is corrected if `repair`."""
    found = [recheck_post_count(post_id=post_id, repair=repair) for post_id in queries.suspect_posts(post_ids=post_ids)]
    found += [
        recheck_replies_count(comment_id=comment_id, repair=repair)
        for comment_id in queries.suspect_threads(post_ids=post_ids)
    ]
    return [fault for fault in found if fault is not None]


def recheck_post_count(*, post_id: int, repair: bool) -> Fault | None:
    """Compares the count of a post with its rows while nobody can change either; corrects it if `repair`."""
    return again_after_deadlock(lambda: _recheck_post_count(post_id, repair))


def _recheck_post_count(post_id: int, repair: bool) -> Fault | None:
    with atomic("comments"):
        # With every slot there and locked, whoever is writing a comment has either finished or not counted it yet.
        for slot in range(SLOTS):
            _make_sure_of_count(post_id, slot)
        slots = list(CommentCount.objects.select_for_update().filter(post_id=post_id).order_by("slot"))
        counted = sum(row.count for row in slots)
        actual = Comment.objects.filter(post_id=post_id, deleted_at=None).count()
        if counted == actual:
            return None
        if repair:
            slots[0].count += actual - counted
            slots[0].save(update_fields=["count", "updated_at"])
        return Fault("comments_count", post_id, counted, actual)


def recheck_replies_count(*, comment_id: int, repair: bool) -> Fault | None:
    """Compares `replies_count` with the rows under a comment while nobody can change them; repairs it if told."""
    return again_after_deadlock(lambda: _recheck_replies_count(comment_id, repair))


def _recheck_replies_count(comment_id: int, repair: bool) -> Fault | None:
    with atomic("comments"):
        comment = Comment.objects.select_for_update().filter(id=comment_id).first()
        if comment is None:
            return None
        counted = comment.replies_count
        actual = Comment.objects.filter(post_id=comment.post_id, parent_comment_id=comment_id).count()
        if counted == actual:
            return None
        if repair:
            comment.replies_count = actual
            comment.save(update_fields=["replies_count"])
        return Fault("replies_count", comment_id, counted, actual)


def forget_post(*, post_id: int) -> None:
    """Marks a post gone for good and removes the first of its comments; `continue_removal` goes on. Idempotent."""
    _forget(GoneSubject.Kind.POST, post_id, None)


def erase_user(*, user_id: int, erasure_id: int) -> None:
    """Marks a person gone for good and erases the first of their comments; `continue_removal` goes on. Idempotent.

    `CommentsErased` is published when nothing is left; asked again, it is acknowledged again.
    """
    _forget(GoneSubject.Kind.USER, user_id, erasure_id)


def _forget(kind: str, subject_id: int, erasure_id: int | None) -> None:
    with atomic("comments"):
        GoneSubject.objects.select_for_update().get_or_create(
            subject_id=subject_id, defaults={"kind": kind, "erasure_id": erasure_id}
        )
        _remove_chunk(subject_id, erasure_id)


def continue_removal(*, subject_id: int) -> bool:
    """Removes the next comments on or by a gone subject; whether nothing is left."""
    return again_after_deadlock(lambda: _continue_removal(subject_id))


def _continue_removal(subject_id: int) -> bool:
    with atomic("comments"):
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
    rows = list(Comment.objects.select_for_update().filter(post_id=post_id).order_by("id")[:CHUNK])
    Comment.objects.filter(id__in=[row.id for row in rows]).delete()
    CommentCount.objects.filter(post_id=post_id).delete()
    publish(
        *(
            CommentDeleted(comment_id=row.id, post_id=row.post_id, author_id=_author(row))
            for row in rows
            if not row.is_tombstone
        )
    )
    return len(rows) == CHUNK


def _erase_of_user(user_id: int) -> bool:
    """Deletes a chunk of a user's comments; where replies stay, so does a tombstone without a trace of its author."""
    rows = Comment.objects.select_for_update().filter(user_id=user_id).order_by("-id")
    ids = list(rows.values_list("id", flat=True)[:CHUNK])
    for comment_id in ids:
        # Read one by one: deleting a reply changes the count of the comment above, which may be the next one.
        _delete_living(Comment.objects.get(id=comment_id))
    return len(ids) == CHUNK
