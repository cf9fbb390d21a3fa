"""Follows, follow requests, and responses to them."""

from django.conf import settings
from django.utils import timezone

from apps.users.actions.relations import (
    add_follows,
    lock_profiles,
    reject_self,
    remove_follows,
    remove_requests,
    require_active,
    require_visible,
    shift_counts,
    write_follows,
)
from apps.users.models import Follow, FollowRequest, Profile
from apps.users.queries import RelationshipFlags, followings_and_requests, relationship_flags
from socialapp.contracts.users import FollowRequested
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Forbidden, NotFound
from socialapp.lifecycle.jobs import declare_job
from socialapp.messaging.publish import publish

BATCH = 200
ACCEPT_REQUESTS = "accept_requests"


@transactional("users")
def follow(*, follower_id: int, target_id: int) -> None:
    """Follows somebody, or sends a follow request to a private account. Idempotent.

    NotFound if the follower may not see the target, Conflict if they block it, Forbidden (`too_many_followings`) beyond
    MAX_FOLLOWINGS.
    """
    reject_self(one=follower_id, other=target_id)
    require_active(lock_profiles([follower_id]).get(follower_id))
    target = Profile.objects.filter(user_id=target_id).first()
    flags = require_visible(target, viewer_id=follower_id)
    if flags & RelationshipFlags.FOLLOWING or target is None:
        return
    if flags & RelationshipFlags.BLOCKING:
        raise Conflict("end the block before following", code="user_blocked")
    if flags & RelationshipFlags.REQUESTED and target.is_private:
        return
    _require_room(follower_id)
    _write_follow(follower_id, target)


def _require_room(follower_id: int) -> None:
    if followings_and_requests(follower_id) >= settings.MAX_FOLLOWINGS:
        raise Forbidden(f"you can follow at most {settings.MAX_FOLLOWINGS} people", code="too_many_followings")


def _write_follow(follower_id: int, target: Profile) -> None:
    """Writes the follow or request, after checking the target again under the lock of its counts.

    A concurrent block, ban, erasure or change of privacy either waits for that lock or is seen here.
    """
    pair = (follower_id, target.user_id)
    expected = 0 if target.is_private else 1
    shift_counts([pair], by=expected)
    target = require_active(Profile.objects.filter(user_id=target.user_id).first())
    if (found := 0 if target.is_private else 1) != expected:
        shift_counts([pair], by=found - expected)
    now = timezone.now()
    if found:
        # A request that still waits for the account, public by now, to accept it is accepted here.
        waiting = FollowRequest.objects.filter(requester_id=follower_id, target_id=target.user_id)
        write_follows({pair: now}, accepted=bool(waiting.delete()[0]))
    elif not FollowRequest.objects.filter(requester_id=follower_id, target_id=target.user_id).exists():
        FollowRequest.objects.create(requester_id=follower_id, target_id=target.user_id, created_at=now)
        publish(FollowRequested(requester_id=follower_id, target_id=target.user_id, at=now))


@transactional("users")
def unfollow(*, follower_id: int, target_id: int) -> None:
    """Ends a follow, or withdraws the request for one. Idempotent; NotFound for somebody neither visible nor
    followed."""
    reject_self(one=follower_id, other=target_id)
    lock_profiles([follower_id])
    follows = list(Follow.objects.filter(follower_id=follower_id, following_id=target_id))
    requests = list(FollowRequest.objects.filter(requester_id=follower_id, target_id=target_id))
    remove_follows(follows, at=timezone.now())
    remove_requests(requests)
    if not follows and not requests:
        require_visible(Profile.objects.filter(user_id=target_id).first(), viewer_id=follower_id)


@transactional("users")
def accept_request(*, target_id: int, requester_id: int) -> None:
    """Accepts a follow request. Idempotent; NotFound if they neither requested nor follow."""
    requester = lock_profiles([requester_id]).get(requester_id)
    flags = relationship_flags(viewer_id=target_id, ids=[requester_id]).get(requester_id, RelationshipFlags.NONE)
    if flags & RelationshipFlags.FOLLOWED_BY:
        return
    require_active(Profile.objects.filter(user_id=target_id).first())
    asked = FollowRequest.objects.filter(requester_id=requester_id, target_id=target_id)
    if requester is None or requester.status != Profile.Status.ACTIVE or not asked.delete()[0]:
        raise NotFound("there is no such follow request")
    add_follows([(requester_id, target_id)], accepted=True, at=timezone.now())


@transactional("users")
def reject_request(*, target_id: int, requester_id: int) -> None:
    """Rejects a follow request; NotFound if there is none."""
    lock_profiles([requester_id])
    asked = list(FollowRequest.objects.filter(requester_id=requester_id, target_id=target_id))
    if not asked:
        raise NotFound("there is no such follow request")
    remove_requests(asked)


def _accept_step(target_id: int) -> bool:
    """Accepts some of the open requests to an account that is no longer private; returns whether none is left."""
    waiting = FollowRequest.objects.filter(target_id=target_id).order_by("id")
    ids = list(waiting.values_list("requester_id", flat=True)[:BATCH])
    locked = lock_profiles([*ids, target_id])
    target = locked.get(target_id)
    if target is None or target.is_private or target.status == Profile.Status.DELETED:
        return True
    # Some may have been accepted, rejected or withdrawn before the lock.
    asked = list(waiting.filter(requester_id__in=ids))
    FollowRequest.objects.filter(id__in=[row.id for row in asked]).delete()
    pairs = [(row.requester_id, target_id) for row in asked]
    add_follows(pairs, accepted=True, at=timezone.now())
    return not waiting.exists()


declare_job("users", name=ACCEPT_REQUESTS, step=_accept_step)
