"""Profiles and relationships as the API shows them, with exact counts; always a constant number of queries."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from apps.users.models import FollowCount, FollowRequest, PostCount, Profile
from apps.users.queries.visibility import (
    ProfileMissing,
    RelationshipFlags,
    Viewer,
    may_see_profile,
    ties,
    visible_profile,
)
from socialapp.core.errors import NotFound


def profile_page(user_id: int, viewer: Viewer) -> tuple[dict[str, object], int]:
    """The API's profile object and its version; NotFound when the viewer may not see it."""
    profile, tie = visible_profile(user_id, viewer)
    return bodies_of([profile], viewer, {user_id: tie})[0], profile.version


def profile_by_username(username: str, viewer: Viewer) -> tuple[dict[str, object], int]:
    """The same for a name, compared without case."""
    found = [row for row in named([username]).order_by("-user_id") if row.username_key == username.casefold()]
    for profile in found:
        tie = ties(viewer.id, [profile.user_id]).get(profile.user_id, RelationshipFlags.NONE)
        if may_see_profile(profile, viewer, tie):
            return bodies_of([profile], viewer, {profile.user_id: tie})[0], profile.version
    raise NotFound("there is no such profile") if found else ProfileMissing("there is no such profile")


def profile_bodies(ids: Collection[int], viewer: Viewer) -> list[dict[str, object]]:
    """The API's profile objects of those among `ids` that the viewer may see, in the order of `ids`. Four queries."""
    rows = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    between = ties(viewer.id, rows)
    shown = [
        rows[user_id]
        for user_id in ids
        if user_id in rows and may_see_profile(rows[user_id], viewer, between.get(user_id, RelationshipFlags.NONE))
    ]
    return bodies_of(shown, viewer, between)


def bodies_of(profiles: list[Profile], viewer: Viewer, between: Mapping[int, int]) -> list[dict[str, object]]:
    """The API's profile objects of people whom the viewer may see. Two queries; `between` is what `ties` answered."""
    ids = [profile.user_id for profile in profiles]
    follow_counts = counts_of(ids)
    posts = {row[0]: row[1:] for row in PostCount.objects.filter(user_id__in=ids).values_list()} if ids else {}
    bodies = []
    for profile in profiles:
        tie = between.get(profile.user_id, RelationshipFlags.NONE)
        followers, following = follow_counts.get(profile.user_id, (0, 0))
        total, public = posts.get(profile.user_id, (0, 0))
        sees_private = viewer.is_staff or profile.user_id == viewer.id or bool(tie & RelationshipFlags.FOLLOWING)
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


def _relationship_body(tie: int, viewer: Viewer) -> dict[str, object]:
    body: dict[str, object] = {
        "following": bool(tie & RelationshipFlags.FOLLOWING),
        "followed_by": bool(tie & RelationshipFlags.FOLLOWED_BY),
        "requested": bool(tie & RelationshipFlags.REQUESTED),
        "blocking": bool(tie & RelationshipFlags.BLOCKING),
        "muting": bool(tie & RelationshipFlags.MUTING),
    }
    if viewer.is_staff:
        body["blocked_by"] = bool(tie & RelationshipFlags.BLOCKED_BY)
    return body


def relationship(user_id: int, viewer: Viewer) -> dict[str, object]:
    """The API's relationship object between the viewer and a person they may see; NotFound otherwise."""
    _, tie = visible_profile(user_id, viewer)
    return {"id": str(user_id), **_relationship_body(tie, viewer)}


def relationship_after(user_id: int, viewer: Viewer) -> dict[str, object]:
    """The same after a write that was allowed, whether or not the other is to be seen any more. One query."""
    tie = ties(viewer.id, [user_id]).get(user_id, RelationshipFlags.NONE)
    return {"id": str(user_id), **_relationship_body(tie, viewer)}


def relationships(ids: Collection[int], viewer: Viewer) -> list[dict[str, object]]:
    """The same for those among `ids` that the viewer may see, in the order of `ids`. Two queries."""
    rows = {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)}
    between = ties(viewer.id, rows)
    return [
        {"id": str(user_id), **_relationship_body(between.get(user_id, RelationshipFlags.NONE), viewer)}
        for user_id in ids
        if user_id in rows and may_see_profile(rows[user_id], viewer, between.get(user_id, RelationshipFlags.NONE))
    ]


def named(usernames: Iterable[str]) -> QuerySet[Profile]:
    return Profile.objects.filter(username_key__in={name.casefold() for name in usernames if name})


def counts_of(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Followers and followings of each of `ids`, exact; people without any may be left out. One query."""
    if not ids:
        return {}
    rows = (
        FollowCount.objects.filter(user_id__in=ids).values_list("user_id").annotate(Sum("followers"), Sum("following"))
    )
    return {user_id: (followers, following) for user_id, followers, following in rows}


def is_private_since(user_id: int, moment: datetime) -> bool:
    """See `Users.is_private_since`. Of accounts that were private before this was noted, it is taken to be so."""
    turned_later = Q(private_since__gt=moment)
    return Profile.objects.filter(user_id=user_id, is_private=True).exclude(turned_later).exists()


def unknown_ids(ids: Collection[int]) -> list[int]:
    """Those of `ids` that there is no row of, not even that of an erased person."""
    known = set(Profile.objects.filter(user_id__in=ids).values_list("user_id", flat=True))
    return [user_id for user_id in dict.fromkeys(ids) if user_id not in known]


def unknown_names(usernames: Iterable[str]) -> list[str]:
    """Those of the names that nobody here has, folded. One query."""
    wanted = {name.casefold() for name in usernames if name}
    known = set(named(wanted).values_list("username_key", flat=True)) if wanted else set()
    return sorted(wanted - known)


def followings_and_requests(user_id: int) -> int:
    """How many people somebody follows or waits to follow. Two queries."""
    return counts_of([user_id]).get(user_id, (0, 0))[1] + FollowRequest.objects.filter(requester_id=user_id).count()
