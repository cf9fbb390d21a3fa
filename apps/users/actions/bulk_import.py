"""Bulk import of profiles and follows, with the same counts and events as creating them one by one."""

from collections.abc import Sequence

from django.db import IntegrityError
from django.db.models import Q

from apps.users.access import LoadableFollow, LoadableProfile
from apps.users.actions.relations import Pair, lock_profiles, shift_counts, write_follows
from apps.users.models import Block, Follow, FollowRequest, Profile
from socialapp.contracts.bulk import Rejected
from socialapp.contracts.users import ProfileChanged
from socialapp.core.db import transactional
from socialapp.messaging.publish import publish

_GONE = "one of the two does not exist"
_BLOCKED = "one of the two blocks the other"


def load_profiles(*, profiles: Sequence[LoadableProfile]) -> None:
    """Writes the profiles that do not exist yet, in one transaction.

    A profile that the registration's event has created meanwhile, and that was not changed since, is completed.
    """
    try:
        _load_profiles(profiles)
    except IntegrityError:
        # The event of a registration created one of them concurrently; now it exists and is completed.
        _load_profiles(profiles)


@transactional("users")
def _load_profiles(profiles: Sequence[LoadableProfile]) -> None:
    wanted: dict[int, LoadableProfile] = {}
    for profile in profiles:
        wanted.setdefault(profile.user_id, profile)
    present = lock_profiles(wanted)
    new = [profile for user_id, profile in wanted.items() if user_id not in present]
    Profile.objects.bulk_create(_row(profile) for profile in new)
    publish(*(ProfileChanged(user_id=profile.user_id, version=1) for profile in new))
    for row in present.values():
        _complete(row, wanted[row.user_id])


def _row(profile: LoadableProfile) -> Profile:
    return Profile(
        user_id=profile.user_id,
        username=profile.username,
        username_key=profile.username.casefold(),
        full_name=profile.full_name,
        bio=profile.bio,
        is_private=profile.is_private,
        is_discoverable=profile.is_discoverable,
        created_at=profile.created_at,
    )


def _complete(row: Profile, profile: LoadableProfile) -> None:
    found = {name: getattr(profile, name) for name in ("full_name", "bio", "is_private", "is_discoverable")}
    if row.version != 1 or row.erased or all(getattr(row, name) == value for name, value in found.items()):
        return
    for name, value in found.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*found, "version"])
    publish(ProfileChanged(user_id=row.user_id, version=row.version))


@transactional("users")
def load_follows(*, follows: Sequence[LoadableFollow]) -> list[Rejected]:
    """Writes the follows that do not exist yet, in one transaction, without requests to private accounts.

    Rejects follows of or by people who do not exist, and those across a block.
    """
    wanted: dict[Pair, LoadableFollow] = {}
    for follow in follows:
        wanted.setdefault((follow.follower_id, follow.following_id), follow)
    people = {user_id for pair in wanted for user_id in pair}
    lock_profiles({follower for follower, _ in wanted})
    taken = _pairs_of(people)
    new = [pair for pair in wanted if pair not in taken]
    # Locks the counts of the followed: a concurrent erasure either waits for this or is seen by the next line.
    shift_counts(new, by=1)
    refused = _refusals(new, people)
    shift_counts(list(refused), by=-1)
    made = {pair: wanted[pair].created_at for pair in new if pair not in refused}
    _forget_requests(made.keys() & _requested(people))
    write_follows(made)
    return [
        Rejected(index=follow.index, reason=refused[pair])
        for follow in follows
        if (pair := (follow.follower_id, follow.following_id)) in refused
    ]


def _pairs_of(people: set[int]) -> set[Pair]:
    rows = Follow.objects.filter(follower_id__in=people, following_id__in=people)
    return set(rows.values_list("follower_id", "following_id"))


def _requested(people: set[int]) -> set[Pair]:
    rows = FollowRequest.objects.filter(requester_id__in=people, target_id__in=people)
    return set(rows.values_list("requester_id", "target_id"))


def _forget_requests(pairs: set[Pair]) -> None:
    for requester_id, target_id in pairs:
        FollowRequest.objects.filter(requester_id=requester_id, target_id=target_id).delete()


def _refusals(pairs: Sequence[Pair], people: set[int]) -> dict[Pair, str]:
    existing = set(
        Profile.objects.filter(user_id__in=people)
        .exclude(status=Profile.Status.DELETED)
        .values_list("user_id", flat=True)
    )
    rows = Block.objects.filter(Q(blocker_id__in=people) & Q(blocked_id__in=people))
    blocks = set(rows.values_list("blocker_id", "blocked_id"))
    refused = {pair: _GONE for pair in pairs if not existing.issuperset(pair)}
    return refused | {pair: _BLOCKED for pair in pairs if pair in blocks or pair[::-1] in blocks}
