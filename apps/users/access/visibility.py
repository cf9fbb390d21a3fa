"""The one rule of who may see which profile, which lists, and how many posts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from apps.users import queries
from apps.users.models import Profile
from apps.users.queries import RelationshipFlags
from socialapp.core.errors import Forbidden, NotFound


class ProfileMissing(NotFound):
    """404, as there is no row of this person: the event of their registration may not have arrived yet."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: `id` is None for somebody without a token; staff sees more."""

    id: int | None
    is_staff: bool = False


@dataclass(frozen=True, slots=True)
class Relationship:
    """What is between the viewer and a person: `flags` are RelationshipFlags."""

    user_id: int
    flags: int


@dataclass(frozen=True, slots=True)
class VisibleProfile:
    """A profile that the viewer may see, with the counts that they may see and what is between the two."""

    profile: Profile
    relationship: Relationship
    followers: int
    following: int
    posts: int


def may_see_profile(*, profile: Profile, viewer: Viewer, flags: int) -> bool:
    """The rule: active people are seen by all but those they block; everyone sees themselves, and staff sees all.

    Who blocks somebody still sees them, to be able to unblock. Nobody sees what is left of an erased person.
    """
    if profile.erased:
        return False
    if viewer.is_staff:
        return True
    if profile.user_id == viewer.id:
        return profile.status != Profile.Status.DELETED
    return profile.status == Profile.Status.ACTIVE and not flags & RelationshipFlags.BLOCKED_BY


def _shown_posts(profile: Profile, viewer: Viewer, flags: int, counts: tuple[int, int]) -> int:
    """Nobody may learn from a count how many posts are hidden from them. `counts` are all posts and the public ones."""
    total, public = counts
    if viewer.is_staff or profile.user_id == viewer.id or flags & RelationshipFlags.FOLLOWING:
        return max(0, total)
    return 0 if profile.is_private else max(0, public)


# --- Profiles -----------------------------------------------------------------------------------------------------


def visible_profile(*, user_id: int, viewer: Viewer) -> VisibleProfile:
    """The profile; NotFound when the viewer may not see it. Four queries."""
    profile, flags = _require_visible(user_id, viewer)
    return _with_counts([profile], viewer, {user_id: flags})[0]


def visible_profile_by_username(*, username: str, viewer: Viewer) -> VisibleProfile:
    """The same for a name, compared without case."""
    found = queries.profiles_named(username)
    for profile in found:
        flags = queries.relationship_flags(viewer_id=viewer.id, ids=[profile.user_id])
        if may_see_profile(profile=profile, viewer=viewer, flags=flags.get(profile.user_id, RelationshipFlags.NONE)):
            return _with_counts([profile], viewer, flags)[0]
    raise NotFound("there is no such profile") if found else ProfileMissing("there is no such profile")


def visible_profiles(
    *, ids: Sequence[int], viewer: Viewer, flags: Mapping[int, int] | None = None
) -> list[VisibleProfile]:
    """The profiles of those among `ids` that the viewer may see, in the order of `ids`. Four queries.

    `flags`: what is between the viewer and each, if it is known already.
    """
    shown, flags = _visible_among(ids, viewer, flags)
    return _with_counts(shown, viewer, flags)


def is_discoverable(person: VisibleProfile, *, viewer: Viewer) -> bool:
    """The rule: only their followers come across people who are silenced."""
    is_follower = bool(person.relationship.flags & RelationshipFlags.FOLLOWING)
    return not person.profile.silenced or is_follower or person.profile.user_id == viewer.id


def _require_visible(user_id: int, viewer: Viewer) -> tuple[Profile, int]:
    profile = queries.profile_of(user_id)
    if profile is None:
        raise ProfileMissing("there is no such profile")
    flags = queries.relationship_flags(viewer_id=viewer.id, ids=[user_id]).get(user_id, RelationshipFlags.NONE)
    if not may_see_profile(profile=profile, viewer=viewer, flags=flags):
        raise NotFound("there is no such profile")
    return profile, flags


def _visible_among(
    ids: Collection[int], viewer: Viewer, known: Mapping[int, int] | None = None
) -> tuple[list[Profile], Mapping[int, int]]:
    rows = queries.profiles_by_id(ids)
    flags = known if known is not None else queries.relationship_flags(viewer_id=viewer.id, ids=rows)
    shown = [
        rows[user_id]
        for user_id in ids
        if user_id in rows
        and may_see_profile(profile=rows[user_id], viewer=viewer, flags=flags.get(user_id, RelationshipFlags.NONE))
    ]
    return shown, flags


def _with_counts(profiles: Sequence[Profile], viewer: Viewer, all_flags: Mapping[int, int]) -> list[VisibleProfile]:
    ids = [profile.user_id for profile in profiles]
    follows, posts = queries.counts_of(ids), queries.post_counts_of(ids)
    found = []
    for profile in profiles:
        flags = all_flags.get(profile.user_id, RelationshipFlags.NONE)
        followers, following = follows.get(profile.user_id, (0, 0))
        shown_posts = _shown_posts(profile, viewer, flags, posts.get(profile.user_id, (0, 0)))
        relationship = Relationship(profile.user_id, flags)
        found.append(VisibleProfile(profile, relationship, followers, following, shown_posts))
    return found


# --- Relationships and lists --------------------------------------------------------------------------------------


def visible_relationship(*, user_id: int, viewer: Viewer) -> Relationship:
    """What is between the viewer and a person they may see; NotFound otherwise. Two queries."""
    return Relationship(user_id, _require_visible(user_id, viewer)[1])


def visible_relationships(*, ids: Collection[int], viewer: Viewer) -> list[Relationship]:
    """The same for those among `ids` that the viewer may see, in the order of `ids`. Two queries."""
    shown, flags = _visible_among(ids, viewer)
    return [Relationship(row.user_id, flags.get(row.user_id, RelationshipFlags.NONE)) for row in shown]


def relationship_after(*, user_id: int, viewer: Viewer) -> Relationship:
    """The same after a write that was allowed, whether or not the other may still be seen. One query."""
    flags = queries.relationship_flags(viewer_id=viewer.id, ids=[user_id])
    return Relationship(user_id, flags.get(user_id, RelationshipFlags.NONE))


def require_lists(*, user_id: int, viewer: Viewer) -> None:
    """A private account shows its lists to itself, its accepted followers and staff: Forbidden for others."""
    profile, flags = _require_visible(user_id, viewer)
    if viewer.is_staff or user_id == viewer.id or flags & RelationshipFlags.FOLLOWING:
        return
    if profile.is_private:
        raise Forbidden("this account shows its lists to its followers only", code="account_private")
