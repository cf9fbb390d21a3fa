"""The single rule of who may see which profiles, lists and posts counts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from apps.users import queries
from apps.users.models import Profile
from apps.users.queries import ProfileRow, RelationshipFlags
from socialapp.core.errors import Forbidden, NotFound


class ProfileMissing(NotFound):
    """404 because there is no row of this person: the event of their registration may not have arrived yet."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The viewer: `id` is None without a token; staff sees more."""

    id: int | None
    is_staff: bool = False


@dataclass(frozen=True, slots=True)
class Relationship:
    """The relationship of the viewer and a person: `flags` are RelationshipFlags."""

    user_id: int
    flags: int


@dataclass(frozen=True, slots=True)
class VisibleProfile:
    """A profile that the viewer may see, with the counts that they may see and their relationship."""

    profile: ProfileRow
    relationship: Relationship
    posts: int


def may_see_profile(*, profile: Profile | ProfileRow, viewer: Viewer, flags: int) -> bool:
    """The rule: active people are visible except to those they block; people see themselves, and staff sees everybody.

    Blockers still see whom they block, to be able to unblock them. Nobody sees an erased person.
    """
    if profile.erased:
        return False
    if viewer.is_staff:
        return True
    if profile.user_id == viewer.id:
        return profile.status != Profile.Status.DELETED
    return profile.status == Profile.Status.ACTIVE and not flags & RelationshipFlags.BLOCKED_BY


def _shown_posts(row: ProfileRow, viewer: Viewer) -> int:
    """The posts count for the viewer, which must not reveal how many posts are hidden from them."""
    if viewer.is_staff or row.user_id == viewer.id or row.flags & RelationshipFlags.FOLLOWING:
        return max(0, row.posts)
    return 0 if row.is_private else max(0, row.public_posts)


# --- Profiles -----------------------------------------------------------------------------------------------------


def visible_profile(*, user_id: int, viewer: Viewer) -> VisibleProfile:
    """The profile; NotFound if the viewer may not see it. One query."""
    return _shown(_require_visible(user_id, viewer), viewer)


def visible_profile_by_username(*, username: str, viewer: Viewer) -> VisibleProfile:
    """Like `visible_profile`, by username, ignoring case. Two queries."""
    ids = [profile.user_id for profile in queries.profiles_named(username)]
    found = visible_profiles(ids=ids, viewer=viewer)
    if found:
        return found[0]
    raise NotFound("there is no such profile") if ids else ProfileMissing("there is no such profile")


def visible_profiles(*, ids: Sequence[int], viewer: Viewer) -> list[VisibleProfile]:
    """The profiles of those among `ids` that the viewer may see, in the order of `ids`. One query."""
    return [_shown(row, viewer) for row in _visible_among(ids, viewer)]


def may_be_found(person: VisibleProfile, *, viewer: Viewer) -> bool:
    """The rule: silenced people are found only by their followers."""
    is_follower = bool(person.relationship.flags & RelationshipFlags.FOLLOWING)
    return not person.profile.silenced or is_follower or person.profile.user_id == viewer.id


def _require_visible(user_id: int, viewer: Viewer) -> ProfileRow:
    row = queries.profile_rows([user_id], viewer_id=viewer.id).get(user_id)
    if row is None:
        raise ProfileMissing("there is no such profile")
    if not may_see_profile(profile=row, viewer=viewer, flags=row.flags):
        raise NotFound("there is no such profile")
    return row


def _visible_among(ids: Collection[int], viewer: Viewer) -> list[ProfileRow]:
    rows = queries.profile_rows(ids, viewer_id=viewer.id)
    found = (rows[user_id] for user_id in ids if user_id in rows)
    return [row for row in found if may_see_profile(profile=row, viewer=viewer, flags=row.flags)]


def _shown(row: ProfileRow, viewer: Viewer) -> VisibleProfile:
    return VisibleProfile(row, Relationship(row.user_id, row.flags), _shown_posts(row, viewer))


# --- Relationships and lists --------------------------------------------------------------------------------------


def visible_relationship(*, user_id: int, viewer: Viewer) -> Relationship:
    """The relationship of the viewer and a person they may see; NotFound otherwise. One query."""
    return Relationship(user_id, _require_visible(user_id, viewer).flags)


def visible_relationships(*, ids: Collection[int], viewer: Viewer) -> list[Relationship]:
    """The relationships with those among `ids` that the viewer may see, in the order of `ids`. One query."""
    return [Relationship(row.user_id, row.flags) for row in _visible_among(ids, viewer)]


def relationship_after(*, user_id: int, viewer: Viewer) -> Relationship:
    """The relationship after a permitted write, even if the other is no longer visible. One query."""
    flags = queries.relationship_flags(viewer_id=viewer.id, ids=[user_id])
    return Relationship(user_id, flags.get(user_id, RelationshipFlags.NONE))


def require_lists(*, user_id: int, viewer: Viewer) -> None:
    """Lists of a private account are for itself, its accepted followers and staff: Forbidden for others."""
    row = _require_visible(user_id, viewer)
    if viewer.is_staff or user_id == viewer.id or row.flags & RelationshipFlags.FOLLOWING:
        return
    if row.is_private:
        raise Forbidden("this account shows its lists to its followers only", code="account_private")
