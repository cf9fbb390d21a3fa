"""Lists of people: followers, followings, requests, blocks, mutes and suggestions, a page at a time."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.db import connections, router
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from apps.users.models import Block, Follow, FollowRequest, Mute, Profile
from apps.users.queries.profiles import bodies_of
from apps.users.queries.visibility import RelationshipFlags, Viewer, ties, visible_profile
from socialapp.core.errors import Forbidden
from socialapp.core.pages import Page, PageRequest, keep_place, page_of, paginate

_SUGGESTING_FOLLOWINGS = 50  # how many of those one follows are asked for suggestions
_SUGGESTED_BY_EACH = 100  # and how many of whom they follow are looked at
_SUGGESTIONS = 500


def followers_page(user_id: int, viewer: Viewer, page: PageRequest) -> tuple[Page[Follow], list[dict[str, object]]]:
    """Who follows somebody, the newest first, as far as the viewer may see them. Constantly many queries."""
    _require_lists(user_id, viewer)
    return _people_page(Follow.objects.filter(following_id=user_id), "follower_id", viewer, page)


def following_page(user_id: int, viewer: Viewer, page: PageRequest) -> tuple[Page[Follow], list[dict[str, object]]]:
    """Whom somebody follows, the newest first, as far as the viewer may see them. Constantly many queries."""
    _require_lists(user_id, viewer)
    return _people_page(Follow.objects.filter(follower_id=user_id), "following_id", viewer, page)


def follow_requests_page(
    user_id: int, viewer: Viewer, page: PageRequest
) -> tuple[Page[FollowRequest], list[dict[str, object]]]:
    """Who waits to be let in by the viewer, `user_id`, the newest first."""
    return _people_page(FollowRequest.objects.filter(target_id=user_id), "requester_id", viewer, page)


def blocks_page(user_id: int, viewer: Viewer, page: PageRequest) -> tuple[Page[Block], list[dict[str, object]]]:
    """Whom the viewer, `user_id`, blocks, the newest first."""
    return _people_page(Block.objects.filter(blocker_id=user_id), "blocked_id", viewer, page, hide_blocked=False)


def mutes_page(user_id: int, viewer: Viewer, page: PageRequest) -> tuple[Page[Mute], list[dict[str, object]]]:
    """Whom the viewer, `user_id`, mutes, the newest first."""
    return _people_page(Mute.objects.filter(muter_id=user_id), "muted_id", viewer, page, hide_blocked=False)


def _require_lists(user_id: int, viewer: Viewer) -> None:
    """A private account shows its lists to itself, its accepted followers and staff."""
    profile, tie = visible_profile(user_id, viewer)
    if viewer.is_staff or user_id == viewer.id or tie & RelationshipFlags.FOLLOWING:
        return
    if profile.is_private:
        raise Forbidden("this account shows its lists to its followers only", code="account_private")


def _people_page(
    rows: QuerySet[Any], column: str, viewer: Viewer, page: PageRequest, *, hide_blocked: bool = True
) -> tuple[Page[Any], list[dict[str, object]]]:
    """A page of the active people in `column` of `rows`; blocked ones are left out in SQL, so pages are full."""
    person = OuterRef(column)
    # Compared as a value: of EXISTS the database would make a join that reads all profiles before the first edge.
    status = Profile.objects.filter(user_id=person).values("status")[:1]
    rows = rows.alias(person_status=Subquery(status)).filter(person_status=Profile.Status.ACTIVE)
    if viewer.id is not None:
        rows = rows.exclude(Exists(Block.objects.filter(blocker_id=person, blocked_id=viewer.id)))
        if hide_blocked:
            rows = rows.exclude(Exists(Block.objects.filter(blocker_id=viewer.id, blocked_id=person)))
    found = paginate(rows, page)
    ids = [getattr(row, column) for row in found.items]
    profiles = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    shown = [profiles[user_id] for user_id in ids if user_id in profiles]
    return found, bodies_of(shown, viewer, ties(viewer.id, ids))


def suggestions_page(viewer_id: int, page: PageRequest) -> tuple[Page[tuple[int, int]], list[dict[str, object]]]:
    """People followed by those that the viewer follows: by how many of them, then by newest account.

    Bounded: the newest 50 followings of the viewer, the newest 100 of each, and of all found the best 500.
    A position is (followed by how many, id).
    """
    scores = _suggestion_scores(viewer_id)
    ranked = sorted(((score, user_id) for user_id, score in scores.items() if user_id != viewer_id), reverse=True)
    ranked = ranked[:_SUGGESTIONS]
    between = ties(viewer_id, [user_id for _, user_id in ranked])
    active = _active_ids(
        [
            user_id
            for _, user_id in ranked
            if between.get(user_id, RelationshipFlags.NONE) in (0, RelationshipFlags.FOLLOWED_BY)
        ]
    )
    fitting = [item for item in ranked if item[1] in active]
    found = keep_place(page, lambda request: _suggestions_beyond(fitting, request))
    ids = [user_id for _, user_id in found.items]
    profiles = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    shown = [profiles[user_id] for user_id in ids if user_id in profiles]
    return found, bodies_of(shown, Viewer(viewer_id), between)


def _suggestions_beyond(ranked: list[tuple[int, int]], page: PageRequest) -> Page[tuple[int, int]]:
    if page.position is not None:
        position = (int(page.position[0]), int(page.position[1]))
        ranked = [item for item in ranked if (item > position if page.backwards else item < position)]
    more = len(ranked) > page.limit
    shown = ranked[-page.limit :] if page.backwards else ranked[: page.limit]
    return page_of(shown, page, more=more, position=lambda item: item)


def _suggestion_scores(viewer_id: int) -> Counter[int]:
    """How many of those whom the viewer follows follow each person. Two queries, of bounded work."""
    followed = list(
        Follow.objects.filter(follower_id=viewer_id)
        .order_by("-id")
        .values_list("following_id", flat=True)[:_SUGGESTING_FOLLOWINGS]
    )
    if not followed:
        return Counter()
    # One limited branch each, so that somebody who follows thousands costs no more than others.
    branch = (
        "SELECT following_id FROM (SELECT following_id FROM follows WHERE follower_id = %s"  # noqa: S608 (numbers only)
        f" ORDER BY id DESC LIMIT {_SUGGESTED_BY_EACH}) AS newest_{{}}"
    )
    sql = " UNION ALL ".join(branch.format(index) for index in range(len(followed)))
    with connections[router.db_for_read(Follow)].cursor() as cursor:
        cursor.execute(sql, followed)
        return Counter(row[0] for row in cursor.fetchall())


def _active_ids(ids: Collection[int]) -> set[int]:
    rows = Profile.objects.filter(user_id__in=ids, status=Profile.Status.ACTIVE)
    return set(rows.values_list("user_id", flat=True)) if ids else set()


def edges_of(user_id: int, limit: int) -> list[Follow]:
    """Up to `limit` follows that somebody is part of, on either side."""
    return list(Follow.objects.filter(Q(follower_id=user_id) | Q(following_id=user_id))[:limit])
