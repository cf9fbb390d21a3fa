"""Event handlers of posts."""

from collections.abc import Sequence

from django.conf import settings

from apps.posts import access, actions, queries
from apps.posts.actions import CLEAN_UP, FAN_OUT_BATCH, FeedPage
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import CommentDeleted
from socialapp.contracts.moderation import ContentRemoved, ContentRestored, ContentRestricted
from socialapp.contracts.posts import (
    FanOutContinued,
    PostCreated,
    PostDeleted,
    PostRestored,
    Reposted,
)
from socialapp.contracts.users import ProfileChanged, StatusChanged, Users
from socialapp.lifecycle.jobs import start_job
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client


def _first_followers(user_id: int) -> list[int] | None:
    """The first page of somebody's followers; None if they are too many for fan-out."""
    if queries.is_popular(user_id) or client(Users).popular(ids=[user_id]):
        return None
    return client(Users).followers(user_id=user_id, after=0, limit=FAN_OUT_BATCH)


def _more_followers(event: FanOutContinued) -> list[int]:
    user_id = event.reposter_id or event.author_id
    return client(Users).followers(user_id=user_id, after=event.after, limit=FAN_OUT_BATCH)


def _first_followers_of(events: Sequence[PostCreated | PostRestored]) -> dict[int, list[int] | None]:
    return {user_id: _first_followers(user_id) for user_id in sorted({event.author_id for event in events})}


@handles(PostCreated, PostRestored, gather=_first_followers_of, together=True)
def fan_out_post(events: Sequence[PostCreated | PostRestored], followers: dict[int, list[int] | None]) -> None:
    """Pushes posts, new or restored, into the feeds of their authors and first followers, unless merged at reading."""
    for author_id, follower_ids in followers.items():
        if follower_ids is None:
            actions.mark_popular(user_id=author_id)
    actions.fan_out(
        [
            FeedPage(
                post_id=event.post_id,
                author_id=event.author_id,
                reposter_id=None,
                follower_ids=followers[event.author_id] or (),
                to_author=True,
                cause=event,
            )
            for event in events
        ]
    )


@handles(Reposted, gather=lambda event: _first_followers(event.user_id))
def fan_out_repost(event: Reposted, follower_ids: list[int] | None) -> None:
    """Pushes a repost into the feeds of the first followers. Readers check whether the repost still exists."""
    if follower_ids is None:
        actions.mark_popular(user_id=event.user_id)
    else:
        actions.fan_out([_page(event, reposter_id=event.user_id, follower_ids=follower_ids)])


@handles(FanOutContinued, gather=_more_followers)
def continue_fan_out(event: FanOutContinued, follower_ids: list[int]) -> None:
    """Continues with the next page of followers."""
    actions.fan_out([_page(event, reposter_id=event.reposter_id, follower_ids=follower_ids)])


def _page(event: Reposted | FanOutContinued, *, reposter_id: int | None, follower_ids: Sequence[int]) -> FeedPage:
    return FeedPage(
        post_id=event.post_id,
        author_id=event.author_id,
        reposter_id=reposter_id,
        follower_ids=follower_ids,
        cause=event,
    )


@handles(PostDeleted)
def clean_up(event: PostDeleted) -> None:
    """Deletes the bookmarks and reposts of a deleted post."""
    start_job("posts", name=CLEAN_UP, subject_id=event.post_id)


@handles(CommentDeleted)
def delete_comment_pictures(event: CommentDeleted) -> None:
    """Deletes the media of a deleted comment."""
    actions.delete_comment_media(comment_ids=[event.comment_id])


@handles(ContentRemoved)
def remove_content(event: ContentRemoved) -> None:
    """Hides a post that a moderator has removed."""
    if event.target_type == "post":
        actions.remove_post(post_id=event.target_id, action_id=event.action_id)


@handles(ContentRestricted)
def restrict_content(event: ContentRestricted) -> None:
    """Marks a post sensitive, hides it or locks its comments, or ends that, as a moderator decided."""
    if event.target_type == "post":
        actions.restrict_post(
            post_id=event.target_id,
            kind=event.kind,
            is_active=event.is_active,
            at=event.at,
            is_waiting=event.is_waiting,
        )


@handles(ContentRestored)
def restore_content(event: ContentRestored) -> None:
    """Restores a post that was removed wrongly, or ends the refusal of a restored comment's media."""
    if event.target_type == "post":
        actions.restore_post(post_id=event.target_id, action_id=event.action_id)
    elif event.target_type == "comment":
        actions.end_refusals(comment_id=event.target_id)


def _is_hidden(user_id: int) -> bool:
    """Whether an account's content is no longer public; called only if there is a cache to purge."""
    if not settings.MEDIA_PURGE:
        return False
    author = access.load_visibility(viewer_id=None, author_ids=[user_id]).authors.get(user_id)
    return author is None or access.is_for_followers(author) or not author.active


@handles(ProfileChanged, StatusChanged, gather=lambda event: _is_hidden(event.user_id))
def purge_hidden_author(event: ProfileChanged | StatusChanged, is_hidden: bool) -> None:
    """Purges the media of an account that became private or was banned from caches."""
    if is_hidden:
        actions.purge_author(event.user_id)


def _shown_in_profile(event: ProfileChanged) -> dict[str, str] | None:
    """The pictures that a profile shows; None if its owner has uploaded none for it."""
    return access.profile_pictures(event.user_id) if queries.has_profile_media(event.user_id) else None


@handles(ProfileChanged, gather=_shown_in_profile)
def settle_profile_pictures(event: ProfileChanged, shown: dict[str, str] | None) -> None:
    """Releases the pictures that a profile shows no longer, and purges them from caches."""
    if shown is not None:
        actions.settle_profile_pictures(user_id=event.user_id, shown=shown)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases everything of a deleted user; acknowledged once nothing is left."""
    begin_removal("posts", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)
