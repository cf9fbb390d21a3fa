"""Suggestions of people to follow."""

from collections.abc import Mapping

import structlog

from apps.users import queries
from apps.users.access.visibility import Viewer, VisibleProfile, visible_profiles
from apps.users.queries import RelationshipFlags
from socialapp.contracts.metrics import Metrics
from socialapp.contracts.posts import Posts
from socialapp.core.errors import Unavailable
from socialapp.core.pages import Page, PageRequest, keep_place, page_of
from socialapp.rpc.calls import client

log = structlog.get_logger()

_MAX_SUGGESTIONS = 500
_MAX_TRENDING_POSTS = 100
_SUGGESTED_DESPITE = (RelationshipFlags.NONE, RelationshipFlags.FOLLOWED_BY)


def suggestions_page(*, viewer_id: int, page: PageRequest) -> tuple[Page[tuple[int, int]], list[VisibleProfile]]:
    """People followed by those that the viewer follows: by how many of them, then newest account first.

    If there are none, as for newcomers, the authors of trending posts instead, at the cost of two calls. At most 500,
    without people whom the viewer follows, blocks or mutes, who block the viewer, or who opted out. An item, and a
    position, is (score, id): the score is how many of the viewer's followings follow them, or how many authors trend
    less.
    """
    scores: Mapping[int, int] = queries.second_degree_followings(viewer_id) or _trending_authors(viewer_id)
    ranked = sorted(((score, user_id) for user_id, score in scores.items() if user_id != viewer_id), reverse=True)
    ranked = ranked[:_MAX_SUGGESTIONS]
    flags = queries.relationship_flags(viewer_id=viewer_id, ids=[user_id for _, user_id in ranked])
    unrelated = [user_id for _, user_id in ranked if flags.get(user_id, 0) in _SUGGESTED_DESPITE]
    suggestible = queries.suggestible_ids(unrelated)
    fitting = [item for item in ranked if item[1] in suggestible]
    found = keep_place(page, read=lambda request: _suggestions_beyond(fitting, request))
    ids = [user_id for _, user_id in found.items]
    return found, visible_profiles(ids=ids, viewer=Viewer(viewer_id))


def _trending_authors(viewer_id: int) -> dict[int, int]:
    """Authors of those trending posts that the viewer may see, each with how many of the authors trend less.

    Empty while metrics or posts is unavailable: no suggestions are better than an error.
    """
    try:
        trending = [post.post_id for post in client(Metrics).trending_posts(limit=_MAX_TRENDING_POSTS)]
        visible = client(Posts).visible(viewer_id=viewer_id, post_ids=trending) if trending else []
    except Unavailable as error:
        log.warning("users.trending_authors_missing", error=str(error))
        return {}
    author_ids = {post.id: post.author_id for post in visible}
    ranked = list(dict.fromkeys(author_ids[post_id] for post_id in trending if post_id in author_ids))
    return {author_id: len(ranked) - place for place, author_id in enumerate(ranked, start=1)}


def _suggestions_beyond(ranked: list[tuple[int, int]], page: PageRequest) -> Page[tuple[int, int]]:
    if page.position is not None:
        position = (int(page.position[0]), int(page.position[1]))
        ranked = [item for item in ranked if (item > position if page.backwards else item < position)]
    more = len(ranked) > page.limit
    shown = ranked[-page.limit :] if page.backwards else ranked[: page.limit]
    return page_of(shown, page=page, more=more, position=lambda item: item)
