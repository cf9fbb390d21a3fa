"""Handlers of comment events: notify each person concerned once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.notifications import access, actions
from apps.notifications.access import PostActivity
from apps.notifications.actions import NotificationRequest
from socialapp.contracts.comments import (
    CommentCreated,
    CommentDeleted,
    CommentDocument,
    CommentEdited,
    CommentRemoved,
    CommentRestored,
    Comments,
)
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import Users
from socialapp.core.text.mentions import find_mentions
from socialapp.messaging.registry import handles
from socialapp.rpc.calls import client


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment, or an edit's additions, that becomes visible: the people concerned, and the kind for each."""

    comment_id: int
    post_id: int
    author_id: int
    at: datetime
    kinds: dict[int, str]


def _topic(comment_id: int) -> str:
    return f"comment:{comment_id}"


def _kinds(
    *, author_id: int, post_author_id: int, parent_author_id: int | None, mention_ids: Iterable[int]
) -> dict[int, str]:
    """The people a comment concerns, and the kind for each: a reply before a comment before a mention."""
    kinds = dict.fromkeys(mention_ids, "mention")
    kinds[post_author_id] = "comment"
    if parent_author_id is not None:
        kinds[parent_author_id] = "reply"
    kinds.pop(author_id, None)
    return kinds


def _only_willing(
    kinds: dict[int, str], *, event: CommentCreated | CommentEdited | CommentRestored, at: datetime | None
) -> NewComment:
    willing = access.recipients_seeing_post(post_id=event.post_id, actor_id=event.author_id, user_ids=kinds, at=at)
    return _new_comment(kinds, event=event, at=at, willing=willing)


def _new_comment(
    kinds: dict[int, str],
    *,
    event: CommentCreated | CommentEdited | CommentRestored,
    at: datetime | None,
    willing: Collection[int],
) -> NewComment:
    return NewComment(
        comment_id=event.comment_id,
        post_id=event.post_id,
        author_id=event.author_id,
        at=at or datetime.now(UTC),
        kinds={user_id: kind for user_id, kind in sorted(kinds.items()) if user_id in willing},
    )


def _concerned(event: CommentCreated) -> dict[int, str]:
    """The people a new comment concerns, and the kinds; nobody while a word rule holds the comment back for review."""
    if event.is_held:
        return {}
    return _kinds(
        author_id=event.author_id,
        post_author_id=event.post_author_id,
        parent_author_id=event.parent_author_id,
        mention_ids=event.mention_ids,
    )


def _gather_released(event: CommentRestored) -> NewComment:
    """Fetches the comment and its post, if it was waiting for review until now."""
    comments = client(Comments).documents(comment_ids=[event.comment_id]) if event.was_waiting else []
    posts = client(Posts).refs(post_ids=[event.post_id]) if comments else []
    if not posts:
        return _only_willing({}, event=event, at=None)
    kinds = _kinds(
        author_id=event.author_id,
        post_author_id=posts[0].author_id,
        parent_author_id=event.parent_author_id,
        mention_ids=_mentioned(comments[0]),
    )
    return _only_willing(kinds, event=event, at=event.at)


def _mentioned(comment: CommentDocument) -> list[int]:
    """The people whom a comment mentions; those whose names' meaning was not recorded by their present names."""
    unknown = [name for name in find_mentions(comment.content) if name not in comment.mentions]
    found = client(Users).by_usernames(usernames=unknown) if unknown else []
    return [*comment.mentions.values(), *(card.id for card in found)]


def _all_written(events: Sequence[CommentCreated]) -> list[NewComment]:
    concerned = [_concerned(event) for event in events]
    pairs = list(zip(events, concerned, strict=True))
    willing = access.recipients_seeing_posts(
        [
            PostActivity(post_id=event.post_id, actor_id=event.author_id, user_ids=kinds, at=event.created_at)
            for event, kinds in pairs
        ]
    )
    return [
        _new_comment(kinds, event=event, at=event.created_at, willing=found)
        for (event, kinds), found in zip(pairs, willing, strict=True)
    ]


@handles(CommentCreated, gather=_all_written, together=True)
def notify_of_comment(events: Sequence[CommentCreated], comments: list[NewComment]) -> None:
    """Notifies the authors of posts and of parent comments, and those mentioned, of comments."""
    actions.publish_post_changes(post_ids=[comment.post_id for comment in comments])
    pairs = zip(events, comments, strict=True)
    actions.notify([request for event, comment in pairs for request in _requests(comment, cause=event)])


@handles(CommentRestored, gather=_gather_released)
def notify_of_comment_at_last(event: CommentRestored, comment: NewComment) -> None:
    """Notifies of a comment that was held back, once a moderator approved it; shows open pages that one is back."""
    actions.publish_post_changes(post_ids=[comment.post_id])
    actions.notify(_requests(comment, cause=event))


def _newly_mentioned(event: CommentEdited) -> NewComment:
    """Nobody while a word rule holds the comment back: its release notifies them."""
    mentioned = [] if event.is_held else event.new_mention_ids
    return _only_willing(dict.fromkeys(mentioned, "mention"), event=event, at=event.at)


@handles(CommentEdited, gather=_newly_mentioned)
def notify_newly_mentioned_in_comment(event: CommentEdited, comment: NewComment) -> None:
    """Notifies those whom an edit of a comment mentions for the first time."""
    actions.notify(_requests(comment, cause=event))


def _concerned_no_more(event: CommentEdited) -> list[int]:
    """People no longer mentioned after an edit, except the authors of post and parent, who are concerned anyway."""
    posts = client(Posts).refs(post_ids=[event.post_id]) if event.removed_mention_ids else []
    authors = {post.author_id for post in posts} | {event.parent_author_id}
    return [user_id for user_id in event.removed_mention_ids if user_id not in authors]


@handles(CommentEdited, gather=_concerned_no_more)
def remove_dropped_mentions_of_comment(event: CommentEdited, user_ids: list[int]) -> None:
    """Deletes the notifications of people whom an edit no longer mentions."""
    topic, at = _topic(event.comment_id), event.at or datetime.now(UTC)
    actions.undo_activities({(user_id, topic, event.author_id): at for user_id in user_ids})


def _requests(comment: NewComment, *, cause: object) -> list[NotificationRequest]:
    return [
        NotificationRequest(
            user_id=user_id,
            kind=kind,
            topic=_topic(comment.comment_id),
            at=comment.at,
            actor_id=comment.author_id,
            target_type="comment",
            target_id=comment.comment_id,
            post_id=comment.post_id,
            cause=cause,
        )
        for user_id, kind in comment.kinds.items()
    ]


@handles(CommentDeleted)
def remove_comment(event: CommentDeleted) -> None:
    """Deletes the notifications about a deleted comment."""
    actions.publish_post_changes(post_ids=[event.post_id])
    actions.remove_comment(comment_id=event.comment_id)


@handles(CommentRemoved)
def show_comment_count(event: CommentRemoved) -> None:
    """Shows open pages that a moderator removed a comment."""
    actions.publish_post_changes(post_ids=[event.post_id])
