"""What notifications does when something happens elsewhere: tells people, or takes back what it told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.notifications import actions
from apps.notifications.actions import News, day_of
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import CommentCreated, CommentDeleted
from socialapp.contracts.moderation import ContentRemoved, ContentRestored, ReportResolved, UserSanctioned
from socialapp.contracts.notifications import ErasureBegun, NewPostPageTold, RemovalBegun
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited, Posts, Reposted, Unreposted
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
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client

# Followers told in one transaction. Their ids also travel in the URL of a call, so not many more.
FOLLOWERS_A_PAGE = 1000

# What happened longer ago is no news: it was loaded from elsewhere, or a long interruption lies behind it.
NEWS_IS_OLD_AFTER = timedelta(days=1)

_OUTCOMES = {
    "removed": "We removed what you reported. Thank you for telling us.",
    "sanctioned": "We took action on what you reported. Thank you for telling us.",
    "dismissed": "We looked at what you reported and found that it keeps to our rules. Thank you for telling us.",
}


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """Who is to be told of a new post. `author` is None when the post or its author is gone."""

    author: ProfileSummary | None
    follower_ids: list[int]
    excluded: list[int]


def _is_old(at: datetime) -> bool:
    return at < datetime.now(UTC) - NEWS_IS_OLD_AFTER


def _willing(*, actor_id: int, user_ids: Iterable[int], at: datetime | None) -> set[int]:
    """Those of the people who let this actor notify them: no block between the two, not muted, actor active.

    Nobody when it happened (`at`; None is now) too long ago.
    """
    wanted = sorted(set(user_ids) - {actor_id})
    if not wanted or (at is not None and _is_old(at)) or not client(Users).profiles(ids=[actor_id]):
        return set()
    return set(wanted) - set(client(Users).muted_by(user_ids=wanted, muted_id=actor_id))


def _willing_viewers(*, post_id: int, actor_id: int, user_ids: Iterable[int], at: datetime | None) -> set[int]:
    """Those of the willing who may also see the post."""
    willing = _willing(actor_id=actor_id, user_ids=user_ids, at=at)
    return set(client(Posts).viewers(post_id=post_id, user_ids=sorted(willing))) if willing else set()


# --- Posts --------------------------------------------------------------------------------------------------------


def _gather_followers(*, post_id: int, author_id: int, after: int, at: datetime) -> FollowerPage:
    authors = [] if _is_old(at) else client(Users).profiles(ids=[author_id])
    if not authors or not client(Posts).refs(post_ids=[post_id]):
        return FollowerPage(None, [], [])
    followers = client(Users).followers(user_id=author_id, after=after, limit=FOLLOWERS_A_PAGE)
    excluded = client(Users).muted_by(user_ids=followers, muted_id=author_id) if followers else []
    return FollowerPage(authors[0], followers, excluded)


def _tell_page(page: NewPostPageTold, gathered: FollowerPage) -> None:
    if gathered.author is None or not gathered.follower_ids:
        return
    actions.tell_followers(
        page,
        follower_ids=gathered.follower_ids,
        excluded=gathered.excluded,
        author=gathered.author,
        last_page=len(gathered.follower_ids) < FOLLOWERS_A_PAGE,
    )


@handles(
    PostCreated,
    gather=lambda event: _gather_followers(
        post_id=event.post_id, author_id=event.author_id, after=0, at=event.created_at
    ),
)
def tell_first_followers(event: PostCreated, gathered: FollowerPage) -> None:
    """The first page of the author's followers is told of a new post; further pages follow by themselves."""
    page = NewPostPageTold(
        post_id=event.post_id,
        author_id=event.author_id,
        mention_ids=event.mention_ids,
        after=0,
        created_at=event.created_at,
    )
    _tell_page(page, gathered)


@handles(
    NewPostPageTold,
    gather=lambda event: _gather_followers(
        post_id=event.post_id, author_id=event.author_id, after=event.after, at=event.created_at
    ),
)
def tell_next_followers(event: NewPostPageTold, gathered: FollowerPage) -> None:
    """The next page of the author's followers is told of a new post."""
    _tell_page(event, gathered)


def _mention_news(*, post_id: int, author_id: int, user_ids: Iterable[int], at: datetime) -> list[News]:
    return [
        News(
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
    gather=lambda event: _willing_viewers(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.mention_ids, at=event.created_at
    ),
)
def tell_mentioned(event: PostCreated, mentioned: set[int]) -> None:
    """Whoever a post names and may see it is told."""
    actions.tell(
        _mention_news(post_id=event.post_id, author_id=event.author_id, user_ids=mentioned, at=event.created_at)
    )


@handles(
    PostEdited,
    gather=lambda event: _willing_viewers(
        post_id=event.post_id, actor_id=event.author_id, user_ids=event.new_mention_ids, at=None
    ),
)
def tell_newly_mentioned(event: PostEdited, mentioned: set[int]) -> None:
    """Whoever an edit names for the first time is told."""
    now = datetime.now(UTC)
    actions.tell(_mention_news(post_id=event.post_id, author_id=event.author_id, user_ids=mentioned, at=now))


@handles(PostDeleted)
def remove_post(event: PostDeleted) -> None:
    """Nothing is told any more of a post that is gone."""
    actions.begin_post_removal(post_id=event.post_id)


@handles(RemovalBegun)
def go_on_removing(event: RemovalBegun) -> None:
    """Takes the next step of a removal."""
    actions.remove_post_step(post_id=event.post_id)


@handles(
    Reposted,
    gather=lambda event: _willing(actor_id=event.user_id, user_ids=[event.author_id], at=event.at),
)
def tell_of_repost(event: Reposted, willing: set[int]) -> None:
    """The author is told who passed their post on."""
    if event.author_id in willing:
        actions.tell(
            [
                News(
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


@handles(Unreposted)
def remove_repost(event: Unreposted) -> None:
    """A repost that was taken back is no news."""
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
    gather=lambda event: _willing_viewers(
        post_id=event.post_id, actor_id=event.author_id, user_ids=_comment_kinds(event), at=event.created_at
    ),
)
def tell_of_comment(event: CommentCreated, willing: set[int]) -> None:
    """The authors of the post and of the comment replied to, and whoever is named, are told of a comment."""
    actions.tell(
        [
            News(
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


@handles(CommentDeleted)
def remove_comment(event: CommentDeleted) -> None:
    """Nothing is told any more of a comment that is gone."""
    actions.remove_comment(comment_id=event.comment_id)


def _reaction_topic(event: ReactionSet | ReactionRemoved) -> str:
    return f"reaction:{event.target_type}:{event.target_id}"


@handles(
    ReactionSet,
    gather=lambda event: _willing(actor_id=event.user_id, user_ids=[event.target_author_id], at=event.at),
)
def tell_of_reaction(event: ReactionSet, willing: set[int]) -> None:
    """The author of a post or comment is told who reacts to it."""
    if event.target_author_id in willing:
        actions.tell(
            [
                News(
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
    """A reaction that was taken back is no news."""
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
        return _willing(actor_id=event.following_id, user_ids=[event.follower_id], at=event.at)
    return _willing(actor_id=event.follower_id, user_ids=[event.following_id], at=event.at)


@handles(Followed, gather=_gather_follow)
def tell_of_follow(event: Followed, willing: set[int]) -> None:
    """Whoever is followed is told by whom; whoever was let in is told so, and their request is no news any more."""
    if event.accepted:
        actions.remove_actor(
            user_id=event.following_id,
            topic=_request_topic(event.follower_id),
            actor_id=event.follower_id,
            at=event.at,
        )
    news = _acceptance(event) if event.accepted else _follow(event)
    if news.user_id in willing:
        actions.tell([news])


def _follow(event: Followed) -> News:
    return News(
        user_id=event.following_id,
        kind="follow",
        topic="follow",
        day=day_of(event.at),
        at=event.at,
        actor_id=event.follower_id,
        target_type="user",
        target_id=event.following_id,
    )


def _acceptance(event: Followed) -> News:
    return News(
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
    """A follow that is no more is no news, nor that it was once let in."""
    actions.remove_actor(user_id=event.following_id, topic="follow", actor_id=event.follower_id, at=event.at)
    actions.remove_actor(
        user_id=event.follower_id,
        topic=_accepted_topic(event.following_id),
        actor_id=event.following_id,
        at=event.at,
    )


@handles(
    FollowRequested,
    gather=lambda event: _willing(actor_id=event.requester_id, user_ids=[event.target_id], at=event.at),
)
def tell_of_request(event: FollowRequested, willing: set[int]) -> None:
    """The owner of a private account is told who asks to be let in."""
    if event.target_id in willing:
        actions.tell(
            [
                News(
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
    """A request that is no more is no news."""
    actions.remove_actor(
        user_id=event.target_id,
        topic=_request_topic(event.requester_id),
        actor_id=event.requester_id,
        at=event.at or datetime.now(UTC),
    )


@handles(Blocked)
def remove_each_other(event: Blocked) -> None:
    """After a block neither finds the other among their notifications."""
    actions.remove_between(user_id=event.blocker_id, actor_id=event.blocked_id)
    actions.remove_between(user_id=event.blocked_id, actor_id=event.blocker_id)


# --- Moderation ---------------------------------------------------------------------------------------------------


def _tell_from_moderation(*, user_id: int, topic: str, message: str) -> None:
    news = News(user_id=user_id, kind="moderation", topic=topic, at=datetime.now(UTC), message=message[:500])
    actions.tell([news])


@handles(UserSanctioned)
def tell_of_warning(event: UserSanctioned) -> None:
    """Whoever was warned is told so; a ban they learn at the door."""
    if event.kind == "warn":
        message = f"A moderator has warned you: {event.reason}" if event.reason else "A moderator has warned you."
        _tell_from_moderation(user_id=event.user_id, topic=f"moderation:{event.action_id}", message=message)


@handles(ContentRemoved)
def tell_of_removal(event: ContentRemoved) -> None:
    """The author of what a moderator removed is told so."""
    reason = f": {event.reason}" if event.reason else "."
    _tell_from_moderation(
        user_id=event.author_id,
        topic=f"moderation:{event.action_id}:{event.target_id}",
        message=f"A moderator has removed your {event.target_type}{reason}",
    )


@handles(ContentRestored)
def tell_of_return(event: ContentRestored) -> None:
    """The author of what was removed wrongly is told that it is back."""
    _tell_from_moderation(
        user_id=event.author_id,
        topic=f"restored:{event.action_id}:{event.target_id}",
        message=f"We looked at your appeal, and your {event.target_type} is back.",
    )


@handles(ReportResolved)
def tell_of_outcome(event: ReportResolved) -> None:
    """Whoever reported something is told what came of it."""
    message = _OUTCOMES.get(event.outcome, _OUTCOMES["dismissed"])
    _tell_from_moderation(user_id=event.reporter_id, topic=f"report:{event.report_id}", message=message)


# --- Erasure ------------------------------------------------------------------------------------------------------


@handles(UserDeleted)
def begin_erasure(event: UserDeleted) -> None:
    """Everything about a person who is gone goes."""
    actions.begin_erasure(user_id=event.user_id, erasure_id=event.erasure_id)


@handles(ErasureBegun)
def go_on_erasing(event: ErasureBegun) -> None:
    """Takes the next step of an erasure."""
    actions.erase_step(user_id=event.user_id, erasure_id=event.erasure_id)
