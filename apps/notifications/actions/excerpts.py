"""Excerpts of the texts that pushes and mails quote, or their content warnings."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.notifications.access import Visibility
from apps.notifications.models import Kind, Notification, Target
from apps.notifications.presenters import Excerpt
from apps.notifications.queries import target_ids
from socialapp.contracts.comments import Comments
from socialapp.contracts.posts import Posts
from socialapp.rpc.calls import client


@dataclass(slots=True)
class Excerpts:
    """Excerpts by post and by comment."""

    posts: dict[int, Excerpt] = field(default_factory=dict)
    comments: dict[int, Excerpt] = field(default_factory=dict)

    def of(self, row: Notification) -> Excerpt | None:
        """The excerpt for a notification; None if it quotes nothing."""
        if row.kind == Kind.MODERATION or row.target_id is None:
            return None
        known = {Target.POST: self.posts, Target.COMMENT: self.comments}.get(Target(row.target_type), {})
        return known.get(row.target_id)


def load_excerpts(visible: Sequence[tuple[Notification, Visibility]]) -> Excerpts:
    """The excerpts of the targets of these notifications, which their recipients may see.

    Each post is fetched on behalf of one of the people who may see it: one call per such person.
    """
    excerpts = Excerpts()
    rows = [row for row, _ in visible if row.kind != Kind.MODERATION]
    readers = {row.target_id: row.user_id for row in rows if row.target_type == Target.POST and row.target_id}
    posts_by_reader: dict[int, list[int]] = defaultdict(list)
    for post_id, user_id in readers.items():
        posts_by_reader[user_id].append(post_id)
    for user_id, post_ids in posts_by_reader.items():
        for body in client(Posts).post_bodies(viewer_id=user_id, post_ids=post_ids):
            warning = body.get("content_warning")
            excerpts.posts[int(str(body["id"]))] = Excerpt(
                content=str(body["content"]),
                content_warning=str(warning) if warning else None,
                sensitive=bool(body.get("sensitive")),
            )
    if comment_ids := target_ids(rows=rows, target=Target.COMMENT):
        found = client(Comments).documents(comment_ids=comment_ids)
        excerpts.comments = {comment.id: Excerpt(content=comment.content) for comment in found}
    return excerpts
