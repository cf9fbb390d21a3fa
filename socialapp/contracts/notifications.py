"""The events of notifications, only for notifications itself."""

from datetime import datetime

from socialapp.contracts.base import event


@event("notifications.new_post_page_told", subject="post_id", partition="author_id")
class NewPostPageNotified:
    """The author's followers up to the id `after` have been notified of the post; the next page is due."""

    post_id: int
    author_id: int
    mention_ids: list[int]
    after: int
    created_at: datetime
