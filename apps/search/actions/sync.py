"""Updates the index from other contexts' changes. All actions are idempotent and independent of order."""

from apps.search.actions.backend import writer
from apps.search.models import Kind
from apps.search.queries import EngagementCount
from socialapp.contracts.lifecycle import context_erased
from socialapp.contracts.posts import PostDocument
from socialapp.contracts.users import Followed, ProfileChanged, ProfileDocument, StatusChanged, Unfollowed
from socialapp.core.db import after_commit, empty_write_ahead_log, transactional
from socialapp.lifecycle.data_export import held_rows
from socialapp.messaging.erasure import forget_events
from socialapp.messaging.publish import publish

_DELETED = "deleted"


@transactional("search")
def index_posts(*, documents: list[PostDocument]) -> None:
    """Indexes posts in the form of their documents, unless a newer form or a tombstone is there."""
    if documents:
        writer().write_posts(documents)


@transactional("search")
def index_profiles(*, documents: list[ProfileDocument]) -> None:
    """Indexes profiles in the form of their documents; deleted ones get a permanent tombstone."""
    present = [document for document in documents if document.status != _DELETED]
    if present:
        writer().write_profiles(present)
    for document in documents:
        if document.status == _DELETED:
            writer().write_tombstone(Kind.USER, document.card.id, author_id=document.card.id)


@transactional("search")
def remove_post(*, post_id: int, author_id: int) -> None:
    """Deletes a deleted post and leaves a permanent tombstone."""
    writer().write_tombstone(Kind.POST, post_id, author_id=author_id)


@transactional("search")
def hide_post(*, post_id: int, author_id: int, version: int) -> None:
    """Deletes a removed post, until a version above this one is indexed."""
    writer().write_tombstone(Kind.POST, post_id, author_id=author_id, version=version)


@transactional("search")
def set_engagement(*, counts: list[EngagementCount]) -> None:
    """Sets the present numbers of posts; those of posts that are not in the index are ignored."""
    writer().set_engagement(counts)


@transactional("search")
def erase_user(*, user_id: int, erasure_id: int) -> None:
    """Erases a user from the index and acknowledges it."""
    rows = held_rows("search", user_id=user_id)
    writer().erase_author(user_id)
    forget_events("search", subject=user_id, events=[ProfileChanged, StatusChanged, Followed, Unfollowed])
    publish(context_erased("search")(user_id=user_id, erasure_id=erasure_id, rows=rows))
    after_commit("search", callback=lambda: empty_write_ahead_log("search"))
