"""The API's post objects, a page at a time: a constant number of queries and calls, whatever the size of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from apps.posts.models import RepostCount
from apps.posts.queries.access import PostRow, Seen, visible_posts
from apps.posts.queries.media import post_media_bodies
from socialapp.contracts.comments import Comments
from socialapp.contracts.reactions import ReactionCounts, Reactions, ReactionSummary
from socialapp.contracts.users import ProfileSummary
from socialapp.core.errors import Unavailable
from socialapp.core.json import rfc3339
from socialapp.core.sql import placeholders, select
from socialapp.http.profile_summary import profile_summary_body
from socialapp.rpc.calls import client

Body = dict[str, object]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PostStats:
    """What is shown with posts but not held in their rows, by post id."""

    comments: Mapping[int, int] = field(default_factory=dict)
    reactions: Mapping[int, ReactionSummary] = field(default_factory=dict)
    reposts: Mapping[int, int] = field(default_factory=dict)
    bookmarked: frozenset[int] = frozenset()


def bodies_of(viewer_id: int | None, posts: Sequence[Seen]) -> list[Body]:
    """The post objects of posts that the viewer may see, in their order."""
    around = _surroundings(viewer_id, [post.row.id for post in posts])
    return [
        body_of(
            post.row,
            post.author.card,
            around,
            reposted_by=post.reposted_by,
            is_public=not (post.row.is_private or post.author.is_private),
        )
        for post in posts
    ]


def visible_bodies(viewer_id: int | None, post_ids: Sequence[int]) -> list[Body]:
    """The post objects of those of the posts that the viewer may see, in the order of `post_ids`."""
    return bodies_of(viewer_id, visible_posts(viewer_id, post_ids))


def body_of(
    row: PostRow,
    author: ProfileSummary,
    around: PostStats,
    *,
    is_public: bool,
    reposted_by: ProfileSummary | None = None,
) -> Body:
    """One post object. `is_public`: anybody may see it, so that its media have addresses that hold for ever."""
    summary = around.reactions.get(row.id)
    counts = summary.counts if summary else ReactionCounts()
    return {
        "id": str(row.id),
        "author": profile_summary_body(author),
        "content": row.content,
        "media": post_media_bodies(row.media, is_public=is_public) if row.media else [],
        "is_private": row.is_private,
        "sensitive": row.sensitive,
        "content_warning": row.content_warning or None,
        "hashtags": row.hashtags,
        "mentions": [{"id": str(user_id), "username": username} for user_id, username in row.mentions],
        "reposted_by": profile_summary_body(reposted_by) if reposted_by else None,
        "comments_count": around.comments.get(row.id, 0),
        "reactions": {
            "like": counts.like,
            "love": counts.love,
            "haha": counts.haha,
            "sad": counts.sad,
            "angry": counts.angry,
        },
        "reposts_count": around.reposts.get(row.id, 0),
        "my_reaction": summary.mine if summary else None,
        "bookmarked": row.id in around.bookmarked,
        "edited": row.edited,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


_KEPT_AND_PASSED_ON_SQL = (
    "SELECT post_id, count FROM repost_counts WHERE post_id IN ({0})"
    " UNION ALL SELECT post_id, -1 FROM bookmarks WHERE user_id = %s AND post_id IN ({0})"
)


def _surroundings(viewer_id: int | None, post_ids: list[int]) -> PostStats:
    """One query of our own, in SQL as every list needs it, and a call each to comments and reactions."""
    if not post_ids:
        return PostStats()
    sql = _KEPT_AND_PASSED_ON_SQL.format(placeholders(post_ids))
    rows = select(RepostCount, sql, [*post_ids, viewer_id or 0, *post_ids])
    return PostStats(
        comments=_comment_counts(post_ids),
        reactions=_reactions(viewer_id, post_ids),
        # MariaDB makes a decimal of a column that unites unsigned and signed numbers.
        reposts={post_id: int(count) for post_id, count in rows if count >= 0},
        bookmarked=frozenset(post_id for post_id, count in rows if count < 0),
    )


def _comment_counts(post_ids: list[int]) -> dict[int, int]:
    """Zeros while comments does not answer: a page without counts is better than none."""
    try:
        return {found.post_id: found.count for found in client(Comments).counts(post_ids=post_ids)}
    except Unavailable as error:
        log.warning("posts.counts_missing", error=str(error))
        return {}


def _reactions(viewer_id: int | None, post_ids: list[int]) -> dict[int, ReactionSummary]:
    """Zeros while reactions does not answer."""
    try:
        found = client(Reactions).summaries(viewer_id=viewer_id, target_type="post", target_ids=post_ids)
    except Unavailable as error:
        log.warning("posts.reactions_missing", error=str(error))
        return {}
    return {summary.target_id: summary for summary in found}
