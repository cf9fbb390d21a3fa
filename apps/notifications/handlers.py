"""What notifications does when something happens elsewhere: notifies people, or removes notifications."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from apps.notifications import actions
from apps.notifications.access import is_outdated, recipients, recipients_seeing_post
from apps.notifications.actions import NotificationRequest, day_of
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import (
    CommentCreated,
    CommentDeleted,
    CommentEdited,
    CommentRemoved,
    CommentRestored,
)
from socialapp.contracts.moderation import (
    AppealDecided,
    ContentRemoved,
    ContentRestored,
    ReportResolved,
    UserSanctioned,
)
from socialapp.contracts.notifications import NewPostPageNotified
from socialapp.contracts.posts import (
    PostCreated,
    PostDeleted,
    PostEdited,
    PostMuted,
    Posts,
    PostUnmuted,
    Reposted,
    Unreposted,
)
from socialapp.contracts.reactions import ReactionRemoved, ReactionSet
from socialapp.contracts.users import (
    Blocked,
    Followed,
    FollowRequested,
    FollowRequestWithdrawn,
    ProfileSummary,
    Unfollowed,
    Users,
)
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client

# Followers notified in one transaction. Their ids also travel in the URL of a call, so not many more.
FOLLOWERS_PER_PAGE = 1000

_OUTCOMES = {
    "removed": "We removed what you reported. Thank you for telling us.",
    "sanctioned": "We took action on what you reported. Thank you for telling us.",
    "gone": "What you reported is no longer there. Thank you for telling us.",
    "dismissed": "We looked at what you reported and found that it keeps to our rules. Thank you for telling us.",
}


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """Who is to be notified of a new post. `author` is None when the post or its author is gone."""

    author: ProfileSummary | None
    follower_ids: list[int]
    excluded: list[int]


# --- Posts --------------------------------------------------------------------------------------------------------


def _gather_followers(*, post_id: int, author_id: int, after: int, at: datetime) -> FollowerPage:
    authors = [] if is_outdated(at) else client(Users).profiles(ids=[author_id])
    if not authors or not client(Posts).refs(post_ids=[post_id]):
        return FollowerPage(None, [], [])
    followers = client(Users).followers(user_id=author_id, after=after, limit=FOLLOWERS_PER_PAGE)
    excluded = client(Users).muted_by(user_ids=followers, muted_id=author_id) if followers else []
    return FollowerPage(authors[0], followers, excluded)


def _notify_page(page: NewPostPageNotified, gathered: FollowerPage) -> None:
    if gathered.author is None or not gathered.follower_ids:
        return
    actions.notify_followers(
        page,
        follower_ids=gathered.follower_ids,
        excluded=gathered.excluded,
        author=gathered.author,
        last_page=len(gathered.follower_ids) < FOLLOWERS_PER_PAGE,
    )


@handles(
    PostCreated,
    gather=lambda event: _gather_followers(
        post_id=event.post_id, author_id=event.author_id, after=0, at=event.created_at
    ),
)
def notify_first_followers(event: PostCreated, gathered: FollowerPage) -> None:
    """Notifies the first page of the author's followers of a new post; further pages follow by events."""
    page = NewPostPageNotified(
        post_id=event.post_id,
        author_id=event.author_id,
        mention_ids=event.mention_ids,
        after=0,
        created_at=event.created_at,
    )
    _notify_page(page, gathered)


@handles(
    NewPostPageNotified,
    gather=lambda event: _gather_followers(
        post_id=event.post_id, author_id=event.author_id, after=event.after, at=event.created_at
    ),
)
def notify_next_followers(event: NewPostPageNotified, gathered: FollowerPage) -> None:
    """Notifies the next page of the author's followers of a new post."""
    _notify_page(event, gathered)


def _mention_requests(
    *, post_id: int, author_id: int, user_ids: Iterable[int], at: datetime
) -> list[NotificationRequest]:
    return [
        NotificationRequest(
            user_id=user_id,
            kind="mention",
            topic=f"mention:post:{post_id}",
            at=at,
            actor_id=author_id,
            target_type="post",
            target_id=post_id,
            post_id=post_id,
        )
        for user_id in sorted(user_ids)
    ]


@handles(
    PostCreated,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.mention_ids, at=event.created_at
    ),
)
def notify_mentioned(event: PostCreated, mentioned: set[int]) -> None:
    """Notifies those whom a post mentions and who may see it."""
    actions.notify(
        _mention_requests(post_id=event.post_id, author_id=event.author_id, user_ids=mentioned, at=event.created_at)
    )


@handles(
    PostEdited,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.new_mention_ids, at=None
    ),
)
def notify_newly_mentioned(event: PostEdited, mentioned: set[int]) -> None:
    """Notifies those whom an edit mentions for the first time."""
    now = datetime.now(UTC)
    actions.notify(_mention_requests(post_id=event.post_id, author_id=event.author_id, user_ids=mentioned, at=now))


@handles(PostDeleted)
def remove_post(event: PostDeleted) -> None:
    """Removes the notifications about a deleted post."""
    begin_removal("notifications", "post", subject_id=event.post_id)


@handles(
    Reposted,
    gather=lambda event: recipients(actor_id=event.user_id, user_ids=[event.author_id], at=event.at),
)
def notify_of_repost(event: Reposted, willing: set[int]) -> None:
    """Notifies the author of a repost."""
    actions.publish_post_change(post_id=event.post_id)
    if event.author_id in willing:
        actions.notify(
            [
                NotificationRequest(
                    user_id=event.author_id,
                    kind="repost",
                    topic=f"repost:{event.post_id}",
                    day=day_of(event.at),
                    at=event.at,
                    actor_id=event.user_id,
                    target_type="post",
                    target_id=event.post_id,
                    post_id=event.post_id,
                )
            ]
        )


def _gather_feed_readers(event: Reposted) -> list[int]:
    """The reposter's followers. Of people with very many followers feeds do not have reposts of their own either."""
    readers: list[int] = []
    after = 0
    while not is_outdated(event.at) and len(readers) < settings.POPULAR_FOLLOWERS:
        page = client(Users).followers(user_id=event.user_id, after=after, limit=FOLLOWERS_PER_PAGE)
        if not page:
            return readers
        muting = set(client(Users).muted_by(user_ids=page, muted_id=event.user_id))
        readers += [user_id for user_id in page if user_id not in muting]
        after = page[-1]
    return []


@handles(Reposted, gather=_gather_feed_readers)
def show_repost_in_feeds(event: Reposted, followers: list[int]) -> None:
    """Shows open pages of the reposter's followers that their feed has changed."""
    actions.publish_feed_change(post_id=event.post_id, user_ids=followers)


@handles(Unreposted)
def remove_repost(event: Unreposted) -> None:
    """Removes an undone repost from the author's notifications."""
    actions.publish_post_change(post_id=event.post_id)
    actions.remove_actor(
        user_id=event.author_id,
        topic=f"repost:{event.post_id}",
        actor_id=event.user_id,
        at=event.at or datetime.now(UTC),
    )


# --- Comments and reactions ---------------------------------------------------------------------------------------


def _comment_kinds(event: CommentCreated) -> dict[int, str]:
    """Whom a comment concerns, and how: each person once, as a reply before a comment before a mention."""
    kinds = dict.fromkeys(event.mention_ids, "mention")
    kinds[event.post_author_id] = "comment"
    if event.parent_author_id is not None:
        kinds[event.parent_author_id] = "reply"
    kinds.pop(event.author_id, None)
    return kinds


@handles(
    CommentCreated,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=_comment_kinds(event), at=event.created_at
    ),
)
def notify_of_comment(event: CommentCreated, willing: set[int]) -> None:
    """Notifies the authors of the post and of the parent comment, and those mentioned, of a comment."""
    actions.publish_post_change(post_id=event.post_id)
    actions.notify(
        [
            NotificationRequest(
                user_id=user_id,
                kind=kind,
                topic=f"comment:{event.comment_id}",
                at=event.created_at,
                actor_id=event.author_id,
                target_type="comment",
                target_id=event.comment_id,
                post_id=event.post_id,
            )
            for user_id, kind in sorted(_comment_kinds(event).items())
            if user_id in willing
        ]
    )


@handles(
    CommentEdited,
    gather=lambda event: recipients_seeing_post(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.new_mention_ids, at=None
    ),
)
def notify_newly_mentioned_in_comment(event: CommentEdited, mentioned: set[int]) -> None:
    """Notifies those whom an edit of a comment mentions for the first time."""
    now = datetime.now(UTC)
    actions.notify(
        [
            NotificationRequest(
                user_id=user_id,
                kind="mention",
                topic=f"comment:{event.comment_id}",
                at=now,
                actor_id=event.author_id,
                target_type="comment",
                target_id=event.comment_id,
                post_id=event.post_id,
            )
            for user_id in sorted(mentioned)
        ]
    )


@handles(CommentDeleted)
def remove_comment(event: CommentDeleted) -> None:
    """Removes the notifications about a deleted comment."""
    actions.publish_post_change(post_id=event.post_id)
    actions.remove_comment(comment_id=event.comment_id)


@handles(CommentRemoved, CommentRestored)
def show_comment_count(event: CommentRemoved | CommentRestored) -> None:
    """Shows open pages that a moderator removed a comment or brought it back."""
    actions.publish_post_change(post_id=event.post_id)


def _publish_reaction_change(event: ReactionSet | ReactionRemoved) -> None:
    if event.target_type == "post":
        actions.publish_post_change(post_id=event.post_id)


def _reaction_topic(event: ReactionSet | ReactionRemoved) -> str:
    return f"reaction:{event.target_type}:{event.target_id}"


@handles(
    ReactionSet,
    gather=lambda event: recipients(actor_id=event.user_id, user_ids=[event.target_author_id], at=event.at),
)
def notify_of_reaction(event: ReactionSet, willing: set[int]) -> None:
    """Notifies the author of a post or comment of a reaction."""
    _publish_reaction_change(event)
    if event.target_author_id in willing:
        actions.notify(
            [
                NotificationRequest(
                    user_id=event.target_author_id,
                    kind="reaction",
                    topic=_reaction_topic(event),
                    day=day_of(event.at),
                    at=event.at,
                    actor_id=event.user_id,
                    target_type=event.target_type,
                    target_id=event.target_id,
                    post_id=event.post_id,
                )
            ]
        )


@handles(ReactionRemoved)
def remove_reaction(event: ReactionRemoved) -> None:
    """Removes an undone reaction from the author's notifications."""
    _publish_reaction_change(event)
    actions.remove_actor(
        user_id=event.target_author_id, topic=_reaction_topic(event), actor_id=event.user_id, at=event.at
    )


# --- People -------------------------------------------------------------------------------------------------------


def _request_topic(requester_id: int) -> str:
    return f"follow_request:{requester_id}"


def _accepted_topic(accepter_id: int) -> str:
    return f"follow_accepted:{accepter_id}"


def _gather_follow(event: Followed) -> set[int]:
    if event.accepted:
        return recipients(actor_id=event.following_id, user_ids=[event.follower_id], at=event.at)
    return recipients(actor_id=event.follower_id, user_ids=[event.following_id], at=event.at)


@handles(Followed, gather=_gather_follow)
def notify_of_follow(event: Followed, willing: set[int]) -> None:
    """Notifies of a new follower, or of an accepted request, whose own notification is then removed."""
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
        day=day_of(event.at),
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
    """Removes the notifications of a follow that ended, and of its acceptance."""
    actions.remove_actor(user_id=event.following_id, topic="follow", actor_id=event.follower_id, at=event.at)
    actions.remove_actor(
        user_id=event.follower_id,
        topic=_accepted_topic(event.following_id),
        actor_id=event.following_id,
        at=event.at,
    )


@handles(
    FollowRequested,
    gather=lambda event: recipients(actor_id=event.requester_id, user_ids=[event.target_id], at=event.at),
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
    """Removes the notification of a request that was withdrawn or rejected."""
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


# --- Moderation ---------------------------------------------------------------------------------------------------


@handles(UserSanctioned)
def notify_of_warning(event: UserSanctioned) -> None:
    """Notifies somebody who was warned; who is banned or unbanned learns it when logging in."""
    if event.kind != "warn":
        return
    message = f"A moderator has warned you: {event.reason}" if event.reason else "A moderator has warned you."
    _notify_from_moderation(
        user_id=event.user_id,
        topic=f"moderation:{event.action_id}",
        message=message,
        action_id=event.action_id,
        target=("user", event.user_id),
    )


@handles(ContentRemoved)
def notify_of_removal(event: ContentRemoved) -> None:
    """Notifies the author of what a moderator removed."""
    reason = f": {event.reason}" if event.reason else "."
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"moderation:{event.action_id}:{event.target_id}",
        message=f"A moderator has removed your {event.target_type}{reason}",
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


@handles(ContentRestored)
def notify_of_restoration(event: ContentRestored) -> None:
    """Notifies the author of what was removed wrongly that it is back."""
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"restored:{event.action_id}:{event.target_id}",
        message=f"We looked at your appeal, and your {event.target_type} is back.",
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


@handles(ReportResolved)
def notify_of_report_outcome(event: ReportResolved) -> None:
    """Notifies a reporter of what came of the report."""
    message = _OUTCOMES.get(event.outcome, _OUTCOMES["dismissed"])
    _notify_from_moderation(user_id=event.reporter_id, topic=f"report:{event.report_id}", message=message)


def _notify_from_moderation(
    *, user_id: int, topic: str, message: str, action_id: int | None = None, target: tuple[str, int] | None = None
) -> None:
    target_type, target_id = target or ("", None)
    request = NotificationRequest(
        user_id=user_id,
        kind="moderation",
        topic=topic,
        at=datetime.now(UTC),
        message=message[:500],
        action_id=action_id,
        target_type=target_type,
        target_id=target_id,
    )
    actions.notify([request])


@handles(AppealDecided)
def notify_of_appeal(event: AppealDecided) -> None:
    """Notifies somebody of the answer to their appeal; what comes back is announced by its restoration."""
    if event.is_accepted and event.target_type in ("post", "comment"):
        return
    outcome = "accepted" if event.is_accepted else "rejected"
    target = (event.target_type, event.target_id) if event.target_id is not None else None
    _notify_from_moderation(
        user_id=event.user_id,
        action_id=event.action_id,
        target=target,
        topic=f"appeal:{event.appeal_id}",
        message=f"Your appeal was {outcome}: {event.answer}",
    )


# --- Muted conversations ------------------------------------------------------------------------------------------


@handles(PostMuted)
def mute_conversation(event: PostMuted) -> None:
    """Notifies somebody no longer of what happens to a post."""
    actions.set_conversation_mute(user_id=event.user_id, post_id=event.post_id, muted=True, at=event.at)


@handles(PostUnmuted)
def unmute_conversation(event: PostUnmuted) -> None:
    """Notifies them again."""
    actions.set_conversation_mute(user_id=event.user_id, post_id=event.post_id, muted=False, at=event.at)


# --- Erasure ------------------------------------------------------------------------------------------------------


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases everything about a deleted person; acknowledged when nothing is left."""
    begin_removal("notifications", "user", subject_id=event.user_id, erasure_id=event.erasure_id)
