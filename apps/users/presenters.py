"""Response bodies, and records of the bulk export."""

from collections.abc import Sequence

from apps.users.access import Relationship, Viewer, VisibleProfile
from apps.users.models import Follow, Profile
from apps.users.queries import RelationshipFlags
from socialapp.contracts.bulk import Record
from socialapp.core.json import rfc3339


def profile_body(person: VisibleProfile, *, viewer: Viewer) -> dict[str, object]:
    """A profile."""
    profile = person.profile
    body: dict[str, object] = {
        "id": str(profile.user_id),
        "username": profile.username,
        "full_name": profile.full_name,
        "bio": profile.bio,
        "profile_picture": profile.profile_picture or None,
        "header_picture": profile.header_picture or None,
        "status": profile.status,
        "is_private": profile.is_private,
        "followers_count": profile.followers,
        "following_count": profile.following,
        "posts_count": person.posts,
        "created_at": profile.created_at,
    }
    if viewer.id is not None:
        body["relationship"] = _flags_body(person.relationship, viewer)
    if viewer.id == profile.user_id:
        body["is_discoverable"] = profile.is_discoverable
    return body


def profile_bodies(people: Sequence[VisibleProfile], *, viewer: Viewer) -> list[dict[str, object]]:
    """Several profiles."""
    return [profile_body(person, viewer=viewer) for person in people]


def relationship_body(relationship: Relationship, *, viewer: Viewer) -> dict[str, object]:
    """The relationship of the viewer with somebody."""
    return {"id": str(relationship.user_id), **_flags_body(relationship, viewer)}


def _flags_body(relationship: Relationship, viewer: Viewer) -> dict[str, object]:
    flags = relationship.flags
    body: dict[str, object] = {
        "following": bool(flags & RelationshipFlags.FOLLOWING),
        "followed_by": bool(flags & RelationshipFlags.FOLLOWED_BY),
        "requested": bool(flags & RelationshipFlags.REQUESTED),
        "blocking": bool(flags & RelationshipFlags.BLOCKING),
        "muting": bool(flags & RelationshipFlags.MUTING),
    }
    if viewer.is_staff:
        body["blocked_by"] = bool(flags & RelationshipFlags.BLOCKED_BY)
    return body


def profile_part(profile: Profile) -> Record:
    """Users' part of a person's `user` record. Format: docs/records.md."""
    return {
        "id": str(profile.user_id),
        "full_name": profile.full_name,
        "bio": profile.bio,
        "is_private": profile.is_private,
        "is_discoverable": profile.is_discoverable,
    }


def follow_record(follow: Follow) -> Record:
    """A `follow` record. Format: docs/records.md."""
    return {
        "follower_id": str(follow.follower_id),
        "following_id": str(follow.following_id),
        "created_at": rfc3339(follow.created_at),
    }
