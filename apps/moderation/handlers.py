"""Event handlers of moderation: check new texts, close cases whose target is gone, and erase."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from apps.moderation import access, actions
from apps.moderation.access import Document
from apps.moderation.queries import Target
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentEdited
from socialapp.contracts.posts import MediaDescribed, PostCreated, PostDeleted, PostEdited
from socialapp.contracts.users import ProfileChanged
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.delivery import caused_by
from socialapp.messaging.registry import handles

Texts = list[Document]
Written = PostCreated | PostEdited | CommentCreated | CommentEdited


def _texts(events: Sequence[Written], check: Callable[[list[int], bool], Texts]) -> Texts:
    """Gathers for `check`: separately for ids that a rule holds back, and for the others."""
    held = {_target(event).id for event in events if event.is_held}
    others = {_target(event).id for event in events} - held
    return [text for ids, are_held in ((held, True), (others, False)) if ids for text in check(sorted(ids), are_held)]


def _post_texts(events: Sequence[PostCreated | PostEdited]) -> Texts:
    return _texts(events, lambda ids, are_held: access.documents_to_check(post_ids=ids, are_held=are_held))


def _comment_texts(events: Sequence[CommentCreated | CommentEdited]) -> Texts:
    return _texts(events, lambda ids, are_held: access.documents_to_check(comment_ids=ids, are_held=are_held))


@handles(PostCreated, PostEdited, gather=_post_texts, together=True)
def check_post(events: Sequence[PostCreated | PostEdited], texts: Texts) -> None:
    """Checks the posts' present texts against the rules; deleted ones have none."""
    _check(events, texts)


@handles(CommentCreated, CommentEdited, gather=_comment_texts, together=True)
def check_comment(events: Sequence[CommentCreated | CommentEdited], texts: Texts) -> None:
    """Checks the comments' present texts against the rules; deleted ones have none."""
    _check(events, texts)


def _check(events: Sequence[Written], texts: Texts) -> None:
    # Of several events about one text, one that is held decides.
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


def _described_text(event: MediaDescribed) -> Texts:
    if event.comment_id is not None:
        return access.documents_to_check(comment_ids=[event.comment_id])
    return access.documents_to_check(post_ids=[event.post_id])


@handles(MediaDescribed, gather=_described_text)
def check_description(event: MediaDescribed, texts: Texts) -> None:
    """Checks the present text of the post or comment whose media got another description against the rules."""
    for document in texts:
        actions.check_document(document=document)


def _profile_text(event: ProfileChanged) -> Texts:
    return [] if event.is_restored else access.documents_to_check(user_ids=[event.user_id])


@handles(ProfileChanged, gather=_profile_text)
def check_profile(event: ProfileChanged, texts: Texts) -> None:
    """Checks the profile's present name and text against the rules, unless a moderator restored it."""
    for document in texts:
        actions.check_document(document=document)


@handles(PostDeleted)
def close_case_of_post(event: PostDeleted) -> None:
    """Closes the cases about a deleted post."""
    actions.close_case_of_gone_target(target_type="post", target_id=event.post_id)


@handles(CommentDeleted)
def close_case_of_comment(event: CommentDeleted) -> None:
    """Closes the cases about a deleted comment."""
    actions.close_case_of_gone_target(target_type="comment", target_id=event.comment_id)


@handles(UserDeleted)
def erase_user(event: UserDeleted) -> None:
    """Erases the user's data; acknowledged once nothing is left."""
    begin_removal("moderation", kind="user", subject_id=event.user_id, erasure_id=event.erasure_id)
