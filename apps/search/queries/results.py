"""Pages of results. The access rule: the index is asked only for what the viewer may see, and every hit is shown
only if its own context, asked now, still gives its body to this viewer. Nothing else is shown or counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from apps.search.queries.highlight import mark_beginnings, mark_phrases, mark_tag
from apps.search.queries.index import Authors, Hit, TagCount, Viewer, Window, index
from apps.search.queries.language import MAX_QUERY, Criteria, parse, tag_characters, tokens
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import Users
from socialapp.core.errors import Invalid
from socialapp.core.ids import MAX_ID
from socialapp.core.pages import Page, PageRequest, Position, keep_place, page_of
from socialapp.rpc.calls import client

Body = dict[str, Any]
T = TypeVar("T")

KINDS = ("users", "posts", "hashtags")

_ROUNDS = 5  # how often a page is filled up when hits turn out not to be visible
_MOST_TAGS = 1000
_FEW = 3  # users and hashtags each, ahead of the posts on the first page of a mixed search
_START_OF_POSTS: Position = (MAX_ID,)


@dataclass(frozen=True, slots=True)
class Result:
    """One thing found: `type` is user, post or hashtag; `highlight` is HTML with the matches in <em>, or None."""

    type: str
    item: Body
    highlight: str | None

    def body(self) -> Body:
        """The API's result object."""
        return {"type": self.type, "item": self.item, "highlight": self.highlight}


def search(*, viewer_id: int | None, q: str, kind: str | None, window: PageRequest) -> Page[Result]:
    """The results for `q`; without a kind people and hashtags come before the posts, on the first page only.

    Invalid when `q` is empty or a filter cannot be understood; Unavailable when the index does not answer.
    """
    criteria = parse(q)
    if criteria.asks_for_nothing:
        return Page([])
    viewer = _viewer(viewer_id)
    match kind:
        case "users":
            return _users(criteria, viewer, window)
        case "hashtags":
            return _hashtags(criteria, viewer, window)
        case "posts":
            return _posts(criteria, viewer, window)
        case _:
            return _everything(criteria, viewer, window)


def suggest(*, viewer_id: int | None, q: str, limit: int) -> list[Result]:
    """People and hashtags whose names begin with what was typed; `@` or `#` in front asks for one of them only."""
    typed = q.strip()
    if not typed or len(typed) > MAX_QUERY:
        raise Invalid.of("q", "length", f"Type something of at most {MAX_QUERY} characters.")
    viewer = _viewer(viewer_id)
    words = [token.word for token in tokens(typed)]
    name = typed.lower().lstrip("@#")
    tags: list[Result] = []
    if not typed.startswith("@"):
        tags = [_tag_result(tag, [name]) for tag in index().hashtags(_prefixes([name]), viewer, limit=limit)]
    users: list[Result] = []
    if words and not typed.startswith("#"):
        criteria = Criteria(phrases=[tuple(words)], names=[name])
        users = list(_users(criteria, viewer, PageRequest(limit), names_only=True).items)
    kept = users[: max(limit - len(tags), (limit + 1) // 2)]
    return [*kept, *tags[: limit - len(kept)]]


def _viewer(viewer_id: int | None) -> Viewer:
    if viewer_id is None:
        return Viewer(None, [], [])
    following = client(Users).following(user_id=viewer_id).ids
    return Viewer(viewer_id, list(following), client(Users).hidden_from(viewer_id=viewer_id))


def _everything(criteria: Criteria, viewer: Viewer, window: PageRequest) -> Page[Result]:
    if window.position is not None:
        return _posts(criteria, viewer, window)
    few = min(_FEW, (window.limit + 3) // 4)
    people = _users(criteria, viewer, PageRequest(few)).items
    tags = _hashtags(criteria, viewer, PageRequest(few)).items
    ahead = [*people, *tags][: window.limit]
    left = window.limit - len(ahead)
    if not left:
        return Page(ahead, next=_START_OF_POSTS)
    posts = _posts(criteria, viewer, PageRequest(left))
    return Page([*ahead, *posts.items], next=posts.next)


def _posts(criteria: Criteria, viewer: Viewer, window: PageRequest) -> Page[Result]:
    authors = _authors(criteria)
    if authors.only == []:
        return Page([])

    def bodies(ids: list[int]) -> list[Body]:
        return client(Posts).post_bodies(viewer_id=viewer.id, post_ids=ids)

    def result(body: Body) -> Result:
        return Result("post", body, mark_phrases(str(body["content"]), criteria))

    return _checked(window, lambda part: index().posts(criteria, authors, viewer, part), bodies, result)


def _users(criteria: Criteria, viewer: Viewer, window: PageRequest, *, names_only: bool = False) -> Page[Result]:
    if not criteria.words or criteria.tags or criteria.asks_for_posts:
        return Page([])

    def hits(part: Window) -> list[Hit]:
        return index().profiles(criteria, viewer, part, names_only=names_only)

    def bodies(ids: list[int]) -> list[Body]:
        return client(Users).profile_bodies(viewer_id=viewer.id, ids=ids)

    def result(body: Body) -> Result:
        return Result("user", body, _mark_profile(body, criteria))

    return _checked(window, hits, bodies, result)


def _mark_profile(body: Body, criteria: Criteria) -> str | None:
    for text in (body["full_name"], body["username"]):
        if marked := mark_beginnings(str(text or ""), criteria.words):
            return marked
    words = Criteria(phrases=[(word,) for word in criteria.words])
    return mark_phrases(str(body["bio"] or ""), words)


def _hashtags(criteria: Criteria, viewer: Viewer, window: PageRequest) -> Page[Result]:
    if criteria.asks_for_posts:
        return Page([])
    prefixes = _prefixes([*criteria.tags, *criteria.names])
    counted = index().hashtags(prefixes, viewer, limit=_MOST_TAGS)
    page = keep_place(window, lambda part: _hashtags_beyond(counted, part), ascending=True)
    return Page([_tag_result(tag, prefixes) for tag in page.items], page.next, page.previous)


def _hashtags_beyond(counted: list[TagCount], window: PageRequest) -> Page[TagCount]:
    """By use, then by name. A position is (count, name, 0); another number stands before or behind the hashtag."""
    if window.position is not None:
        count, name, offset = window.position
        position = (-int(count), str(name), int(offset))
        places = [(tag, (-tag.posts_count, tag.tag, 0)) for tag in counted]
        counted = [tag for tag, place in places if (place < position if window.backwards else place > position)]
    more = len(counted) > window.limit
    shown = counted[-window.limit :] if window.backwards else counted[: window.limit]
    return page_of(shown, window, more=more, position=lambda tag: (tag.posts_count, tag.tag, 0))


def _tag_result(found: TagCount, prefixes: list[str]) -> Result:
    body: Body = {"name": found.tag, "posts_count": found.posts_count}
    return Result("hashtag", body, mark_tag(found.tag, prefixes))


def _prefixes(names: list[str]) -> list[str]:
    """What hashtags may begin with: nothing in it that a regular expression would take for a sign."""
    cleaned = (tag_characters(name.lstrip("#@")) for name in names)
    return list(dict.fromkeys(name for name in cleaned if name))


def _authors(criteria: Criteria) -> Authors:
    if not (criteria.authors or criteria.without_authors):
        return Authors(None, [])
    names = sorted({*criteria.authors, *criteria.without_authors})
    ids = {card.username.lower(): card.id for card in client(Users).by_usernames(usernames=names)}
    only = [ids[name] for name in criteria.authors if name in ids] if criteria.authors else None
    return Authors(only, [ids[name] for name in criteria.without_authors if name in ids])


def _checked(
    window: PageRequest,
    fetch: Callable[[Window], list[Hit]],
    bodies: Callable[[list[int]], list[Body]],
    result: Callable[[Body], Result],
) -> Page[Result]:
    """A page of those hits whose bodies may be seen now."""
    return keep_place(window, lambda part: _read_checked(part, fetch, bodies, result))


def _read_checked(
    window: PageRequest,
    fetch: Callable[[Window], list[Hit]],
    bodies: Callable[[list[int]], list[Body]],
    result: Callable[[Body], Result],
) -> Page[Result]:
    """Goes on fetching, a bounded number of times, until the page is full.

    The page ends where reading ended, so the next one neither repeats nor skips, even when this one is not full.
    """
    shown: list[tuple[Hit, Result]] = []
    position, more = window.position, True
    for _ in range(_ROUNDS):
        batch = fetch(Window(window.limit - len(shown) + 1, position, window.backwards))
        more = len(batch) > window.limit - len(shown)
        examined = batch[: window.limit - len(shown)]
        if examined:
            visible = {int(body["id"]): body for body in bodies([hit.id for hit in examined])}
            shown += [(hit, result(visible[hit.id])) for hit in examined if hit.id in visible]
            position = examined[-1].position
        if not more or len(shown) >= window.limit:
            break
    return _page(window, shown, reached=position if more else None)


def _page(window: PageRequest, shown: list[tuple[Hit, Result]], *, reached: Position | None) -> Page[Result]:
    """The page in list order; `reached` is where to go on in the direction read, None at the end."""
    if window.backwards:
        shown.reverse()
        return Page([result for _, result in shown], next=shown[-1][0].position if shown else None, previous=reached)
    previous = shown[0][0].position if shown and window.position is not None else None
    return Page([result for _, result in shown], next=reached, previous=previous)
