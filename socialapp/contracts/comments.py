"""The contract of comments."""

from dataclasses import field
from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service

COMMENT_COUNTS = "comment_counts"  # fragment by post: as `Comments.counts`


@event("comments.comment_created", subject="comment_id", partition="post_id")
class CommentCreated:
    """A comment was written on a post, or as a reply to another comment.

    `is_held`: a rule hides it, from the start, until a moderator has looked at it.
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
    """A comment's text was changed, `at` this time. `parent_author_id`: who wrote what it answers.

    `new_mention_ids` are people whom it mentions and did not mention before, `removed_mention_ids` the other way round.
    `is_held`: a rule hides it, from this edit on, until a moderator has looked at it.
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
    """A comment is gone (a tombstone, where it had replies). `was_withdrawn`: it was in no count before."""

    comment_id: int
    post_id: int
    author_id: int
    was_withdrawn: bool = False


@event("comments.comment_withdrawn", subject="comment_id", partition="post_id")
class CommentRemoved:
    """A moderator removed a comment: only a tombstone is seen of it. It may come back, with the reactions to it."""

    comment_id: int
    post_id: int
    author_id: int


@event("comments.comment_restored", subject="comment_id", partition="post_id")
class CommentRestored:
    """A removed or hidden comment is back, `at` this time. `parent_author_id`: who wrote what it answers.

    `was_waiting`: for a moderator; until then it concerned nobody.
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
    """A comment that exists and is no tombstone."""

    id: int
    post_id: int
    author_id: int
    created_at: datetime


@data
class CommentDocument:
    """A comment for moderation."""

    id: int
    post_id: int
    author_id: int
    content: str
    created_at: datetime
    is_waiting: bool = False  # hidden until a moderator has looked at it


@data
class ThreadLine:
    """A comment beside others, for moderators. `author_id` is None for a tombstone, `depth` 0 for a top-level one."""

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
        """Exact counts; a post without comments may be left out."""
        ...

    @read
    def visible(self, *, viewer_id: int | None, comment_ids: list[int]) -> list[CommentRef]:
        """Those of the comments that `viewer_id` may see: their post is visible, and their author to the viewer."""
        ...

    @read
    def documents(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """The present form of those of the comments that exist."""
        ...

    @read
    def removed(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """Those of the comments that a moderator removed and that may come back. For moderators' eyes only."""
        ...

    @read
    def around(self, *, post_id: int, comment_id: int | None = None) -> list[ThreadLine]:
        """The thread around a comment: what it answers, its neighbours and answers; of a post, the first comments.

        In the order of the thread, at most some 20 lines, the comment itself among them. For moderators' eyes only.
        """
        ...
