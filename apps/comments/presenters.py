"""Response bodies, and records of the bulk export."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from apps.comments.access import Visibility
from apps.comments.models import Comment
from socialapp.contracts.bulk import Record
from socialapp.contracts.posts import CommentMedia
from socialapp.contracts.reactions import ReactionCounts
from socialapp.contracts.users import ProfileSummary
from socialapp.http.profile_summary import profile_summary_body


def comment_bodies(*, visibility: Visibility, comments: Sequence[Comment]) -> list[dict[str, Any]]:
    """Comments; those of hidden authors are omitted, or shown as tombstones if they have replies."""
    return [comment_body(visibility=visibility, comment=comment) for comment in comments if visibility.shows(comment)]


def comment_body(*, visibility: Visibility, comment: Comment) -> dict[str, Any]:
    """One shown comment, as itself or as a tombstone."""
    author = visibility.author(comment)
    if author is None and not comment.is_tombstone:
        # Its author is not visible: show only its place in the thread.
        body = _body(comment, author=None, counts=ReactionCounts(), mine=None)
        return {**body, "content": "", "media": [], "edited": False, "updated_at": comment.created_at}
    summary = visibility.reactions.get(comment.id)
    counts, mine = (summary.counts, summary.mine) if summary else (ReactionCounts(), None)
    body = _body(comment, author=author, counts=counts, mine=mine)
    media = visibility.media.get(comment.id)
    return {**body, "media": [media]} if media and author is not None else body


def new_comment_body(comment: Comment, *, author: ProfileSummary, media: CommentMedia | None = None) -> dict[str, Any]:
    """A comment that was just written, and therefore has no reactions."""
    body = _body(comment, author=author, counts=ReactionCounts(), mine=None)
    return {**body, "media": [media.body]} if media else body


def _body(
    comment: Comment, *, author: ProfileSummary | None, counts: ReactionCounts, mine: str | None
) -> dict[str, Any]:
    parent_id = comment.parent_comment_id
    return {
        "id": str(comment.id),
        "post_id": str(comment.post_id),
        "parent_comment_id": str(parent_id) if parent_id is not None else None,
        "author": profile_summary_body(author) if author else None,
        "content": comment.content,
        "media": [],
        "depth": comment.depth,
        "withheld": comment.withheld,
        "replies_count": comment.replies_count,
        "reactions": asdict(counts),
        "my_reaction": mine,
        "edited": comment.edited,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
    }


def comment_record(comment: Comment) -> Record:
    """A `comment` record. Format: docs/records.md."""
    parent_id = comment.parent_comment_id
    return {
        "id": str(comment.id),
        "post_id": str(comment.post_id),
        "user_id": str(comment.user_id) if comment.user_id is not None else None,
        "parent_comment_id": str(parent_id) if parent_id is not None else None,
        "content": comment.content,
        "created_at": comment.created_at.isoformat(),
        "updated_at": comment.updated_at.isoformat(),
    }
