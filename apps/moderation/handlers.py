"""Checks new texts against the rules, closes cases whose target is gone, and erases."""

from collections.abc import Callable, Sequence
from operator import attrgetter

import apps.moderation.actions.erasure  # noqa: F401  (declares the removal)
from apps.moderation import actions
from apps.moderation.access import Document, documents_to_check
from apps.moderation.queries import Target
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentEdited
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited
from socialapp.contracts.users import ProfileChanged
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.delivery import caused_by
from socialapp.messaging.registry import handles

Texts = list[Document]
Written = PostCreated | PostEdited | CommentCreated | CommentEdited


def _texts(events: Sequence[Written], check: Callable[[list[int], bool], Texts]) -> Texts:
    """What `check` gives for the ids of what a rule holds, and for those of the others."""
    held = {_target(event).id for event in events if event.is_held}
    others = {_target(event).id for event in events} - held
    return [text for ids, are_held in ((held, True), (others, False)) if ids for text in check(sorted(ids), are_held)]


def _post_texts(events: Sequence[PostCreated | PostEdited]) -> Texts:
    return _texts(events, lambda ids, are_held: documents_to_check(post_ids=ids, are_held=are_held))


def _comment_texts(events: Sequence[CommentCreated | CommentEdited]) -> Texts:
    return _texts(events, lambda ids, are_held: documents_to_check(comment_ids=ids, are_held=are_held))


@handles(PostCreated, PostEdited, gather=_post_texts, together=True)
def check_post(events: Sequence[PostCreated | PostEdited], texts: Texts) -> None:
    """The posts' present texts against the rules; a deleted one has none."""
    _check(events, texts)


@handles(CommentCreated, CommentEdited, gather=_comment_texts, together=True)
def check_comment(events: Sequence[CommentCreated | CommentEdited], texts: Texts) -> None:
    """The comments' present texts against the rules; a deleted one has none."""
    _check(events, texts)


def _check(events: Sequence[Written], texts: Texts) -> None:
    # Of several about one text, one that holds it counts.
    written = {_target(event): event for event in sorted(events, key=attrgetter("is_held"))}
    actions.record_texts(list(written))
    for document in texts:
        event = written[document.target]
        with caused_by(event):
            actions.check_document(document=document, is_held=event.is_held)


def _target(event: Written) -> Target:
    if isinstance(event, PostCreated | PostEdited):
        return Target("post", event.post_id, event.author_id)
    return Target("comment", event.comment_id, event.author_id)


def _profile_text(event: ProfileChanged) -> Texts:
    return documents_to_check(user_ids=[event.user_id])


@handles(ProfileChanged, gather=_profile_text)
def check_profile(event: ProfileChanged, texts: Texts) -> None:
    """The profile's present name and text against the rules."""
    for document in texts:
        actions.check_document(document=document)


@handles(PostDeleted)
def close_case_of_post(event: PostDeleted) -> None:
    """Nothing is left to decide about a post that is gone."""
    actions.close_case_of_gone_target(target_type="post", target_id=event.post_id)


@handles(CommentDeleted)
def close_case_of_comment(event: CommentDeleted) -> None:
    """Nothing is left to decide about a comment that is gone."""
    actions.close_case_of_gone_target(target_type="comment", target_id=event.comment_id)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases what is held about the user; acknowledged when nothing is left."""
    begin_removal("moderation", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)
