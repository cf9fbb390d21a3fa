"""Counts by other contexts, and the viewer's own reactions, for posts; cached as fragments in Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog

from socialapp.contracts.comments import COMMENT_COUNTS, Comments
from socialapp.contracts.reactions import OWN_REACTIONS, POST_REACTIONS, Reactions
from socialapp.core import fragments
from socialapp.core.cache import Command
from socialapp.core.errors import Unavailable
from socialapp.core.fragments import NOTHING_HELD, Held, Source, Wanted
from socialapp.rpc.calls import client

log = structlog.get_logger()

_OF_POSTS = (COMMENT_COUNTS, POST_REACTIONS)


@dataclass(frozen=True, slots=True)
class PostStats:
    """Counts of posts by other contexts, by post id; reactions by type, without zeros."""

    comments: Mapping[int, int] = field(default_factory=dict)
    reactions: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    my_reactions: Mapping[int, str | None] = field(default_factory=dict)


def stats_command(*, viewer_id: int | None, post_id: int) -> Command:
    """The Redis command that prefetches the stats of a post; its answer is for `held_stats`."""
    return fragments.held_command(_keys(viewer_id, post_id))


def held_stats(answer: Sequence[bytes | None], *, viewer_id: int | None, post_id: int) -> Held:
    """The cached stats in Redis' answer to `stats_command`, for `load_stats`."""
    return fragments.held_of(_keys(viewer_id, post_id), answer=answer)


def list_stats_command(list_key: str, *, entries: int, viewer_id: int) -> Command:
    """The Redis command that prefetches the stats of a list's first posts; its answer is for `held_list_stats`."""
    return fragments.held_of_list_command(
        list_key, entries=entries, fragments=_OF_POSTS, keys=fragments.keys_of(OWN_REACTIONS, ids=[viewer_id])
    )


def held_list_stats(answer: tuple[bytes, list[bytes | None]], *, viewer_id: int) -> Held:
    """The cached stats in Redis' answer to `list_stats_command`, for `load_stats`."""
    own = fragments.keys_of(OWN_REACTIONS, ids=[viewer_id])
    return fragments.held_of_list(answer, fragments=_OF_POSTS, keys=own)


def load_stats(*, viewer_id: int | None, post_ids: Sequence[int], held: Held = NOTHING_HELD) -> PostStats:
    """The stats, with at most two calls to reactions and one to comments, none if cached; zeros for unavailable
    contexts.

    `held`: cached stats that were prefetched by one of the commands above.
    """
    if not post_ids:
        return PostStats()
    comments, reactions, own = fragments.read(
        Source([Wanted(COMMENT_COUNTS, post_ids, 0)], _comments),
        Source(
            [
                Wanted(POST_REACTIONS, post_ids, {}),
                Wanted(OWN_REACTIONS, [] if viewer_id is None else [viewer_id], [0, {}]),
            ],
            _reactions,
        ),
        held=held,
    )
    if viewer_id is None:
        return PostStats(comments, reactions)
    floor, types = own[viewer_id]
    return PostStats(comments, reactions, _mine(viewer_id, post_ids, floor, types))


def _keys(viewer_id: int | None, post_id: int) -> list[str]:
    own = [] if viewer_id is None else fragments.keys_of(OWN_REACTIONS, ids=[viewer_id])
    return [*(key for fragment in _OF_POSTS for key in fragments.keys_of(fragment, ids=[post_id])), *own]


def _comments(post_ids: list[int]) -> list[dict[int, int]]:
    return [{found.post_id: found.count for found in client(Comments).counts(post_ids=post_ids)}]


def _reactions(post_ids: list[int], user_ids: list[int]) -> list[dict[int, Any]]:
    """Reaction counts of the posts, and the person's own reactions, if one is given."""
    user_id = user_ids[0] if user_ids else None
    found = client(Reactions).to_posts(post_ids=post_ids, user_id=user_id)
    counts = {
        one.target_id: {name: count for name, count in asdict(one.counts).items() if count} for one in found.posts
    }
    if user_id is None or found.own is None:
        return [counts, {}]
    types = {str(post_id): name for post_id, name in found.own.types.items()}
    return [counts, {user_id: [found.own.floor, types]}]


def _mine(viewer_id: int, post_ids: Sequence[int], floor: int, types: Mapping[str, str]) -> dict[int, str | None]:
    """The viewer's reaction to each post; one more call for posts older than the cache covers."""
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
