"""Lists of posts other than the home feed, filtered for a viewer."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from apps.posts.access.pages import Filter, Read, fill_page
from apps.posts.access.visibility import VisiblePost, is_for_followers, load_visibility, visible_posts
from apps.posts.models import PostEdit
from apps.posts.queries import (
    Entry,
    Span,
    author_entries,
    bookmark_entries,
    earlier_versions,
    hashtag_entries,
    newest_public_posts,
    public_authors,
    public_entries,
    repost_counts,
    tag_uses,
)
from socialapp.contracts.reactions import Reactions
from socialapp.core.errors import NotFound, Unavailable
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.pages import Page, PageRequest, keep_place
from socialapp.rpc.calls import client

_TREND_WINDOW = timedelta(hours=24)
_TREND_TAGS = 1000
_TREND_DAYS = timedelta(days=3)
_TREND_POSTS = 200
_REACTIONS = ("like", "love", "haha", "sad", "angry")
_TREND_HALF_LIFE = timedelta(hours=6)


def author_page(*, viewer_id: int | None, author_id: int, page: PageRequest) -> Page[VisiblePost]:
    """An author's posts that the viewer may see, newest first; NotFound if the author is not visible at all."""
    visibility = load_visibility(viewer_id=viewer_id, author_ids=[author_id])
    if not visibility.may_see_author(author_id):
        raise NotFound("there is no such profile, or you may not see it")
    may_see_private = visibility.may_see_private(author_id)
    if is_for_followers(visibility.authors[author_id]) and not may_see_private:
        return Page([])

    def read(span: Span) -> list[Entry]:
        return author_entries(author_id=author_id, public_only=not may_see_private, span=span)

    return _page(page, read=read, visible=_filter(viewer_id))


def hashtag_page(*, viewer_id: int | None, tag: str, page: PageRequest) -> Page[VisiblePost]:
    """The posts with a hashtag that the viewer may see, newest first."""
    return _page(page, read=lambda span: hashtag_entries(tag=tag, span=span), visible=_filter(viewer_id))


def bookmark_page(*, user_id: int, page: PageRequest) -> Page[VisiblePost]:
    """The posts that somebody bookmarked and may still see, newest bookmark first."""
    return _page(page, read=lambda span: bookmark_entries(user_id=user_id, span=span), visible=_filter(user_id))


def public_posts(*, author_id: int | None, tag: str, limit: int) -> Sequence[VisiblePost]:
    """The newest posts that everybody may see, for feeds and sitemaps: an author's, else a hashtag's, else those of
    explore."""
    page = PageRequest(limit=limit)
    if author_id is not None:
        try:
            return author_page(viewer_id=None, author_id=author_id, page=page).items
        except NotFound:
            return []
    if tag:
        return hashtag_page(viewer_id=None, tag=tag, page=page).items
    return explore_page(viewer_id=None, page=page).items


def explore_page(*, viewer_id: int | None, page: PageRequest) -> Page[VisiblePost]:
    """Public posts of public accounts that have not opted out, newest first, without those of authors whom the viewer
    mutes or may not see."""
    return _page(page, read=lambda span: public_entries(span=span), visible=_discovery_filter(viewer_id))


def history_page(*, viewer_id: int | None, post: VisiblePost, page: PageRequest) -> Page[PostEdit]:
    """The earlier texts of a post that the viewer may see, newest first; private ones for followers only."""
    may_see_private = viewer_id == post.row.user_id or post.author.follows
    return earlier_versions(post_id=post.row.id, public_only=not may_see_private, page=page)


def trending_posts(*, viewer_id: int | None, limit: int) -> list[VisiblePost]:
    """Posts of explore, of the last days, with the most reactions and reposts for their age, best first.

    Considers the last few hundred posts. Three queries and two calls.
    """
    newest = newest_public_posts(since=first_id_at(datetime.now(UTC) - _TREND_DAYS), limit=_TREND_POSTS)
    posts = _discovery_filter(viewer_id)([Entry(post_id, post_id) for post_id in newest])
    ids = [post.row.id for post in posts]
    reposts = repost_counts(ids)
    reactions = _reaction_totals(ids)
    now = datetime.now(UTC)

    def score(post: VisiblePost) -> float:
        hours = (now - post.row.created_at).total_seconds() / 3600
        points = reactions.get(post.row.id, 0) + 3 * reposts.get(post.row.id, 0)
        return float((points + 1) / (max(hours, 0) + 2) ** 1.5)

    return sorted(posts, key=lambda post: (-score(post), -post.row.id))[:limit]


def _reaction_totals(post_ids: list[int]) -> dict[int, int]:
    """Reaction totals by post; empty while reactions is unavailable, so that newer posts come first."""
    try:
        found = client(Reactions).summaries(viewer_id=None, target_type="post", target_ids=post_ids)
    except Unavailable:
        return {}
    return {item.target_id: sum(getattr(item.counts, name) for name in _REACTIONS) for item in found}


def trending_tags(*, viewer_id: int | None, limit: int) -> list[tuple[str, int]]:
    """The hashtags that most people use now, with the number of public posts by authors whom the viewer may see.

    A person counts once per hashtag, with a half-life of six hours since the last use. Considers the last thousand
    uses. Two queries and one call.
    """
    used = tag_uses(since=first_id_at(datetime.now(UTC) - _TREND_WINDOW), limit=_TREND_TAGS)
    authors = public_authors({use.post_id for use in used})
    visibility = load_visibility(viewer_id=viewer_id, author_ids=authors.values())
    # Only public posts count, so that trends are the same for everybody except for blocks. Those of people who opted
    # out of discovery count, too: a hashtag names nobody, and its page lists their posts.
    public = {
        post_id
        for post_id, author_id in authors.items()
        if visibility.may_see_author(author_id) and not is_for_followers(visibility.authors[author_id])
    }
    counts = Counter(key for key, _, post_id in used if post_id in public)
    names = {key: name for key, name, _ in reversed(used)}
    now = datetime.now(UTC)
    newest: dict[tuple[str, int], int] = {}
    for key, _, post_id in used:
        if post_id in public:
            newest[key, authors[post_id]] = max(post_id, newest.get((key, authors[post_id]), 0))
    scores: dict[str, float] = defaultdict(float)
    for (key, _), post_id in newest.items():
        scores[key] += 0.5 ** ((now - id_time(post_id)) / _TREND_HALF_LIFE)
    ranked = sorted(counts, key=lambda key: (-round(scores[key], 3), names[key]))
    return [(names[key], counts[key]) for key in ranked[:limit]]


def _page(page: PageRequest, *, read: Read, visible: Filter) -> Page[VisiblePost]:
    return keep_place(page, read=lambda request: fill_page(request, read=read, visible=visible))


def _is_discoverable(post: VisiblePost) -> bool:
    is_for_all = not (post.row.is_private or post.row.hidden or is_for_followers(post.author))
    return is_for_all and post.author.is_discoverable and not post.author.muted


def _filter(viewer_id: int | None) -> Callable[[Sequence[Entry]], list[VisiblePost]]:
    """A filter that keeps what the viewer may see."""

    def visible(entries: Sequence[Entry]) -> list[VisiblePost]:
        positions = {entry.post_id: entry.position for entry in entries}
        posts = visible_posts(viewer_id=viewer_id, post_ids=[entry.post_id for entry in entries])
        return [post._replace(position=positions[post.row.id]) for post in posts]

    return visible


def _discovery_filter(viewer_id: int | None) -> Callable[[Sequence[Entry]], list[VisiblePost]]:
    """A filter that keeps what is public, without authors who opted out, or whom the viewer mutes or may not see."""
    visible = _filter(viewer_id)
    return lambda entries: [post for post in visible(entries) if _is_discoverable(post)]
