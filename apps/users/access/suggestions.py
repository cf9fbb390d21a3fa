"""Whom somebody might want to follow."""

from apps.users import queries
from apps.users.access.visibility import Viewer, VisibleProfile, visible_profiles
from apps.users.queries import RelationshipFlags
from socialapp.core.pages import Page, PageRequest, keep_place, page_of

_MAX_SUGGESTIONS = 500
_SUGGESTED_DESPITE = (RelationshipFlags.NONE, RelationshipFlags.FOLLOWED_BY)


def suggestions_page(*, viewer_id: int, page: PageRequest) -> tuple[Page[tuple[int, int]], list[VisibleProfile]]:
    """People followed by those that the viewer follows: by how many of them, then by newest account.

    At most 500, without people whom the viewer follows, blocks or mutes, or who block them. An item, and a position,
    is (followed by how many, id).
    """
    scores = queries.second_degree_followings(viewer_id)
    ranked = sorted(((score, user_id) for user_id, score in scores.items() if user_id != viewer_id), reverse=True)
    ranked = ranked[:_MAX_SUGGESTIONS]
    flags = queries.relationship_flags(viewer_id, [user_id for _, user_id in ranked])
    active = queries.active_ids([user_id for _, user_id in ranked if flags.get(user_id, 0) in _SUGGESTED_DESPITE])
    fitting = [item for item in ranked if item[1] in active]
    found = keep_place(page, lambda request: _suggestions_beyond(fitting, request))
    ids = [user_id for _, user_id in found.items]
    return found, visible_profiles(ids=ids, viewer=Viewer(viewer_id), flags=flags)


def _suggestions_beyond(ranked: list[tuple[int, int]], page: PageRequest) -> Page[tuple[int, int]]:
    if page.position is not None:
        position = (int(page.position[0]), int(page.position[1]))
        ranked = [item for item in ranked if (item > position if page.backwards else item < position)]
    more = len(ranked) > page.limit
    shown = ranked[-page.limit :] if page.backwards else ranked[: page.limit]
    return page_of(shown, page, more=more, position=lambda item: item)
