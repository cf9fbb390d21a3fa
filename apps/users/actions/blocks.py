"""Blocking and muting."""

from django.utils import timezone

from apps.users.actions.relations import (
    lock_profiles,
    reject_self,
    remove_follows,
    remove_requests,
    require_active,
    require_visible,
)
from apps.users.models import Block, Follow, FollowRequest, Mute, Profile
from apps.users.queries import RelationshipFlags
from socialapp.contracts.users import CIRCLE, Blocked, Muted, Unblocked, Unmuted
from socialapp.core.db import transactional
from socialapp.core.fragments import forget
from socialapp.messaging.publish import publish


@transactional("users")
def block(*, blocker_id: int, blocked_id: int) -> None:
    """Blocks somebody: follows and requests between the two are removed, in both directions. Idempotent."""
    reject_self(one=blocker_id, other=blocked_id)
    locked = lock_profiles([blocker_id, blocked_id])
    require_active(locked.get(blocker_id))
    if require_visible(locked.get(blocked_id), viewer_id=blocker_id) & RelationshipFlags.BLOCKING:
        return
    now = timezone.now()
    both = (blocker_id, blocked_id)
    remove_follows(list(Follow.objects.filter(follower_id__in=both, following_id__in=both)), at=now)
    remove_requests(list(FollowRequest.objects.filter(requester_id__in=both, target_id__in=both)))
    Block.objects.create(blocker_id=blocker_id, blocked_id=blocked_id, created_at=now)
    forget(CIRCLE, ids=both, context="users")
    publish(Blocked(blocker_id=blocker_id, blocked_id=blocked_id))


@transactional("users")
def unblock(*, blocker_id: int, blocked_id: int) -> None:
    """Ends a block; what it removed stays removed. Idempotent."""
    reject_self(one=blocker_id, other=blocked_id)
    lock_profiles([blocker_id, blocked_id])
    if Block.objects.filter(blocker_id=blocker_id, blocked_id=blocked_id).delete()[0]:
        forget(CIRCLE, ids=[blocker_id, blocked_id], context="users")
        publish(Unblocked(blocker_id=blocker_id, blocked_id=blocked_id))
    else:
        require_visible(Profile.objects.filter(user_id=blocked_id).first(), viewer_id=blocker_id)


@transactional("users")
def mute(*, muter_id: int, muted_id: int) -> None:
    """Removes somebody's posts from the muter's feed and explore, and their activity from the muter's notifications.
    Idempotent."""
    reject_self(one=muter_id, other=muted_id)
    locked = lock_profiles([muter_id, muted_id])
    require_active(locked.get(muter_id))
    if require_visible(locked.get(muted_id), viewer_id=muter_id) & RelationshipFlags.MUTING:
        return
    Mute.objects.create(muter_id=muter_id, muted_id=muted_id, created_at=timezone.now())
    publish(Muted(muter_id=muter_id, muted_id=muted_id))


@transactional("users")
def unmute(*, muter_id: int, muted_id: int) -> None:
    """Ends a mute. Idempotent."""
    reject_self(one=muter_id, other=muted_id)
    lock_profiles([muter_id, muted_id])
    if Mute.objects.filter(muter_id=muter_id, muted_id=muted_id).delete()[0]:
        publish(Unmuted(muter_id=muter_id, muted_id=muted_id))
    else:
        require_visible(Profile.objects.filter(user_id=muted_id).first(), viewer_id=muter_id)
