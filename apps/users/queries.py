"""Reads of the users context, and its one rule of who may see which profile."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from django.conf import settings
from django.db import connections, router
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from apps.users.models import SLOTS, Block, Follow, FollowCount, FollowRequest, Mute, PostCount, Profile
from socialapp.api.pagination import Page, PageRequest, page_of, paginate
from socialapp.contracts.users import Audience, Author, Card, Following, ProfileDocument
from socialapp.errors import Forbidden, NotFound

_SUGGESTING_FOLLOWINGS = 50  # how many of those one follows are asked for suggestions
_SUGGESTED_BY_EACH = 100  # and how many of whom they follow are looked at
_SUGGESTIONS = 500


class ProfileMissing(NotFound):
    """404, as there is no row of this person: it may be that the word of their registration has not arrived yet."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: `id` is None for somebody without a token; staff sees more."""

    id: int | None
    is_staff: bool = False


class Tie(IntFlag):
    """What is between a viewer and another person."""

    NONE = 0
    FOLLOWING = 1
    FOLLOWED_BY = 2
    REQUESTED = 4
    BLOCKING = 8
    BLOCKED_BY = 16
    MUTING = 32


_BLOCKED = Tie.BLOCKING | Tie.BLOCKED_BY
_SHOWN_TIES = Tie.FOLLOWING | Tie.FOLLOWED_BY | Tie.REQUESTED | _BLOCKED | Tie.MUTING
_AUDIENCE_TIES = Tie.FOLLOWING | _BLOCKED | Tie.MUTING
_TIE_COLUMNS: dict[Tie, tuple[str, str, str]] = {
    Tie.FOLLOWING: ("follows", "follower_id", "following_id"),
    Tie.FOLLOWED_BY: ("follows", "following_id", "follower_id"),
    Tie.REQUESTED: ("follow_requests", "requester_id", "target_id"),
    Tie.BLOCKING: ("blocks", "blocker_id", "blocked_id"),
    Tie.BLOCKED_BY: ("blocks", "blocked_id", "blocker_id"),
    Tie.MUTING: ("mutes", "muter_id", "muted_id"),
}


def ties(viewer_id: int | None, ids: Collection[int], kinds: Tie = _SHOWN_TIES) -> dict[int, Tie]:
    """What is between the viewer and each of `ids`; those with nothing between are left out. One query.

    Written as SQL because every feed, post and comment asks it: the ORM takes longer to build this query than the
    database takes to answer it.
    """
    others = [other for other in ids if other != viewer_id]
    if viewer_id is None or not others:
        return {}
    marks = ",".join(["%s"] * len(others))
    wanted = [(kind, *columns) for kind, columns in _TIE_COLUMNS.items() if kind & kinds]
    sql = " UNION ALL ".join(
        f"SELECT {kind.value}, {other} FROM {table} WHERE {mine} = %s AND {other} IN ({marks})"  # noqa: S608
        for kind, table, mine, other in wanted
    )
    found: dict[int, Tie] = {}
    with connections[router.db_for_read(Follow)].cursor() as cursor:
        cursor.execute(sql, [viewer_id, *others] * len(wanted))
        for kind, other in cursor.fetchall():
            found[other] = found.get(other, Tie.NONE) | Tie(kind)
    return found


def may_see_profile(profile: Profile, viewer: Viewer, tie: Tie) -> bool:
    """The rule: active people are seen by all but those they block; everyone sees themselves, and staff sees all.

    Who blocks somebody still sees them, to be able to unblock. Nobody sees what is left of an erased person.
    """
    if profile.erased:
        return False
    if viewer.is_staff:
        return True
    if profile.user_id == viewer.id:
        return profile.status != Profile.Status.DELETED
    return profile.status == Profile.Status.ACTIVE and not tie & Tie.BLOCKED_BY


def visible_profile(user_id: int, viewer: Viewer) -> tuple[Profile, Tie]:
    """The profile and what is between the two; NotFound when the viewer may not see it. Two queries."""
    profile = Profile.objects.filter(user_id=user_id).first()
    if profile is None:
        raise ProfileMissing("there is no such profile")
    tie = ties(viewer.id, [user_id]).get(user_id, Tie.NONE)
    if not may_see_profile(profile, viewer, tie):
        raise NotFound("there is no such profile")
    return profile, tie


def profile_page(user_id: int, viewer: Viewer) -> tuple[dict[str, object], int]:
    """The API's profile object and its version; NotFound when the viewer may not see it."""
    profile, tie = visible_profile(user_id, viewer)
    return _bodies([profile], viewer, {user_id: tie})[0], profile.version


def profile_by_username(username: str, viewer: Viewer) -> tuple[dict[str, object], int]:
    """The same for a name, compared without case."""
    for profile in _named([username]).order_by("-user_id"):
        tie = ties(viewer.id, [profile.user_id]).get(profile.user_id, Tie.NONE)
        if profile.username_key == username.casefold() and may_see_profile(profile, viewer, tie):
            return _bodies([profile], viewer, {profile.user_id: tie})[0], profile.version
    raise NotFound("there is no such profile")


def profile_bodies(ids: Collection[int], viewer: Viewer) -> list[dict[str, object]]:
    """The API's profile objects of those among `ids` that the viewer may see, in the order of `ids`. Four queries."""
    rows = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    between = ties(viewer.id, rows)
    shown = [
        rows[user_id]
        for user_id in ids
        if user_id in rows and may_see_profile(rows[user_id], viewer, between.get(user_id, Tie.NONE))
    ]
    return _bodies(shown, viewer, between)


def _bodies(profiles: list[Profile], viewer: Viewer, between: Mapping[int, Tie]) -> list[dict[str, object]]:
    ids = [profile.user_id for profile in profiles]
    follow_counts = counts_of(ids)
    posts = {row[0]: row[1:] for row in PostCount.objects.filter(user_id__in=ids).values_list()} if ids else {}
    bodies = []
    for profile in profiles:
        tie = between.get(profile.user_id, Tie.NONE)
        followers, following = follow_counts.get(profile.user_id, (0, 0))
        total, public = posts.get(profile.user_id, (0, 0))
        sees_private = viewer.is_staff or profile.user_id == viewer.id or bool(tie & Tie.FOLLOWING)
        body: dict[str, object] = {
            "id": str(profile.user_id),
            "username": profile.username,
            "full_name": profile.full_name,
            "bio": profile.bio,
            "profile_picture": profile.profile_picture or None,
            "status": profile.status,
            "is_private": profile.is_private,
            "followers_count": followers,
            "following_count": following,
            # Nobody may learn from a count how many posts are kept from them.
            "posts_count": max(0, total if sees_private else 0 if profile.is_private else public),
            "created_at": profile.created_at,
        }
        if viewer.id is not None:
            body["relationship"] = _relationship_body(tie, viewer)
        bodies.append(body)
    return bodies


def _relationship_body(tie: Tie, viewer: Viewer) -> dict[str, object]:
    body: dict[str, object] = {
        "following": bool(tie & Tie.FOLLOWING),
        "followed_by": bool(tie & Tie.FOLLOWED_BY),
        "requested": bool(tie & Tie.REQUESTED),
        "blocking": bool(tie & Tie.BLOCKING),
        "muting": bool(tie & Tie.MUTING),
    }
    if viewer.is_staff:
        body["blocked_by"] = bool(tie & Tie.BLOCKED_BY)
    return body


def relationship(user_id: int, viewer: Viewer) -> dict[str, object]:
    """The API's relationship object between the viewer and a person they may see; NotFound otherwise."""
    _, tie = visible_profile(user_id, viewer)
    return {"id": str(user_id), **_relationship_body(tie, viewer)}


def relationship_after(user_id: int, viewer: Viewer) -> dict[str, object]:
    """The same after a write that was allowed, whether or not the other is to be seen any more. One query."""
    tie = ties(viewer.id, [user_id]).get(user_id, Tie.NONE)
    return {"id": str(user_id), **_relationship_body(tie, viewer)}


def relationships(ids: Collection[int], viewer: Viewer) -> list[dict[str, object]]:
    """The same for those among `ids` that the viewer may see, in the order of `ids`. Two queries."""
    rows = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    between = ties(viewer.id, rows)
    return [
        {"id": str(user_id), **_relationship_body(between.get(user_id, Tie.NONE), viewer)}
        for user_id in ids
        if user_id in rows and may_see_profile(rows[user_id], viewer, between.get(user_id, Tie.NONE))
    ]


def counts_of(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Followers and followings of each of `ids`, exact; people without any may be left out. One query."""
    if not ids:
        return {}
    rows = (
        FollowCount.objects.filter(user_id__in=ids).values_list("user_id").annotate(Sum("followers"), Sum("following"))
    )
    return {user_id: (followers, following) for user_id, followers, following in rows}


def unknown_ids(ids: Collection[int]) -> list[int]:
    """Those of `ids` that there is no row of, not even that of an erased person."""
    known = set(Profile.objects.filter(user_id__in=ids).values_list("user_id", flat=True))
    return [user_id for user_id in dict.fromkeys(ids) if user_id not in known]


# --- Lists ------------------------------------------------------------------------------------------------------


def followers_page(user_id: int, viewer: Viewer, page: PageRequest) -> tuple[Page[Follow], list[dict[str, object]]]:
    """Who follows somebody, the newest first, as far as the viewer may see them. Constantly many queries."""
    _require_lists(user_id, viewer)
    return _people_page(Follow.objects.filter(following_id=user_id), "follower_id", viewer, page)


def following_page(user_id: int, viewer: Viewer, page: PageRequest) -> tuple[Page[Follow], list[dict[str, object]]]:
    """Whom somebody follows, the newest first, as far as the viewer may see them. Constantly many queries."""
    _require_lists(user_id, viewer)
    return _people_page(Follow.objects.filter(follower_id=user_id), "following_id", viewer, page)


def follow_requests_page(viewer: Viewer, page: PageRequest) -> tuple[Page[FollowRequest], list[dict[str, object]]]:
    """Who waits to be let in by the viewer, the newest first."""
    return _people_page(FollowRequest.objects.filter(target_id=viewer.id), "requester_id", viewer, page)


def blocks_page(viewer: Viewer, page: PageRequest) -> tuple[Page[Block], list[dict[str, object]]]:
    """Whom the viewer blocks, the newest first."""
    return _people_page(Block.objects.filter(blocker_id=viewer.id), "blocked_id", viewer, page, hide_blocked=False)


def mutes_page(viewer: Viewer, page: PageRequest) -> tuple[Page[Mute], list[dict[str, object]]]:
    """Whom the viewer mutes, the newest first."""
    return _people_page(Mute.objects.filter(muter_id=viewer.id), "muted_id", viewer, page, hide_blocked=False)


def _require_lists(user_id: int, viewer: Viewer) -> None:
    """A private account shows its lists to itself, its accepted followers and staff."""
    profile, tie = visible_profile(user_id, viewer)
    if viewer.is_staff or user_id == viewer.id or tie & Tie.FOLLOWING:
        return
    if profile.is_private:
        raise Forbidden("this account shows its lists to its followers only", code="account_private")


def _people_page(
    rows: QuerySet[Any], column: str, viewer: Viewer, page: PageRequest, *, hide_blocked: bool = True
) -> tuple[Page[Any], list[dict[str, object]]]:
    """A page of the active people in `column` of `rows`; blocked ones are left out by the database, so pages are full."""
    person = OuterRef(column)
    rows = rows.filter(Exists(Profile.objects.filter(user_id=person, status=Profile.Status.ACTIVE)))
    if viewer.id is not None:
        rows = rows.exclude(Exists(Block.objects.filter(blocker_id=person, blocked_id=viewer.id)))
        if hide_blocked:
            rows = rows.exclude(Exists(Block.objects.filter(blocker_id=viewer.id, blocked_id=person)))
    found = paginate(rows, page)
    ids = [getattr(row, column) for row in found.items]
    profiles = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    shown = [profiles[user_id] for user_id in ids if user_id in profiles]
    return found, _bodies(shown, viewer, ties(viewer.id, ids))


def suggestions_page(viewer_id: int, page: PageRequest) -> tuple[Page[tuple[int, int]], list[dict[str, object]]]:
    """People followed by those that the viewer follows: by how many of them, then by newest account.

    Bounded: the newest 50 followings of the viewer, the newest 100 of each, and of all found the best 500.
    A position is (followed by how many, id).
    """
    scores = _suggestion_scores(viewer_id)
    ranked = sorted(((score, user_id) for user_id, score in scores.items() if user_id != viewer_id), reverse=True)
    ranked = ranked[:_SUGGESTIONS]
    if page.position is not None:
        position = (int(page.position[0]), int(page.position[1]))
        ranked = [item for item in ranked if (item > position if page.backwards else item < position)]
    between = ties(viewer_id, [user_id for _, user_id in ranked])
    active = _active_ids([user_id for _, user_id in ranked if between.get(user_id, Tie.NONE) in (0, Tie.FOLLOWED_BY)])
    fitting = [item for item in ranked if item[1] in active]
    more = len(fitting) > page.limit
    fitting = fitting[-page.limit :] if page.backwards else fitting[: page.limit]
    ids = [user_id for _, user_id in fitting]
    profiles = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    shown = [profiles[user_id] for user_id in ids if user_id in profiles]
    return page_of(fitting, page, more=more, position=lambda item: item), _bodies(shown, Viewer(viewer_id), between)


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
        "SELECT following_id FROM (SELECT following_id FROM follows WHERE follower_id = %s"
        f" ORDER BY id DESC LIMIT {_SUGGESTED_BY_EACH}) AS newest_{{}}"
    )
    sql = " UNION ALL ".join(branch.format(index) for index in range(len(followed)))
    with connections[router.db_for_read(Follow)].cursor() as cursor:
        cursor.execute(sql, followed)
        return Counter(row[0] for row in cursor.fetchall())


def _active_ids(ids: Collection[int]) -> set[int]:
    rows = Profile.objects.filter(user_id__in=ids, status=Profile.Status.ACTIVE)
    return set(rows.values_list("user_id", flat=True)) if ids else set()


# --- What other contexts ask ------------------------------------------------------------------------------------


def cards(ids: Collection[int]) -> list[Card]:
    """The cards of those among `ids` who are active. One query."""
    return _cards(Profile.objects.filter(user_id__in=ids))


def cards_by_username(usernames: Iterable[str]) -> list[Card]:
    """The cards of the active people with these names, compared without case. One query."""
    names = list(usernames)
    keys = {name.casefold() for name in names}
    return [card for card in _cards(_named(names)) if card.username.casefold() in keys]


def _named(usernames: Iterable[str]) -> QuerySet[Profile]:
    return Profile.objects.filter(username_key__in={name.casefold() for name in usernames if name})


def _cards(profiles: QuerySet[Profile]) -> list[Card]:
    rows = profiles.filter(status=Profile.Status.ACTIVE).values_list(
        "user_id", "username", "full_name", "profile_picture"
    )
    return [
        Card(id=user_id, username=username, full_name=full_name, profile_picture=picture)
        for user_id, username, full_name, picture in rows
    ]


def audience(viewer_id: int | None, author_ids: Collection[int]) -> Audience:
    """See `Users.audience`. Two queries, whatever the number of authors."""
    wanted = set(author_ids)
    asked = wanted if viewer_id is None else wanted | {viewer_id}
    rows = Profile.objects.filter(user_id__in=asked).values_list(
        "user_id", "username", "full_name", "profile_picture", "status", "is_private", "following_version"
    )
    between = ties(viewer_id, wanted, _AUDIENCE_TIES)
    version = 0
    authors = []
    for user_id, username, full_name, picture, status, is_private, following_version in rows:
        own = user_id == viewer_id
        if own:
            version = following_version
        if user_id not in wanted:
            continue
        tie = between.get(user_id, Tie.NONE)
        authors.append(
            Author(
                card=Card(id=user_id, username=username, full_name=full_name, profile_picture=picture),
                active=status == "active",
                is_private=is_private,
                follows=own or bool(tie & Tie.FOLLOWING),
                blocked=bool(tie & _BLOCKED),
                muted=bool(tie & Tie.MUTING),
            )
        )
    return Audience(following_version=version, authors=authors)


def follower_ids(user_id: int, *, after: int, limit: int) -> list[int]:
    """Up to `limit` ids of followers greater than `after`, ascending."""
    rows = Follow.objects.filter(following_id=user_id, follower_id__gt=after).order_by("follower_id")
    return list(rows.values_list("follower_id", flat=True)[: max(0, limit)])


def following_of(user_id: int) -> Following:
    """Whom a person follows, with the popular ones marked. Three queries."""
    version = Profile.objects.filter(user_id=user_id).values_list("following_version", flat=True).first() or 0
    followed = Follow.objects.filter(follower_id=user_id)
    ids = list(followed.values_list("following_id", flat=True))
    popular = _popular(FollowCount.objects.filter(user_id__in=followed.values("following_id"))) if ids else []
    return Following(version=version, ids=ids, popular_ids=popular)


def popular_ids(ids: Collection[int]) -> list[int]:
    """Which of `ids` have more than POPULAR_FOLLOWERS followers. Two queries at most."""
    return _popular(FollowCount.objects.filter(user_id__in=ids))


def _popular(parts: QuerySet[FollowCount]) -> list[int]:
    """Adds up only for those of whom one part alone is large enough: a sum over N needs one of 16 parts over N/16."""
    least = settings.POPULAR_FOLLOWERS // SLOTS
    candidates = set(parts.filter(followers__gt=least).values_list("user_id", flat=True))
    return [user_id for user_id, counts in counts_of(candidates).items() if counts[0] > settings.POPULAR_FOLLOWERS]


def hidden_from(viewer_id: int) -> list[int]:
    """Everyone who blocks or is blocked by the viewer. One query."""
    blocking = Block.objects.filter(blocker_id=viewer_id).values_list("blocked_id", flat=True)
    return list(blocking.union(Block.objects.filter(blocked_id=viewer_id).values_list("blocker_id", flat=True)))


def muted_by(user_ids: Collection[int], muted_id: int) -> list[int]:
    """Which of `user_ids` mute, block or are blocked by `muted_id`. One query."""
    if not user_ids:
        return []
    muting = Mute.objects.filter(muted_id=muted_id, muter_id__in=user_ids).values_list("muter_id", flat=True)
    blocking = Block.objects.filter(blocked_id=muted_id, blocker_id__in=user_ids).values_list("blocker_id", flat=True)
    blocked = Block.objects.filter(blocker_id=muted_id, blocked_id__in=user_ids).values_list("blocked_id", flat=True)
    return list(muting.union(blocking, blocked))


def documents(ids: Collection[int]) -> list[ProfileDocument]:
    """The present form of the profiles among `ids`, whatever their status. Two queries."""
    return _documents(list(Profile.objects.filter(user_id__in=ids)))


def document_page(*, after: int, limit: int) -> list[ProfileDocument]:
    """Up to `limit` profiles with ids greater than `after`, ascending. Two queries."""
    return _documents(list(Profile.objects.filter(user_id__gt=after).order_by("user_id")[: max(0, limit)]))


def _documents(profiles: list[Profile]) -> list[ProfileDocument]:
    counts = counts_of([profile.user_id for profile in profiles])
    return [
        ProfileDocument(
            card=Card(
                id=profile.user_id,
                username=profile.username,
                full_name=profile.full_name,
                profile_picture=profile.profile_picture,
            ),
            bio=profile.bio,
            status=profile.status,
            is_private=profile.is_private,
            followers_count=counts.get(profile.user_id, (0, 0))[0],
            version=profile.version,
            created_at=profile.created_at,
        )
        for profile in profiles
    ]


# --- What actions need to know ----------------------------------------------------------------------------------


def followings_and_requests(user_id: int) -> int:
    """How many people somebody follows or waits to follow. Two queries."""
    return counts_of([user_id]).get(user_id, (0, 0))[1] + FollowRequest.objects.filter(requester_id=user_id).count()


def edges_of(user_id: int, limit: int) -> list[Follow]:
    """Up to `limit` follows that somebody is part of, on either side."""
    return list(Follow.objects.filter(Q(follower_id=user_id) | Q(following_id=user_id))[:limit])
