"""SQL of follows, follow requests, blocks and mutes."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.db import connections, router
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from apps.users.models import Block, Follow, FollowRequest, Mute, Profile
from socialapp.core.pages import Page, PageRequest, paginate

_SUGGESTING_FOLLOWINGS = 50  # the newest followings used for suggestions
_SUGGESTED_BY_EACH = 100  # the newest followings of each of these


class RelationshipFlags:
    """The relationship of a viewer with another person, as bits of a number.

    Not an IntFlag: that made `audience` take 1.5 times as long.
    """

    NONE = 0
    FOLLOWING = 1
    FOLLOWED_BY = 2
    REQUESTED = 4
    BLOCKING = 8
    BLOCKED_BY = 16
    MUTING = 32


BLOCKED = RelationshipFlags.BLOCKING | RelationshipFlags.BLOCKED_BY
AUDIENCE_FLAGS = RelationshipFlags.FOLLOWING | BLOCKED | RelationshipFlags.MUTING
ALL_FLAGS = AUDIENCE_FLAGS | RelationshipFlags.FOLLOWED_BY | RelationshipFlags.REQUESTED
_FLAG_COLUMNS: dict[int, tuple[str, str, str]] = {
    RelationshipFlags.FOLLOWING: ("follows", "follower_id", "following_id"),
    RelationshipFlags.FOLLOWED_BY: ("follows", "following_id", "follower_id"),
    RelationshipFlags.REQUESTED: ("follow_requests", "requester_id", "target_id"),
    RelationshipFlags.BLOCKING: ("blocks", "blocker_id", "blocked_id"),
    RelationshipFlags.BLOCKED_BY: ("blocks", "blocked_id", "blocker_id"),
    RelationshipFlags.MUTING: ("mutes", "muter_id", "muted_id"),
}


def flags_sql(kinds: int) -> str:
    """An SQL expression for the flags of these kinds, from the tables that `flags_joins` adds."""
    return " + ".join(f"{kind} * (related_{kind}.id IS NOT NULL)" for kind in _FLAG_COLUMNS if kind & kinds)


def flags_joins(*, other: str, kinds: int) -> str:
    """Joins with the relations of these kinds between the viewer (each of their parameters) and the person in the
    column `other`: at most one row each, as their pairs are unique.

    MariaDB takes longer for an EXISTS each: it plans every one like a query of its own, and keeps a table of its
    results.
    """
    return "".join(
        f" LEFT JOIN {table} AS related_{kind} ON related_{kind}.{mine} = %s AND related_{kind}.{theirs} = {other}"
        for kind, (table, mine, theirs) in _FLAG_COLUMNS.items()
        if kind & kinds
    )


def relationship_flags(*, viewer_id: int | None, ids: Collection[int]) -> dict[int, int]:
    """The viewer's relationship with each of `ids`, omitting those without any. One query.

    Written in SQL because every feed, post and comment needs it: the ORM takes longer to build this query than the
    database takes to run it.
    """
    others = [other for other in ids if other != viewer_id]
    if viewer_id is None or not others:
        return {}
    marks = ",".join(["%s"] * len(others))
    sql = " UNION ALL ".join(
        f"SELECT {kind}, {other} FROM {table} WHERE {mine} = %s AND {other} IN ({marks})"  # noqa: S608
        for kind, (table, mine, other) in _FLAG_COLUMNS.items()
    )
    found: dict[int, int] = {}
    with connections[router.db_for_read(Follow)].cursor() as cursor:
        cursor.execute(sql, [viewer_id, *others] * len(_FLAG_COLUMNS))
        for kind, other in cursor.fetchall():
            found[other] = found.get(other, RelationshipFlags.NONE) | kind
    return found


# --- Pages --------------------------------------------------------------------------------------------------------


def followers_page(*, user_id: int, viewer_id: int | None, page: PageRequest) -> Page[Follow]:
    """Somebody's followers, newest first. One query."""
    return _people_page(Follow.objects.filter(following_id=user_id), "follower_id", viewer_id, page)


def following_page(*, user_id: int, viewer_id: int | None, page: PageRequest) -> Page[Follow]:
    """The people somebody follows, newest first. One query."""
    return _people_page(Follow.objects.filter(follower_id=user_id), "following_id", viewer_id, page)


def follow_requests_page(*, user_id: int, page: PageRequest) -> Page[FollowRequest]:
    """The open follow requests to this person, newest first. One query."""
    return _people_page(FollowRequest.objects.filter(target_id=user_id), "requester_id", user_id, page)


def blocks_page(*, user_id: int, page: PageRequest) -> Page[Block]:
    """The people blocked by this person, newest first. One query."""
    return _people_page(Block.objects.filter(blocker_id=user_id), "blocked_id", user_id, page, hide_blocked=False)


def mutes_page(*, user_id: int, page: PageRequest) -> Page[Mute]:
    """The people muted by this person, newest first. One query."""
    return _people_page(Mute.objects.filter(muter_id=user_id), "muted_id", user_id, page, hide_blocked=False)


def _people_page(
    rows: QuerySet[Any], column: str, viewer_id: int | None, page: PageRequest, *, hide_blocked: bool = True
) -> Page[Any]:
    """A page of the active people in `column` of `rows`; blocked ones are excluded in SQL, so pages are full."""
    person = OuterRef(column)
    # Compared as a value: the database would turn EXISTS into a join that reads all profiles before the first row.
    status = Profile.objects.filter(user_id=person).values("status")[:1]
    rows = rows.alias(person_status=Subquery(status)).filter(person_status=Profile.Status.ACTIVE)
    if viewer_id is not None:
        rows = rows.exclude(Exists(Block.objects.filter(blocker_id=person, blocked_id=viewer_id)))
        if hide_blocked:
            rows = rows.exclude(Exists(Block.objects.filter(blocker_id=viewer_id, blocked_id=person)))
    return paginate(rows, page=page)


# --- Suggestions, bulk export and erasure -------------------------------------------------------------------------


def second_degree_followings(user_id: int) -> Counter[int]:
    """For each person, how many of somebody's followings follow them. Two queries of bounded work:

    of the newest 50 followings, the newest 100 each.
    """
    followed = list(
        Follow.objects.filter(follower_id=user_id)
        .order_by("-id")
        .values_list("following_id", flat=True)[:_SUGGESTING_FOLLOWINGS]
    )
    if not followed:
        return Counter()
    # One limited branch each, so that a following who follows thousands costs no more than others.
    branch = (
        "SELECT following_id FROM (SELECT following_id FROM follows WHERE follower_id = %s"  # noqa: S608 (numbers only)
        f" ORDER BY id DESC LIMIT {_SUGGESTED_BY_EACH}) AS newest_{{}}"
    )
    sql = " UNION ALL ".join(branch.format(index) for index in range(len(followed)))
    with connections[router.db_for_read(Follow)].cursor() as cursor:
        cursor.execute(sql, followed)
        return Counter(row[0] for row in cursor.fetchall())


def follows_of(*, user_id: int, limit: int) -> list[Follow]:
    """Up to `limit` follows by or of somebody. One query."""
    return list(Follow.objects.filter(Q(follower_id=user_id) | Q(following_id=user_id))[:limit])


def follows_after(*, after: int, limit: int) -> list[Follow]:
    """Up to `limit` follows with ids above `after`, ascending. One query."""
    return list(Follow.objects.filter(id__gt=after).order_by("id")[:limit])


def people_with_relations(user_ids: Collection[int]) -> set[int]:
    """Those of the people who are part of a follow, request, block or mute. One query per table, however many
    people."""
    wanted = set(user_ids)
    found: set[int] = set()
    for model, one, other in (
        (Follow, "follower_id", "following_id"),
        (FollowRequest, "requester_id", "target_id"),
        (Block, "blocker_id", "blocked_id"),
        (Mute, "muter_id", "muted_id"),
    ):
        rows: QuerySet[Any] = model._default_manager.all()
        # Distinct: somebody may have a million followers. UNION, so that each side is read from its own index.
        mine = rows.filter(**{f"{one}__in": wanted}).order_by().values_list(one, flat=True).distinct()
        theirs = rows.filter(**{f"{other}__in": wanted}).order_by().values_list(other, flat=True).distinct()
        found.update(mine.union(theirs))
    return found
