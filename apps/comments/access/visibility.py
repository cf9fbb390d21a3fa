"""Which comments a viewer may see, and which they may change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from apps.comments import queries
from apps.comments.models import Comment
from socialapp.contracts.comments import CommentRef
from socialapp.contracts.posts import PostRef, Posts
from socialapp.contracts.reactions import Reactions, ReactionSummary
from socialapp.contracts.users import ProfileSummary, Users
from socialapp.core.errors import Forbidden, NotFound, Unavailable
from socialapp.core.principal import Principal
from socialapp.rpc.calls import client

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one viewer may see of some comments: the visible authors, reactions and media."""

    authors: dict[int, ProfileSummary] = field(default_factory=dict)
    reactions: dict[int, ReactionSummary] = field(default_factory=dict)  # by comment
    media: dict[int, dict[str, Any]] = field(default_factory=dict)  # by comment

    def author(self, comment: Comment) -> ProfileSummary | None:
        """The author, if visible."""
        return self.authors.get(comment.user_id) if comment.user_id is not None else None

    def shows(self, comment: Comment) -> bool:
        """Whether the comment is shown, possibly as a tombstone."""
        return comment.is_tombstone or comment.replies_count > 0 or self.author(comment) is not None


def load_visibility(*, viewer_id: int | None, comments: Sequence[Comment]) -> Visibility:
    """What the viewer may see of comments on visible posts. Two calls, and one for media."""
    authors = _visible_authors(viewer_id, comments)
    shown = [comment for comment in comments if comment.user_id in authors]
    return Visibility(authors, _reactions(viewer_id, [comment.id for comment in shown]), _media(shown))


def load_visibility_of_one(*, viewer_id: int | None, comment: Comment) -> Visibility:
    """Like `load_visibility`, for one comment; NotFound if it is not shown."""
    visibility = load_visibility(viewer_id=viewer_id, comments=[comment])
    if not visibility.shows(comment):
        raise _no_such_comment()
    return visibility


def _visible_authors(viewer_id: int | None, comments: Sequence[Comment]) -> dict[int, ProfileSummary]:
    author_ids = sorted({comment.user_id for comment in comments if comment.user_id is not None})
    if not author_ids:
        return {}
    audience = client(Users).audience(viewer_id=viewer_id, author_ids=author_ids)
    return {
        author.card.id: author.card
        for author in audience.authors
        if author.active and not author.blocked and (author.follows or not author.silenced)
    }


def _reactions(viewer_id: int | None, comment_ids: list[int]) -> dict[int, ReactionSummary]:
    """The reactions to comments; none while reactions is unavailable: comments are then shown without counts."""
    if not comment_ids:
        return {}
    try:
        found = client(Reactions).summaries(viewer_id=viewer_id, target_type="comment", target_ids=comment_ids)
    except Unavailable as error:
        log.warning("comments.reactions_missing", error=str(error))
        return {}
    return {summary.target_id: summary for summary in found}


def _media(comments: Sequence[Comment]) -> dict[int, dict[str, Any]]:
    """The media of comments; none while posts is unavailable."""
    illustrated = [comment for comment in comments if comment.has_media]
    if not illustrated:
        return {}
    withheld_ids = [comment.id for comment in illustrated if comment.withheld]
    try:
        found = client(Posts).comment_media(comment_ids=[row.id for row in illustrated], withheld_ids=withheld_ids)
    except Unavailable as error:
        log.warning("comments.media_missing", error=str(error))
        return {}
    return {media.comment_id: media.body for media in found}


def visible_post(*, viewer_id: int | None, post_id: int) -> PostRef:
    """The post, if the viewer may see it; NotFound otherwise."""
    for post in client(Posts).visible(viewer_id=viewer_id, post_ids=[post_id]):
        return post
    raise NotFound("there is no such post, or you may not see it")


def visible_refs(*, viewer_id: int | None, comment_ids: Sequence[int]) -> list[CommentRef]:
    """The comments among these that exist and that the viewer may see: also their own that a moderator hid from others.
    At most two queries and two calls."""
    rows = queries.existing_comments(comment_ids, viewer_id=viewer_id)
    if not rows:
        return []
    post_ids = sorted({row.post_id for row in rows})
    posts = {post.id for post in client(Posts).visible(viewer_id=viewer_id, post_ids=post_ids)}
    authors = _visible_authors(viewer_id, rows)
    return [
        CommentRef(id=row.id, post_id=row.post_id, author_id=row.user_id, created_at=row.created_at)
        for row in rows
        if row.post_id in posts and row.user_id is not None and row.user_id in authors
    ]


def comments_on_visible_posts(*, viewer_id: int | None, comment_ids: Sequence[int]) -> list[Comment]:
    """The comments among these that exist and whose post the viewer may see, in the order of the ids.

    Their authors are checked by `load_visibility`. One or two queries and one call.
    """
    rows = queries.comments_with(comment_ids, viewer_id=viewer_id)
    if not rows:
        return []
    post_ids = sorted({row.post_id for row in rows})
    posts = {post.id for post in client(Posts).visible(viewer_id=viewer_id, post_ids=post_ids)}
    return [row for row in rows if row.post_id in posts]


def visible_comment(*, viewer_id: int | None, comment_id: int) -> Comment:
    """The comment or tombstone, if the viewer may see it; NotFound otherwise."""
    comment = _comment_as_shown(viewer_id, comment_id)
    if comment is not None and not comment.is_hidden:
        visible = client(Posts).visible(viewer_id=viewer_id, post_ids=[comment.post_id])
        if visible and (comment.is_tombstone or _visible_authors(viewer_id, [comment])):
            return comment
    raise _no_such_comment()


def comment_in_thread(*, viewer_id: int | None, comment_id: int) -> Comment:
    """The comment, even if the viewer sees it only as a tombstone with replies; NotFound without a visible post."""
    comment = _comment_as_shown(viewer_id, comment_id)
    if comment is None or not comment.replies_count:
        return visible_comment(viewer_id=viewer_id, comment_id=comment_id)
    if client(Posts).visible(viewer_id=viewer_id, post_ids=[comment.post_id]):
        return comment
    raise _no_such_comment()


def _comment_as_shown(viewer_id: int | None, comment_id: int) -> Comment | None:
    comment = queries.comment_or_tombstone(comment_id)
    if comment is not None:
        queries.show_to_author([comment], viewer_id=viewer_id)
    return comment


def own_comment(*, author_id: int, comment_id: int) -> Comment:
    """The comment, if the caller wrote it; Forbidden if somebody else did, NotFound if it is not visible."""
    comment = visible_comment(viewer_id=author_id, comment_id=comment_id)
    if comment.is_tombstone:
        raise _no_such_comment()
    if comment.user_id != author_id:
        raise Forbidden("only its author may edit a comment", code="not_author")
    return comment


def removable_comment(*, principal: Principal, comment_id: int) -> Comment:
    """The comment, if the caller may delete it: its author, the author of its post, or staff who see it.

    The two authors need not see it: after a block people can still delete what they wrote, and what others see under
    their posts. Forbidden for others who see it, NotFound for those who do not.
    """
    comment = _comment_as_shown(principal.id, comment_id)
    if comment is None or comment.is_tombstone:
        raise _no_such_comment()
    if principal.id == comment.user_id or _is_author_of_post(principal.id, comment):
        return comment
    visible_comment(viewer_id=principal.id, comment_id=comment_id)
    if principal.is_staff:
        return comment
    raise Forbidden("only its author or the author of the post may delete a comment", code="not_author")


def is_moderation(*, principal: Principal, comment: Comment) -> bool:
    """Whether staff would delete somebody else's comment on somebody else's post."""
    return principal.id != comment.user_id and not _is_author_of_post(principal.id, comment)


def _is_author_of_post(user_id: int, comment: Comment) -> bool:
    return any(post.author_id == user_id for post in client(Posts).refs(post_ids=[comment.post_id]))


def _no_such_comment() -> NotFound:
    return NotFound("there is no such comment, or you may not see it")
