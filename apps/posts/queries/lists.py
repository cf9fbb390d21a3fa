"""Lists of posts besides the home feed: of an author, of a hashtag, of bookmarks, and the history of one post."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from apps.posts.models import Bookmark, Post, PostEdit, PostHashtag, RepostCount
from apps.posts.queries.access import Seen, load_visibility, visible_posts
from apps.posts.queries.pages import Entry, beyond, fill_page
from apps.posts.queries.texts import tag_key
from socialapp.contracts.reactions import Reactions
from socialapp.core.errors import NotFound, Unavailable
from socialapp.core.ids import first_id_at, id_time
from socialapp.core.pages import Page, PageRequest, keep_place, paginate
from socialapp.rpc.calls import client

_TREND_WINDOW = timedelta(hours=24)
_TREND_TAGS = 1000
_TREND_DAYS = timedelta(days=3)
_TREND_POSTS = 200
_REACTIONS = ("like", "love", "haha", "sad", "angry")
_TREND_HALF_LIFE = timedelta(hours=6)
# Clocks of different machines differ: a first post may bear an id below that of its author.
_CLOCK_DIFFERENCE = timedelta(minutes=5)


def author_page(viewer_id: int | None, author_id: int, page: PageRequest) -> Page[Seen]:
    """An author's posts that the viewer may see, newest first; NotFound when the author is not visible at all."""
    sight = load_visibility(viewer_id, [author_id])
    if not sight.may_meet(author_id):
        raise NotFound("there is no such profile, or you may not see it", code="profile_not_found")
    # Nobody writes before they are registered: the bound spares a partitioned table its earlier partitions.
    posts = Post.objects.filter(user_id=author_id, id__gte=first_id_at(id_time(author_id) - _CLOCK_DIFFERENCE))
    if not sight.is_let_in(author_id):
        posts = posts.none() if sight.authors[author_id].is_private else posts.filter(is_private=False)
    return _page_of_rows(viewer_id, posts, "id", "id", page)


def hashtag_page(viewer_id: int | None, tag: str, page: PageRequest) -> Page[Seen]:
    """The posts with a hashtag that the viewer may see, newest first."""
    tagged = PostHashtag.objects.filter(tag_key=tag_key(tag))
    return _page_of_rows(viewer_id, tagged, "post_id", "post_id", page)


def bookmark_page(user_id: int, page: PageRequest) -> Page[Seen]:
    """The posts that somebody keeps and may still see, the last kept first."""
    return _page_of_rows(user_id, Bookmark.objects.filter(user_id=user_id), "id", "post_id", page)


def _page_of_rows(
    viewer_id: int | None, rows: QuerySet[Any], position_field: str, post_field: str, page: PageRequest
) -> Page[Seen]:
    """A page of the posts named by rows that go down by `position_field`, without those the viewer may not see."""

    def read_page(request: PageRequest) -> Page[Seen]:
        def read(position: int | None, count: int) -> list[Entry]:
            found = beyond(rows, position_field, position, backwards=request.backwards)
            return [Entry(*values) for values in found.values_list(position_field, post_field)[:count]]

        return fill_page(request, read=read, see=lambda entries: _see(viewer_id, entries))

    return keep_place(page, read_page)


def explore_page(viewer_id: int | None, page: PageRequest) -> Page[Seen]:
    """Public posts of public accounts, newest first, without those of people whom the viewer may not meet."""

    def read_page(request: PageRequest) -> Page[Seen]:
        def read(position: int | None, count: int) -> list[Entry]:
            found = beyond(Post.objects.filter(is_private=False), "id", position, backwards=request.backwards)
            return [Entry(post_id, post_id) for post_id in found.values_list("id", flat=True)[:count]]

        return fill_page(request, read=read, see=lambda entries: _see_public(viewer_id, entries))

    return keep_place(page, read_page)


def trending_posts(viewer_id: int | None, limit: int) -> list[Seen]:
    """Public posts of the last days with the most reactions and reposts for their age, the best first.

    Looks at the last few hundred posts at most. Three queries and two calls.
    """
    since = first_id_at(datetime.now(UTC) - _TREND_DAYS)
    newest = Post.objects.filter(id__gte=since, is_private=False).order_by("-id").values_list("id", flat=True)
    seen = _see_public(viewer_id, [Entry(post_id, post_id) for post_id in newest[:_TREND_POSTS]])
    ids = [post.row.id for post in seen]
    reposts = dict(RepostCount.objects.filter(post_id__in=ids).values_list("post_id", "count"))
    reactions = _reaction_totals(ids)
    now = datetime.now(UTC)

    def score(post: Seen) -> float:
        hours = (now - post.row.created_at).total_seconds() / 3600
        points = reactions.get(post.row.id, 0) + 3 * reposts.get(post.row.id, 0)
        return float((points + 1) / (max(hours, 0) + 2) ** 1.5)

    return sorted(seen, key=lambda post: (-score(post), -post.row.id))[:limit]


def _reaction_totals(post_ids: list[int]) -> dict[int, int]:
    """Nothing while reactions does not answer: then what is new comes first."""
    try:
        found = client(Reactions).summaries(viewer_id=None, target_type="post", target_ids=post_ids)
    except Unavailable:
        return {}
    return {item.target_id: sum(getattr(item.counts, name) for name in _REACTIONS) for item in found}


def _see_public(viewer_id: int | None, entries: Sequence[Entry]) -> list[Seen]:
    """Those of the posts that anybody may see, as everybody sees them but for blocks."""
    return [post for post in _see(viewer_id, entries) if not (post.row.is_private or post.author.is_private)]


def history_page(viewer_id: int | None, post: Seen, page: PageRequest) -> Page[PostEdit]:
    """The earlier texts of a post that the viewer may see, newest first; private ones for those let in only."""
    edits = PostEdit.objects.filter(post_id=post.row.id)
    if viewer_id != post.row.user_id and not post.author.follows:
        edits = edits.filter(is_private=False)
    return paginate(edits, page, order=("-version",))


def trending_tags(viewer_id: int | None, limit: int) -> list[tuple[str, int]]:
    """The hashtags that most people use now, with how many public posts of people whom the viewer may meet have them.

    A person counts once, and half for every six hours since their last use. Looks at the last thousand uses at most.
    Two queries and one call.
    """
    since = first_id_at(datetime.now(UTC) - _TREND_WINDOW)
    recent = PostHashtag.objects.filter(id__gte=since).order_by("-id")
    used = list(recent.values_list("tag_key", "tag", "post_id")[:_TREND_TAGS])
    posts = Post.objects.filter(id__in={post_id for _, _, post_id in used}, is_private=False)
    authors = dict(posts.values_list("id", "user_id"))
    sight = load_visibility(viewer_id, authors.values())
    # What only followers may see trends for nobody, so that all count alike but for blocks.
    public = {
        post_id
        for post_id, author_id in authors.items()
        if sight.may_meet(author_id) and not sight.authors[author_id].is_private
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


def _see(viewer_id: int | None, entries: Sequence[Entry]) -> list[Seen]:
    positions = {entry.post_id: entry.position for entry in entries}
    seen = visible_posts(viewer_id, [entry.post_id for entry in entries])
    return [post._replace(position=positions[post.row.id]) for post in seen]
