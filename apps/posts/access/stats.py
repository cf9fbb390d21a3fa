"""What other contexts count about posts, and how the viewer reacted to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from socialapp.contracts.comments import Comments
from socialapp.contracts.reactions import Reactions, ReactionSummary
from socialapp.core.errors import Unavailable
from socialapp.rpc.calls import client

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PostStats:
    """What other contexts hold about posts, by post id."""

    comments: Mapping[int, int] = field(default_factory=dict)
    reactions: Mapping[int, ReactionSummary] = field(default_factory=dict)


def load_stats(*, viewer_id: int | None, post_ids: Sequence[int]) -> PostStats:
    """A call each to comments and reactions."""
    if not post_ids:
        return PostStats()
    ids = list(post_ids)
    return PostStats(comments=_comment_counts(ids), reactions=_reactions(viewer_id=viewer_id, post_ids=ids))


def _comment_counts(post_ids: list[int]) -> dict[int, int]:
    """Zeros while comments does not answer: a page without counts is better than none."""
    try:
        return {found.post_id: found.count for found in client(Comments).counts(post_ids=post_ids)}
    except Unavailable as error:
        log.warning("posts.counts_missing", error=str(error))
        return {}


def _reactions(*, viewer_id: int | None, post_ids: list[int]) -> dict[int, ReactionSummary]:
    """Zeros while reactions does not answer."""
    try:
        found = client(Reactions).summaries(viewer_id=viewer_id, target_type="post", target_ids=post_ids)
    except Unavailable as error:
        log.warning("posts.reactions_missing", error=str(error))
        return {}
    return {summary.target_id: summary for summary in found}
