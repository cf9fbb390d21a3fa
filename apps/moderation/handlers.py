"""Checks new texts against the rules, closes cases whose target is gone, and erases."""

import apps.moderation.actions.erasure  # noqa: F401  (declares the removal)
from apps.moderation import actions
from apps.moderation.access.screening import Document
from apps.moderation.access.targets import documents_to_check
from apps.moderation.queries.cases import Target
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.comments import CommentCreated, CommentDeleted, CommentEdited
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited
from socialapp.contracts.users import ProfileChanged
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.registry import handles

Texts = list[Document]


def _post_text(event: PostCreated | PostEdited) -> Texts:
    return documents_to_check(post_ids=[event.post_id], are_held=event.is_held)


def _comment_text(event: CommentCreated | CommentEdited) -> Texts:
    return documents_to_check(comment_ids=[event.comment_id], are_held=event.is_held)


@handles(PostCreated, PostEdited, gather=_post_text)
def check_post(event: PostCreated | PostEdited, texts: Texts) -> None:
    """The post's present text against the rules; a deleted one has none."""
    actions.record_text(target=Target("post", event.post_id, event.author_id))
    for document in texts:
        actions.check_document(document=document, is_held=event.is_held)


@handles(CommentCreated, CommentEdited, gather=_comment_text)
def check_comment(event: CommentCreated | CommentEdited, texts: Texts) -> None:
    """The comment's present text against the rules; a deleted one has none."""
    actions.record_text(target=Target("comment", event.comment_id, event.author_id))
    for document in texts:
        actions.check_document(document=document, is_held=event.is_held)


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
