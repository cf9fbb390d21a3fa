"""The contract of reactions. A target is a post or a comment."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service

POST_REACTIONS = "post_reactions"  # fragment by post: `ReactionCounts` without zeros
OWN_REACTIONS = "own_reactions"  # fragment by person: [floor, {post: type}] like `OwnReactions`


@event("reactions.reaction_set", subject="target_id")
class ReactionSet:
    """`user_id` reacts to the target with `reaction_type`, instead of `previous` if there was one.

    `post_id` is the post itself, or the post of the comment.
    """

    target_type: str
    target_id: int
    target_author_id: int
    post_id: int
    user_id: int
    reaction_type: str
    previous: str | None
    at: datetime


@event("reactions.reaction_removed", subject="target_id")
class ReactionRemoved:
    """`user_id` no longer reacts to the target."""

    target_type: str
    target_id: int
    target_author_id: int
    post_id: int
    user_id: int
    reaction_type: str
    at: datetime


@data
class ReactionCounts:
    """Reactions by type."""

    like: int = 0
    love: int = 0
    haha: int = 0
    sad: int = 0
    angry: int = 0


@data
class ReactionSummary:
    """All reactions to one target, and the viewer's own."""

    target_id: int
    counts: ReactionCounts
    mine: str | None


@data
class OwnReactions:
    """A person's reactions to posts: all to posts with ids above `floor`."""

    floor: int
    types: dict[int, str]


@data
class PostReactions:
    """Reactions shown beside posts: the counts of posts that have any, and one person's own, if requested."""

    posts: list[ReactionSummary]
    own: OwnReactions | None


@service("reactions")
class Reactions(Protocol):
    """Served by reactions."""

    @read
    def summaries(self, *, viewer_id: int | None, target_type: str, target_ids: list[int]) -> list[ReactionSummary]:
        """Exact counts for targets of one type ("post" or "comment"); targets without reactions may be omitted."""
        ...

    @read
    def own(self, *, user_id: int) -> OwnReactions:
        """The `own` of `to_posts`, for processes of a release without that."""
        ...

    @read
    def to_posts(self, *, post_ids: list[int], user_id: int | None) -> PostReactions:
        """Exact counts for posts (without `mine`), and a person's reactions to the newest posts they reacted to."""
        ...
