"""Erases a person: hidden at once, then deleted in bounded steps, then acknowledged."""

from django.db.models import Q
from django.utils import timezone

from apps.users.actions.relations import lock_profiles, remove_follows, remove_requests
from apps.users.models import (
    Block,
    Follow,
    FollowCount,
    FollowRequest,
    Mute,
    PostCount,
    Profile,
    ProfileReset,
)
from apps.users.queries import follows_of, people_with_relations
from socialapp.contracts.auth import UserRegistered
from socialapp.contracts.moderation import UserSanctioned
from socialapp.contracts.users import CIRCLE, StatusChanged, Unblocked, Unmuted
from socialapp.core.db import transactional
from socialapp.core.fragments import forget
from socialapp.lifecycle.removal import declare_removal
from socialapp.messaging.erasure import forget_events
from socialapp.messaging.publish import publish

BATCH = 200


@transactional("users")
def hide_profile(*, user_id: int) -> None:
    """Hides this person permanently. Idempotent; an unknown id gets a tombstone, so that it never becomes a profile."""
    profile = _locked_or_made(user_id)
    if profile.status == Profile.Status.DELETED:
        return
    profile.status = Profile.Status.DELETED
    profile.version += 1
    profile.save(update_fields=["status", "version"])
    publish(StatusChanged(user_id=user_id, status=profile.status, version=profile.version))


def _erase_step(user_id: int) -> bool:
    """Hides the person, empties their profile and deletes a bounded part of the rest; returns whether nothing is
    left."""
    relations = follows_of(user_id=user_id, limit=BATCH)
    lock_profiles({user_id, *(relation.follower_id for relation in relations)})
    hide_profile(user_id=user_id)
    _empty_profile(user_id)
    # Some may have been deleted before the lock.
    remaining = list(Follow.objects.filter(id__in=[relation.id for relation in relations]))
    remove_follows(remaining, at=timezone.now(), also_lock=user_id)
    _erase_requests(user_id)
    _erase_blocks_and_mutes(user_id)
    ProfileReset.objects.filter(user_id=user_id).delete()
    if people_with_relations([user_id]):
        return False
    FollowCount.objects.filter(user_id=user_id).delete()
    PostCount.objects.filter(user_id=user_id).delete()
    forget_events("users", subject=user_id, events=[UserRegistered, UserSanctioned])
    return True


def _locked_or_made(user_id: int) -> Profile:
    Profile.objects.get_or_create(user_id=user_id, defaults={"created_at": timezone.now(), "version": 0})
    return lock_profiles([user_id])[user_id]


# The columns that an erased row needs; all others get their default, so that new columns are emptied too.
_KEPT_COLUMNS = {"user_id", "status", "version", "following_version", "created_at", "erased"}
_EMPTY_COLUMNS = {
    field.attname: field.get_default() for field in Profile._meta.concrete_fields if field.attname not in _KEPT_COLUMNS
}


def _empty_profile(user_id: int) -> None:
    """Leaves only the id, so that late events cannot create the person again."""
    rows = Profile.objects.filter(user_id=user_id, erased=False)
    rows.update(**_EMPTY_COLUMNS, created_at=timezone.now(), erased=True)


def _erase_requests(user_id: int) -> None:
    mine = Q(requester_id=user_id) | Q(target_id=user_id)
    remove_requests(list(FollowRequest.objects.filter(mine)[:BATCH]))


def _erase_blocks_and_mutes(user_id: int) -> None:
    blocks = list(Block.objects.filter(Q(blocker_id=user_id) | Q(blocked_id=user_id))[:BATCH])
    Block.objects.filter(id__in=[row.id for row in blocks]).delete()
    others = {person for row in blocks for person in (row.blocker_id, row.blocked_id)}
    forget(CIRCLE, ids={user_id, *others}, context="users")
    mutes = list(Mute.objects.filter(Q(muter_id=user_id) | Q(muted_id=user_id))[:BATCH])
    Mute.objects.filter(id__in=[row.id for row in mutes]).delete()
    publish(
        *(Unblocked(blocker_id=row.blocker_id, blocked_id=row.blocked_id) for row in blocks),
        *(Unmuted(muter_id=row.muter_id, muted_id=row.muted_id) for row in mutes),
    )


declare_removal("users", kind="user", step=_erase_step, leftovers=people_with_relations)
