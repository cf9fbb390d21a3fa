"""The contract of reactions. A target is a post or a comment."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service

POST_REACTIONS = "post_reactions"  # fragment by post: `ReactionCounts` without zeros
OWN_REACTIONS = "own_reactions"  # fragment by person: [floor, {post: type}] as `OwnReactions`


@event("reactions.reaction_set", subject="target_id")
class ReactionSet:
    """`user_id` reacts to the target with `reaction_type`, instead of `previous` if there was one.

    `post_id` is the post itself or the one that the comment stands under.
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
    """A person's reactions to posts: all to posts with ids over `floor`."""

    floor: int
    types: dict[int, str]


@data
class PostReactions:
    """What is shown of reactions beside posts: counts, of posts that have any, and one person's own, if asked for."""

    posts: list[ReactionSummary]
    own: OwnReactions | None


@service("reactions")
class Reactions(Protocol):
    """Served by reactions."""

    @read
    def summaries(self, *, viewer_id: int | None, target_type: str, target_ids: list[int]) -> list[ReactionSummary]:
        """Exact counts for targets of one type ("post" or "comment"); one without reactions may be left out."""
        ...

    @read
    def own(self, *, user_id: int) -> OwnReactions:
        """The `own` of `to_posts`, for processes of a release that has not got that one."""
        ...

    @read
    def to_posts(self, *, post_ids: list[int], user_id: int | None) -> PostReactions:
        """Exact counts for posts (without `mine`), and a person's reactions to the newest posts they reacted to."""
        ...
