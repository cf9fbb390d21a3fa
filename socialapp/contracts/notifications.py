"""The events of notifications. Those that continue a large piece of work are for notifications itself."""

from datetime import datetime

from socialapp.contracts.base import event


@event("notifications.new_post_page_told", subject="post_id", partition="author_id")
class NewPostPageNotified:
    """The author's followers up to the id `after` have been notified of the post; the next ones are not yet."""

    post_id: int
    author_id: int
    mention_ids: list[int]
    after: int
    created_at: datetime


@event("notifications.removal_begun", subject="post_id")
class RemovalBegun:
    """A part of the notifications about a post that is gone is removed, or none yet; the rest follows."""

    post_id: int


@event("notifications.erasure_begun", subject="user_id")
class ErasureBegun:
    """A part of what is held about the person is erased, or none yet; the rest follows."""

    user_id: int
    erasure_id: int
