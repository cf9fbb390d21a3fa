"""Handlers of follows, follow requests, blocks, muted conversations, ended sessions and erasure."""

from datetime import UTC, datetime

from apps.notifications import access, actions
from apps.notifications.actions import NotificationRequest
from socialapp.contracts.auth import SessionsEnded, UserDeleted
from socialapp.contracts.posts import PostMuted, PostUnmuted
from socialapp.contracts.users import Blocked, Followed, FollowRequested, FollowRequestWithdrawn, Unfollowed
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles


def _request_topic(requester_id: int) -> str:
    return f"follow_request:{requester_id}"


def _accepted_topic(accepter_id: int) -> str:
    return f"follow_accepted:{accepter_id}"


def _gather_follow(event: Followed) -> set[int]:
    if event.accepted:
        return access.recipients(actor_id=event.following_id, user_ids=[event.follower_id], at=event.at)
    return access.recipients(actor_id=event.follower_id, user_ids=[event.following_id], at=event.at)


@handles(Followed, gather=_gather_follow)
def notify_of_follow(event: Followed, willing: set[int]) -> None:
    """Notifies of a new follower, or of an accepted request, whose own notification is then deleted."""
    if event.accepted:
        actions.remove_actor(
            user_id=event.following_id,
            topic=_request_topic(event.follower_id),
            actor_id=event.follower_id,
            at=event.at,
        )
    request = _acceptance(event) if event.accepted else _follow(event)
    if request.user_id in willing:
        actions.notify([request])


def _follow(event: Followed) -> NotificationRequest:
    return NotificationRequest(
        user_id=event.following_id,
        kind="follow",
        topic="follow",
        day=actions.day_of(event.at),
        at=event.at,
        actor_id=event.follower_id,
        target_type="user",
        target_id=event.following_id,
    )


def _acceptance(event: Followed) -> NotificationRequest:
    return NotificationRequest(
        user_id=event.follower_id,
        kind="follow_accepted",
        topic=_accepted_topic(event.following_id),
        at=event.at,
        actor_id=event.following_id,
        target_type="user",
        target_id=event.following_id,
    )


@handles(Unfollowed)
def remove_follow(event: Unfollowed) -> None:
    """Deletes the notifications of a follow that ended, and of its acceptance."""
    actions.remove_actor(user_id=event.following_id, topic="follow", actor_id=event.follower_id, at=event.at)
    actions.remove_actor(
        user_id=event.follower_id,
        topic=_accepted_topic(event.following_id),
        actor_id=event.following_id,
        at=event.at,
    )


@handles(
    FollowRequested,
    gather=lambda event: access.recipients(actor_id=event.requester_id, user_ids=[event.target_id], at=event.at),
)
def notify_of_follow_request(event: FollowRequested, willing: set[int]) -> None:
    """Notifies the owner of a private account of a follow request."""
    if event.target_id in willing:
        actions.notify(
            [
                NotificationRequest(
                    user_id=event.target_id,
                    kind="follow_request",
                    topic=_request_topic(event.requester_id),
                    at=event.at,
                    actor_id=event.requester_id,
                    target_type="user",
                    target_id=event.requester_id,
                )
            ]
        )


@handles(FollowRequestWithdrawn)
def remove_request(event: FollowRequestWithdrawn) -> None:
    """Deletes the notification of a request that was withdrawn or rejected."""
    actions.remove_actor(
        user_id=event.target_id,
        topic=_request_topic(event.requester_id),
        actor_id=event.requester_id,
        at=event.at or datetime.now(UTC),
    )


@handles(Blocked)
def remove_each_other(event: Blocked) -> None:
    """Removes each from the other's notifications after a block."""
    actions.remove_between(user_id=event.blocker_id, actor_id=event.blocked_id)
    actions.remove_between(user_id=event.blocked_id, actor_id=event.blocker_id)


@handles(PostMuted)
def mute_conversation(event: PostMuted) -> None:
    """Mutes a post's conversation for somebody."""
    actions.set_conversation_mute(user_id=event.user_id, post_id=event.post_id, muted=True, at=event.at)


@handles(PostUnmuted)
def unmute_conversation(event: PostUnmuted) -> None:
    """Unmutes a post's conversation."""
    actions.set_conversation_mute(user_id=event.user_id, post_id=event.post_id, muted=False, at=event.at)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases everything about a deleted person; acknowledged once nothing is left."""
    begin_removal("notifications", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)


@handles(SessionsEnded)
def end_pushes(event: SessionsEnded) -> None:
    """Stops pushes to the devices whose sessions have ended."""
    actions.forget_devices_of_sessions(event.session_ids, user_id=event.user_id)
