"""What other contexts count about posts, and how the viewer reacted to them: fragments, as every list shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import structlog

from socialapp.contracts.comments import COMMENT_COUNTS, Comments
from socialapp.contracts.reactions import OWN_REACTIONS, POST_REACTIONS, Reactions
from socialapp.core import fragments
from socialapp.core.cache import Command
from socialapp.core.errors import Unavailable
from socialapp.core.fragments import Wanted
from socialapp.rpc.calls import client

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PostStats:
    """What other contexts hold about posts, by post id; reactions by type, without zeros."""

    comments: Mapping[int, int] = field(default_factory=dict)
    reactions: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    my_reactions: Mapping[int, str | None] = field(default_factory=dict)


def load_stats(*, viewer_id: int | None, post_ids: Sequence[int], along: Sequence[Command] = ()) -> PostStats:
    """At most two calls to reactions and one to comments; zeros for what does not answer at the moment.

    `along`: commands to Redis that are sent with it.
    """
    if not post_ids:
        return PostStats()
    comments, reactions, own = fragments.read(
        Wanted(COMMENT_COUNTS, post_ids, _comment_counts, 0),
        Wanted(POST_REACTIONS, post_ids, _reaction_counts, {}),
        Wanted(OWN_REACTIONS, [] if viewer_id is None else [viewer_id], _own_reactions, [0, {}]),
        along=along,
    )
    if viewer_id is None:
        return PostStats(comments, reactions)
    floor, types = own[viewer_id]
    return PostStats(comments, reactions, _mine(viewer_id, post_ids, floor, types))


def _comment_counts(post_ids: list[int]) -> dict[int, int]:
    return {found.post_id: found.count for found in client(Comments).counts(post_ids=post_ids)}


def _reaction_counts(post_ids: list[int]) -> dict[int, dict[str, int]]:
    found = client(Reactions).summaries(viewer_id=None, target_type="post", target_ids=post_ids)
    return {one.target_id: {name: count for name, count in asdict(one.counts).items() if count} for one in found}


def _own_reactions(user_ids: list[int]) -> dict[int, list[object]]:
    found = {user_id: client(Reactions).own(user_id=user_id) for user_id in user_ids}
    return {
        user_id: [own.floor, {str(post_id): name for post_id, name in own.types.items()}]
        for user_id, own in found.items()
    }


def _mine(viewer_id: int, post_ids: Sequence[int], floor: int, types: Mapping[str, str]) -> dict[int, str | None]:
    """How the viewer reacted to each post; one more call for posts that are too old for what is held."""
    mine = {post_id: types.get(str(post_id)) for post_id in post_ids if post_id > floor}
    older = [post_id for post_id in post_ids if post_id <= floor]
    return mine | _mine_of_older(viewer_id, older) if older else mine


def _mine_of_older(viewer_id: int, post_ids: list[int]) -> dict[int, str | None]:
    try:
        found = client(Reactions).summaries(viewer_id=viewer_id, target_type="post", target_ids=post_ids)
    except Unavailable as error:
        log.warning("posts.reactions_missing", error=str(error))
        return {}
    return {summary.target_id: summary.mine for summary in found}
