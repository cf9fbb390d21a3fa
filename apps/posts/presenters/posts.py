"""API bodies of posts, a page at a time: a constant number of queries and calls, whatever the size of the page."""

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from apps.posts.access import OWNER, READERS, PostStats, Rule, VisiblePost, is_for_followers, load_stats
from apps.posts.models import Post, PostEdit
from apps.posts.presenters.link_previews import link_preview_body
from apps.posts.presenters.media import media_fragment
from apps.posts.queries import PostRow
from socialapp.contracts.bulk import Record
from socialapp.contracts.reactions import ReactionCounts
from socialapp.contracts.users import Author, ProfileSummary
from socialapp.core.fragments import NOTHING_HELD, Held
from socialapp.core.json import rfc3339, to_json
from socialapp.http.profile_summary import profile_summary_body

Body = dict[str, object]

_NO_REACTIONS = asdict(ReactionCounts())

_REASONS = {
    Rule.REMOVED: "A moderator has removed the post.",
    Rule.AUTHOR_NOT_ACTIVE: "The author's account is banned, inactive or deleted.",
    Rule.BLOCKED: "The author and the viewer have a block between them.",
    Rule.HIDDEN: "A moderator has hidden the post from everybody but its author.",
    Rule.OWN: "The viewer wrote the post.",
    Rule.FOLLOWER: "The viewer follows the author.",
    Rule.POST_PRIVATE: "The post is private, and the viewer does not follow the author.",
    Rule.ACCOUNT_PRIVATE: "The author's account is private, and the viewer does not follow it.",
    Rule.ACCOUNT_SILENCED: "A moderator has silenced the author, and the viewer does not follow them.",
    Rule.PUBLIC: "The post and its author's account are public.",
}


def post_bodies(*, viewer_id: int | None, posts: Sequence[VisiblePost], held: Held = NOTHING_HELD) -> list[Body]:
    """The post objects of posts that the viewer may see, in order. `held`: prefetched stats."""
    stats = load_stats(viewer_id=viewer_id, post_ids=[post.row.id for post in posts], held=held)
    return [
        post_body(
            post.row,
            author=post.author,
            stats=stats,
            reposted_by=post.reposted_by,
        )
        for post in posts
    ]


def post_body(
    row: PostRow,
    *,
    author: Author,
    stats: PostStats,
    reposted_by: ProfileSummary | None = None,
) -> Body:
    """One post object."""
    return {
        "id": str(row.id),
        "author": profile_summary_body(author.card),
        "content": row.content,
        "media": media_fragment(row.media, audience=_media_audience(row, author)) if row.media else [],
        "is_private": row.is_private,
        "sensitive": row.sensitive,
        "content_warning": row.content_warning or None,
        "hashtags": row.hashtags,
        "link_preview": link_preview_body(row.link) if row.link else None,
        "mentions": [{"id": str(user_id), "username": username} for user_id, username in row.mentions],
        "reposted_by": profile_summary_body(reposted_by) if reposted_by else None,
        "comments_locked": row.comments_locked,
        "withheld": withheld_as(row),
        "comments_count": stats.comments.get(row.id, 0),
        "reactions": {**_NO_REACTIONS, **stats.reactions.get(row.id, {})},
        "reposts_count": row.reposts,
        "my_reaction": stats.my_reactions.get(row.id),
        "reposted": row.reposted,
        "bookmarked": row.bookmarked,
        "edited": row.edited,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def plain_bodies(bodies: Sequence[Body]) -> list[Body]:
    """The post objects as plain data, for code that inspects them; views send media that are rendered JSON."""
    return [body if isinstance(body["media"], list) else orjson.loads(to_json(body)) for body in bodies]


def withheld_as(row: PostRow) -> str | None:
    """Whether and why a post is visible to its author only, who is the viewer: waiting or hidden."""
    if not row.hidden:
        return None
    return "waiting" if row.waiting else "hidden"


def _media_audience(row: PostRow, author: Author) -> str | None:
    """Whom the URLs of a post's media are for; None for everybody, as they are permanent then."""
    if row.hidden:
        return OWNER
    return READERS if row.is_private or is_for_followers(author) else None


def version_bodies(edits: Sequence[PostEdit], *, post: PostRow) -> list[Body]:
    """The earlier texts of a post. Media that are no longer in the post have no public URL."""
    audience = OWNER if post.hidden else READERS
    return [
        {
            "version": edit.version,
            "content": edit.content,
            "media": media_fragment(to_json(edit.media).decode(), audience=audience) if edit.media else [],
            "created_at": edit.written_at,
        }
        for edit in edits
    ]


def visibility_body(rule: Rule, *, viewer_id: int | None) -> Body:
    """Whether somebody sees a post, and by which rule."""
    return {
        "viewer": str(viewer_id) if viewer_id is not None else None,
        "visible": rule.shows,
        "rule": rule.value,
        "reason": _REASONS[rule],
    }


def post_record(post: Post) -> Record:
    """A `post` record. Format: docs/records.md."""
    return {
        "id": str(post.id),
        "user_id": str(post.user_id),
        "content": post.content,
        "is_private": post.is_private,
        "sensitive": post.sensitive,
        "content_warning": post.content_warning,
        "created_at": post.created_at.isoformat(),
        "updated_at": post.updated_at.isoformat(),
    }
