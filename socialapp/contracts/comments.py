"""The contract of comments."""

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service

COMMENT_COUNTS = "comment_counts"  # fragment by post, like `Comments.counts`


def text_of_comment(content: str, *, descriptions: Iterable[str]) -> str:
    """All that the author of a comment wrote: its content and the description of its image."""
    return "\n".join(filter(None, (content, *descriptions)))


@event("comments.comment_created", subject="comment_id", partition="post_id")
class CommentCreated:
    """A comment was written on a post, or as a reply to another comment.

    `is_held`: a word rule hides it, from the start, until a moderator has reviewed it.
    """

    comment_id: int
    post_id: int
    post_author_id: int
    author_id: int
    parent_comment_id: int | None
    parent_author_id: int | None
    mention_ids: list[int]
    created_at: datetime
    is_held: bool = False


@event("comments.comment_edited", subject="comment_id", partition="post_id")
class CommentEdited:
    """A comment's text was changed, at `at`. `parent_author_id`: the author of the parent comment.

    `new_mention_ids` are people whom it mentions and did not mention before, `removed_mention_ids` the opposite.
    `is_held`: a word rule hides it, from this edit on, until a moderator has reviewed it.
    """

    comment_id: int
    post_id: int
    author_id: int
    version: int
    new_mention_ids: list[int] = field(default_factory=list)
    is_held: bool = False
    removed_mention_ids: list[int] = field(default_factory=list)
    parent_author_id: int | None = None
    at: datetime | None = None


@event("comments.comment_deleted", subject="comment_id", partition="post_id")
class CommentDeleted:
    """A comment was deleted (leaving a tombstone if it had replies). `was_withdrawn`: it was not counted before."""

    comment_id: int
    post_id: int
    author_id: int
    was_withdrawn: bool = False


@event("comments.comment_withdrawn", subject="comment_id", partition="post_id")
class CommentRemoved:
    """A moderator removed a comment, leaving a tombstone. It may be restored, with its reactions."""

    comment_id: int
    post_id: int
    author_id: int


@event("comments.comment_restored", subject="comment_id", partition="post_id")
class CommentRestored:
    """A removed or hidden comment was restored, at `at`. `parent_author_id`: the author of the parent comment.

    `was_waiting`: it awaited review, and nobody was notified of it before.
    """

    comment_id: int
    post_id: int
    author_id: int
    was_waiting: bool = False
    parent_author_id: int | None = None
    at: datetime | None = None


@data
class CommentCount:
    """How many comments a post has, replies included, without deleted ones."""

    post_id: int
    count: int


@data
class CommentRef:
    """A comment that exists and is not a tombstone."""

    id: int
    post_id: int
    author_id: int
    created_at: datetime


@data
class CommentDocument:
    """A comment for moderation. `mentions`: whom names in it meant when it was written, by lower-case name.
    `written_at`: when it got its present text."""

    id: int
    post_id: int
    author_id: int
    content: str
    created_at: datetime
    is_waiting: bool = False  # hidden until a moderator has reviewed it
    has_media: bool = False
    mentions: dict[str, int] = field(default_factory=dict)
    written_at: datetime | None = None


@data
class ThreadLine:
    """A comment in its thread, for moderators. `author_id` is None for a tombstone, `depth` 0 for a top-level one."""

    id: int
    author_id: int | None
    content: str
    depth: int
    created_at: datetime


@service("comments")
class Comments(Protocol):
    """Served by comments."""

    @read
    def counts(self, *, post_ids: list[int]) -> list[CommentCount]:
        """Exact counts; posts without comments may be omitted."""
        ...

    @read
    def visible(self, *, viewer_id: int | None, comment_ids: list[int]) -> list[CommentRef]:
        """Those of the comments that `viewer_id` may see: both their post and their author are visible."""
        ...

    @read
    def documents(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """The present documents of those of the comments that exist."""
        ...

    @read
    def removed(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """Those of the comments that a moderator removed and may restore. For moderators only."""
        ...

    @read
    def around(self, *, post_id: int, comment_id: int | None = None) -> list[ThreadLine]:
        """The thread around a comment: its parents, neighbors and replies; for a post, the first comments.

        In thread order, at most some 20 lines, including the comment itself. For moderators only.
        """
        ...
