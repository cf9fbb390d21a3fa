"""Writes, edits and deletes single comments.

Locks go from a comment up to its ancestors, never down, so threads cannot deadlock.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from django.db.models import F, Q
from django.utils import timezone

from apps.comments.access import MAX_DEPTH, Draft, EditDraft, draft_edit, no_such_parent
from apps.comments.actions.counts import change_count
from apps.comments.actions.threads import make_tombstone
from apps.comments.actions.withholding import hold
from apps.comments.models import Comment, CommentMention, RemovedComment
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentEdited
from socialapp.contracts.posts import Posts
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound, Problem, require_version
from socialapp.lifecycle.removal import refuse_if_deleted
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client

CHANGED = "this comment has been edited since you read it"
_TRIES = 5


@transactional("comments")
def create_comment(*, draft: Draft) -> Comment:
    """Writes a comment. Runs within the caller's transaction, if there is one.

    NotFound if the post or the author was deleted meanwhile; Invalid if the parent was, or if the thread would get
    deeper than MAX_DEPTH.
    """
    parent = _lock_parent(draft)
    now = timezone.now()
    comment = Comment.objects.create(
        id=draft.comment_id,
        post_id=draft.post.id,
        user_id=draft.author.id,
        parent_comment=parent,
        content=draft.content,
        created_at=now,
        updated_at=now,
        depth=parent.depth + 1 if parent else 0,
        has_media=draft.media is not None,
    )
    refuse_if_deleted("comments", draft.post.id, draft.author.id)
    add_mentions({comment.id: draft.mentions})
    if parent:
        Comment.objects.filter(id=parent.id).update(replies_count=F("replies_count") + 1)
    change_count(comment, by=1)
    publish(
        CommentCreated(
            comment_id=comment.id,
            post_id=draft.post.id,
            post_author_id=draft.post.author_id,
            author_id=draft.author.id,
            parent_comment_id=parent.id if parent else None,
            parent_author_id=parent.user_id if parent else None,
            mention_ids=list(draft.mentions.values()),
            created_at=now,
            is_held=draft.is_held,
        )
    )
    return hold(comment) if draft.is_held else comment


@contextmanager
def with_media(*, draft: Draft, media_ids: Sequence[int]) -> Iterator[Draft]:
    """The draft with its image. The block writes the comment; if it fails, the image is released.

    Invalid if the author may not use the image. Calls posts, so not for use inside a transaction.
    """
    for media_id in media_ids:
        media = client(Posts).use_in_comment(
            user_id=draft.author.id,
            post_id=draft.post.id,
            comment_id=draft.comment_id,
            media_id=media_id,
            is_held=draft.is_held,
        )
        draft = replace(draft, media=media)
    try:
        yield draft
    except Problem:
        if draft.media is not None:
            client(Posts).release_from_comment(comment_id=draft.comment_id)
        raise


def _lock_parent(draft: Draft) -> Comment | None:
    if draft.parent is None:
        return None
    parent = Comment.objects.select_for_update().filter(id=draft.parent.id, deleted_at=None).first()
    if parent is None:
        raise no_such_parent()
    if parent.depth >= MAX_DEPTH:
        raise Invalid.of("parent_comment_id", "too_deep", f"Threads are at most {MAX_DEPTH} replies deep.")
    return parent


def edit_comment(*, author_id: int, comment_id: int, content: str, expected_versions: Container[int] | None) -> Comment:
    """Changes the text of a comment. An identical text changes nothing.

    Errors as for `own_comment`; Stale unless its version is one of `expected_versions`. Retries after a concurrent
    edit; Conflict if that does not succeed.
    """
    for _ in range(_TRIES):
        draft = draft_edit(author_id=author_id, comment_id=comment_id, content=content)
        edited = _write_edit(draft=draft, expected_versions=expected_versions)
        if edited is not None:
            return edited
    raise Conflict("the comment is being changed elsewhere; try again", code="comment_contended")


@transactional("comments")
def _write_edit(*, draft: EditDraft, expected_versions: Container[int] | None) -> Comment | None:
    """Gives a comment the draft's text. None if its text is no longer the one that the draft was made from."""
    comment = _lock_existing(draft.comment_id, expected_versions)
    if comment.content == draft.content:
        return comment
    if comment.content != draft.before:
        return None
    parent = Comment.objects.filter(id=comment.parent_comment_id).first() if draft.removed_mention_ids else None
    comment.content = draft.content
    comment.version += 1
    comment.edited = True
    comment.updated_at = timezone.now()
    comment.save(update_fields=["content", "version", "edited", "updated_at"])
    CommentMention.objects.filter(comment_id=comment.id).exclude(username__in=draft.kept_names).delete()
    add_mentions({comment.id: draft.new_mentions})
    publish(
        CommentEdited(
            comment_id=comment.id,
            post_id=comment.post_id,
            author_id=author_of(comment),
            version=comment.version,
            new_mention_ids=draft.new_mention_ids,
            is_held=draft.is_held,
            removed_mention_ids=draft.removed_mention_ids,
            parent_author_id=parent.user_id if parent is not None else None,
            at=comment.updated_at,
        )
    )
    return hold(comment) if draft.is_held else comment


def _lock_existing(comment_id: int, expected_versions: Container[int] | None) -> Comment:
    comment = Comment.objects.select_for_update().filter(id=comment_id, deleted_at=None).first()
    if comment is None:
        raise NotFound("there is no such comment, or you may not see it")
    require_version(comment.version, expected=expected_versions, detail=CHANGED)
    return comment


def author_of(comment: Comment) -> int:
    """The author of a comment that is not a tombstone."""
    if comment.user_id is None:
        raise ValueError(f"comment {comment.id} has no author, although it is not a tombstone")
    return comment.user_id


@transactional("comments")
def delete_comment(*, comment_id: int, expected_versions: Container[int] | None = None) -> None:
    """Deletes a comment; one with replies becomes a tombstone. NotFound if it is already gone, Stale as for edits."""
    delete_existing(_lock_existing(comment_id, expected_versions))


def delete_existing(comment: Comment) -> None:
    """Deletes a locked comment that is not a tombstone, and any tombstones above it that have no other replies."""
    deleted = CommentDeleted(comment_id=comment.id, post_id=comment.post_id, author_id=author_of(comment))
    change_count(comment, by=-1)
    comment.score = 0
    forget_mentions([comment.id])
    make_tombstone(comment)
    publish(deleted)


def add_mentions(mentions: Mapping[int, Mapping[str, int]]) -> None:
    """Records whom the names in comments mean, by comment and name; the caller holds the transaction."""
    rows = [
        CommentMention(comment_id=comment_id, username=username, user_id=user_id)
        for comment_id, people in mentions.items()
        for username, user_id in people.items()
    ]
    CommentMention.objects.bulk_create(rows)


def forget_mentions(comment_ids: Collection[int]) -> None:
    """Deletes the mentions of comments that are deleted permanently; the caller holds the transaction."""
    CommentMention.objects.filter(comment_id__in=comment_ids).delete()


@transactional("comments")
def add_to_scores(additions: Mapping[int, int]) -> None:
    """Adds to the scores of comments (numbers of reactions), by which `top` sorts. Commutative in the order of events.

    One statement for all comments with the same addition.
    """
    by_addition: dict[int, list[int]] = defaultdict(list)
    for comment_id, addition in sorted(additions.items()):
        by_addition[addition].append(comment_id)
    for addition, ids in sorted(by_addition.items()):
        removed = RemovedComment.objects.filter(comment_id__in=ids).values("comment_id")
        counting = Comment.objects.filter(Q(deleted_at=None) | Q(id__in=removed), id__in=ids)
        counting.update(score=F("score") + addition)
