"""Erasing a person: hidden at once, then everything of theirs removed in bounded chunks, then acknowledged."""

from django.db.models import Q
from django.utils import timezone

from apps.users.actions.edges import lock_profiles, remove_follows, remove_requests
from apps.users.models import (
    Block,
    Follow,
    FollowCount,
    FollowRequest,
    Mute,
    PostCount,
    Profile,
    UnfinishedWork,
)
from apps.users.queries import edges_of
from socialapp.contracts.auth import UserRegistered
from socialapp.contracts.moderation import UserSanctioned
from socialapp.contracts.users import StatusChanged, Unblocked, Unmuted, UsersErased
from socialapp.core.db import transactional
from socialapp.messaging.erasure import forget_events
from socialapp.messaging.publish import publish

ERASE_CHUNK = 200


@transactional("users")
def hide_profile(*, user_id: int) -> None:
    """Shows nothing of this person from now on. Idempotent; an unknown id is kept from ever becoming a profile."""
    profile = _locked_or_made(user_id)
    if profile.status == Profile.Status.DELETED:
        return
    profile.status = Profile.Status.DELETED
    profile.version += 1
    profile.save(update_fields=["status", "version"])
    publish(StatusChanged(user_id=user_id, status=profile.status, version=profile.version))


@transactional("users")
def begin_erasure(*, user_id: int, erasure_id: int) -> None:
    """Hides the person, empties their profile and notes what is to be erased; the first chunk goes at once."""
    UnfinishedWork.objects.get_or_create(kind=UnfinishedWork.Kind.ERASE, user_id=user_id, erasure_id=erasure_id)
    erase_chunk(user_id=user_id)


@transactional("users")
def erase_chunk(*, user_id: int) -> bool:
    """Removes a bounded part of what is left of a person and, when that was all, acknowledges; whether it was all."""
    edges = edges_of(user_id, ERASE_CHUNK)
    lock_profiles({user_id, *(edge.follower_id for edge in edges)})
    hide_profile(user_id=user_id)
    _empty_profile(user_id)
    # Some may have been ended before the lock.
    remaining = list(Follow.objects.filter(id__in=[edge.id for edge in edges]))
    remove_follows(remaining, at=timezone.now(), also_lock=user_id)
    _erase_requests(user_id)
    _erase_blocks_and_mutes(user_id)
    if _anything_left(user_id):
        return False
    FollowCount.objects.filter(user_id=user_id).delete()
    PostCount.objects.filter(user_id=user_id).delete()
    forget_events("users", subject=user_id, events=[UserRegistered, UserSanctioned])
    _acknowledge(user_id)
    return True


def _locked_or_made(user_id: int) -> Profile:
    Profile.objects.get_or_create(user_id=user_id, defaults={"created_at": timezone.now(), "version": 0})
    return lock_profiles([user_id])[user_id]


def _empty_profile(user_id: int) -> None:
    """Leaves only the id, so that nothing that arrives late can make the person anew."""
    Profile.objects.filter(user_id=user_id, erased=False).update(
        username="",
        username_key="",
        full_name="",
        bio="",
        profile_picture="",
        is_private=False,
        sanctioned_at=None,
        created_at=timezone.now(),
        erased=True,
    )


def _erase_requests(user_id: int) -> None:
    mine = Q(requester_id=user_id) | Q(target_id=user_id)
    remove_requests(list(FollowRequest.objects.filter(mine)[:ERASE_CHUNK]))


def _erase_blocks_and_mutes(user_id: int) -> None:
    blocks = list(Block.objects.filter(Q(blocker_id=user_id) | Q(blocked_id=user_id))[:ERASE_CHUNK])
    Block.objects.filter(id__in=[row.id for row in blocks]).delete()
    mutes = list(Mute.objects.filter(Q(muter_id=user_id) | Q(muted_id=user_id))[:ERASE_CHUNK])
    Mute.objects.filter(id__in=[row.id for row in mutes]).delete()
    publish(
        *(Unblocked(blocker_id=row.blocker_id, blocked_id=row.blocked_id) for row in blocks),
        *(Unmuted(muter_id=row.muter_id, muted_id=row.muted_id) for row in mutes),
    )


def _anything_left(user_id: int) -> bool:
    return (
        bool(edges_of(user_id, 1))
        or FollowRequest.objects.filter(Q(requester_id=user_id) | Q(target_id=user_id)).exists()
        or Block.objects.filter(Q(blocker_id=user_id) | Q(blocked_id=user_id)).exists()
        or Mute.objects.filter(Q(muter_id=user_id) | Q(muted_id=user_id)).exists()
    )


def _acknowledge(user_id: int) -> None:
    work = UnfinishedWork.objects.filter(user_id=user_id)
    erasures = work.filter(kind=UnfinishedWork.Kind.ERASE).values_list("erasure_id", flat=True)
    publish(*(UsersErased(user_id=user_id, erasure_id=erasure_id) for erasure_id in erasures))
    work.delete()
