"""What writes about two people share: locks, visibility under them, and follows with their exact counts.

All writes lock in one order, so that there are no deadlocks: profiles by id, counts by (person, slot), then rows.
A follow is written under the lock of its follower's profile, never of the followed one's: thousands may follow the
same person concurrently. Whatever must not miss a follow that is being written locks the counts of the followed one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from apps.users.access import ProfileMissing, Viewer, may_see_profile
from apps.users.models import SLOTS, Follow, FollowCount, FollowRequest, Profile
from apps.users.queries import RelationshipFlags, relationship_flags
from socialapp.contracts.users import CIRCLE, Followed, FollowRequestWithdrawn, Unfollowed
from socialapp.core.errors import Invalid, NotFound
from socialapp.core.fragments import forget
from socialapp.core.slotted_counts import slot_of
from socialapp.core.sql import add
from socialapp.messaging.publish import publish

Pair = tuple[int, int]  # (follower, followed)


def reject_self(*, one: int, other: int) -> None:
    """422 for actions on oneself."""
    if one == other:
        raise Invalid("you cannot do this to yourself", code="self_not_allowed")


def lock_profiles(ids: Collection[int]) -> dict[int, Profile]:
    """The profiles among `ids`, locked until the transaction ends."""
    rows = Profile.objects.select_for_update().filter(user_id__in=ids).order_by("user_id")
    return {profile.user_id: profile for profile in rows}


def require_visible(person: Profile | None, *, viewer_id: int) -> int:
    """The relationship of the two; NotFound if the viewer may not see the person."""
    if person is None:
        raise ProfileMissing("there is no such profile")
    flags = relationship_flags(viewer_id=viewer_id, ids=[person.user_id]).get(person.user_id, RelationshipFlags.NONE)
    if not may_see_profile(profile=person, viewer=Viewer(viewer_id), flags=flags):
        raise NotFound("there is no such profile")
    return flags


def require_active(person: Profile | None) -> Profile:
    """The profile of somebody who may act; NotFound for anybody banned, inactive or deleted."""
    if person is None:
        raise ProfileMissing("there is no such profile")
    if person.status != Profile.Status.ACTIVE:
        raise NotFound("this account is not active")
    return person


def add_follows(pairs: Collection[Pair], *, accepted: bool, at: datetime) -> None:
    """Writes follows that do not exist yet, with counts and events. The caller holds the locks."""
    shift_counts(pairs, by=1)
    write_follows(dict.fromkeys(pairs, at), accepted=accepted)


def write_follows(pairs: Mapping[Pair, datetime], *, accepted: bool = False) -> None:
    """Like `add_follows`, for follows that are in the counts already, each with its time."""
    if not pairs:
        return
    Follow.objects.bulk_create(
        Follow(follower_id=one, following_id=other, created_at=at) for (one, other), at in pairs.items()
    )
    _raise_following_versions(pairs)
    publish(
        *(Followed(follower_id=one, following_id=other, accepted=accepted, at=at) for (one, other), at in pairs.items())
    )


def remove_follows(rows: Collection[Follow], *, at: datetime, also_lock: int | None = None) -> None:
    """Deletes follows with their counts, and publishes it. The caller holds the locks of the followers' profiles.

    `also_lock`: a person whose counts are all locked with these.
    """
    pairs = [(row.follower_id, row.following_id) for row in rows]
    shift_counts(pairs, by=-1, also_lock=also_lock)
    if not pairs:
        return
    Follow.objects.filter(id__in=[row.id for row in rows]).delete()
    _raise_following_versions(pairs)
    publish(*(Unfollowed(follower_id=one, following_id=other, at=at) for one, other in pairs))


def remove_requests(rows: Collection[FollowRequest]) -> None:
    """Deletes requests and publishes their end."""
    if not rows:
        return
    FollowRequest.objects.filter(id__in=[row.id for row in rows]).delete()
    at = timezone.now()
    publish(*(FollowRequestWithdrawn(requester_id=row.requester_id, target_id=row.target_id, at=at) for row in rows))


def _raise_following_versions(pairs: Iterable[Pair]) -> None:
    followers = {follower for follower, _ in pairs}
    forget(CIRCLE, ids=followers, context="users")
    Profile.objects.filter(user_id__in=followers).update(following_version=F("following_version") + 1)


def shift_counts(pairs: Iterable[Pair], *, by: int, also_lock: int | None = None) -> None:
    """Adds `by` to the counts of both sides of each follow: one statement, with rows in lock order.

    Zero changes nothing, but still locks the counts.
    """
    changes: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    if also_lock is not None:
        changes.update({(also_lock, slot): [0, 0] for slot in range(SLOTS)})
    for follower, followed in pairs:
        changes[(followed, slot_of(follower, slots=SLOTS))][0] += by
        changes[(follower, slot_of(followed, slots=SLOTS))][1] += by
    add(FollowCount, additions=changes, key=("user_id", "slot"), numbers=("followers", "following"))
