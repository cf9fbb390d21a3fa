"""Pages of results. The access rule: the query is limited to what the viewer may see, and a hit is shown only if the
context that owns it returns its body for this viewer now. Nothing else is shown or counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from apps.search.access.ranking import load_ranking, save_ranking
from apps.search.queries import (
    MAX_QUERY,
    AllOf,
    Authors,
    Criteria,
    From,
    Highlighter,
    Hit,
    Phrase,
    TagCount,
    Viewer,
    Window,
    leaves,
    mark_beginnings,
    mark_tag,
    parse,
    reader,
    variants,
)
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import CIRCLE, Users
from socialapp.core import fragments
from socialapp.core.cache import Command
from socialapp.core.errors import Invalid, Malformed
from socialapp.core.fragments import Source, Wanted
from socialapp.core.ids import MAX_ID
from socialapp.core.pages import Page, PageRequest, Position, keep_place, page_of
from socialapp.core.text.characters import AT_SIGNS, NUMBER_SIGNS
from socialapp.core.text.folding import tokens
from socialapp.core.text.hashtags import hashtag_key, leading_hashtag
from socialapp.rpc.calls import client

Body = dict[str, Any]
T = TypeVar("T")

KINDS = ("users", "posts", "hashtags")
SORTS = ("recent", "relevance")

_ROUNDS = 5  # of reading to fill a page when hits turn out to be invisible
_MAX_TAGS = 1000
_MAX_TYPED_WORDS = 8  # considered for a suggestion
_FEW = 3  # users and hashtags each, ahead of the posts on the first page of a mixed search
_START_OF_POSTS: dict[str, Position] = {"recent": (MAX_ID,), "relevance": ("", -1)}


@dataclass(frozen=True, slots=True)
class Result:
    """One result: `type` is user, post or hashtag; `highlight` is HTML with the matches in <em>, or None."""

    type: str
    item: Body
    highlight: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. `did_you_mean` is the corrected query whose posts are shown if the typed one finds none."""

    page: Page[Result]
    did_you_mean: str | None = None


def circle_commands(viewer_id: int) -> list[Command]:
    """The Redis commands whose answers `search` takes: whom the viewer follows and blocks."""
    return [fragments.held_command(fragments.keys_of(CIRCLE, ids=[viewer_id]))]


def search(
    *, viewer_id: int | None, q: str, kind: str | None, sort: str, window: PageRequest, answers: Sequence[Any] = ()
) -> Found:
    """The results for `q`; without a kind, people and hashtags precede the posts, on the first page only.

    `sort` is the order of posts: newest first, or by relevance. Invalid if `q` is empty or cannot be parsed;
    Unavailable if the index does not answer. `answers`: prefetched answers of Redis to `circle_commands`.
    """
    criteria = parse(q)
    if criteria.root is None:
        return Found(Page([]))
    match kind:
        case "users":
            return Found(_users(criteria, _kept_viewer(viewer_id, answers), window))
        case "posts":
            return _posts_or_correction(q, criteria, _kept_viewer(viewer_id, answers), window, sort=sort)
        case "hashtags":
            return Found(_hashtags(criteria, _viewer(viewer_id), window))
        case _:
            return _everything(q, criteria, _viewer(viewer_id), window, sort=sort)


def suggest(*, viewer_id: int | None, q: str, limit: int) -> list[Result]:
    """People and hashtags whose names begin with the typed text; a leading `@` or `#` limits it to one kind."""
    typed = q.strip()
    if not typed or len(typed) > MAX_QUERY:
        raise Invalid.of("q", "length", f"Type something of at most {MAX_QUERY} characters.")
    viewer = _viewer(viewer_id)
    phrases = _typed_phrases(typed)
    name = typed.lower().lstrip(AT_SIGNS + NUMBER_SIGNS)
    tags: list[Result] = []
    if not typed.startswith(tuple(AT_SIGNS)):
        prefixes = _prefixes([name])
        counted = reader().hashtags(prefixes, viewer, limit=limit)
        tags = _tag_results(counted, viewer, prefixes)
    users: list[Result] = []
    if phrases and not typed.startswith(tuple(NUMBER_SIGNS)):
        criteria = Criteria(AllOf(phrases), names=[name])
        users = list(_users(criteria, viewer, PageRequest(limit), names_only=True).items)
    kept = users[: max(limit - len(tags), (limit + 1) // 2)]
    return [*kept, *tags[: limit - len(kept)]]


def _typed_phrases(typed: str) -> tuple[Phrase, ...]:
    """The typed text, split at its spaces, as far as it is considered."""
    phrases: list[Phrase] = []
    left = _MAX_TYPED_WORDS
    for part in typed.split():
        if words := tuple(token.word for token in islice(tokens(part), left)):
            phrases.append(Phrase(words))
            left -= len(words)
    return tuple(phrases)


def _viewer(viewer_id: int | None) -> Viewer:
    if viewer_id is None:
        return Viewer(None, [], [])
    return Viewer(viewer_id, *_circle(viewer_id))


def _kept_viewer(viewer_id: int | None, answers: Sequence[Any]) -> Viewer:
    """The same from the cache, for posts and people, who are all checked again before they are shown."""
    if viewer_id is None:
        return _viewer(None)
    held = fragments.held_of(fragments.keys_of(CIRCLE, ids=[viewer_id]), answer=answers[0]) if answers else {}
    (kept,) = fragments.read(Source([Wanted(CIRCLE, [viewer_id], default=None)], _circles), held=held)
    return Viewer(viewer_id, *(kept[viewer_id] or _circle(viewer_id)))


def _circles(ids: list[int]) -> list[dict[int, list[list[int]]]]:
    return [{viewer_id: _circle(viewer_id) for viewer_id in ids}]


def _circle(viewer_id: int) -> list[list[int]]:
    circle = client(Users).circle(user_id=viewer_id)
    return [circle.following, circle.blocked]


def _everything(q: str, criteria: Criteria, viewer: Viewer, window: PageRequest, *, sort: str) -> Found:
    if window.position is not None:
        return _posts_or_correction(q, criteria, viewer, window, sort=sort)
    few = min(_FEW, (window.limit + 3) // 4)
    people = _users(criteria, viewer, PageRequest(few)).items
    tags = _hashtags(criteria, viewer, PageRequest(few)).items
    ahead = [*people, *tags][: window.limit]
    left = window.limit - len(ahead)
    if not left:
        return Found(Page(ahead, next=_START_OF_POSTS[sort]))
    posts = _posts_or_correction(q, criteria, viewer, PageRequest(left), sort=sort)
    return Found(Page([*ahead, *posts.page.items], next=posts.page.next), posts.did_you_mean)


def _posts_or_correction(q: str, criteria: Criteria, viewer: Viewer, window: PageRequest, *, sort: str) -> Found:
    """The posts for `q`; if some word is in no post, those with a word one letter away."""
    page = _posts(criteria, viewer, window, sort=sort)
    if page.items or (window.position is not None and _finds_posts(criteria, viewer)):
        return Found(page)
    corrected = _correction(q, criteria, viewer)
    return Found(page) if corrected is None else Found(_posts(parse(corrected), viewer, window, sort=sort), corrected)


def _finds_posts(criteria: Criteria, viewer: Viewer) -> bool:
    return bool(_posts(criteria, viewer, PageRequest(1), sort="recent").items)


def _posts(criteria: Criteria, viewer: Viewer, window: PageRequest, *, sort: str) -> Page[Result]:
    authors = _authors(criteria)
    highlighter = Highlighter(criteria)

    def bodies(ids: list[int]) -> list[Body]:
        return client(Posts).post_bodies(viewer_id=viewer.id, post_ids=ids)

    def result(body: Body) -> Result:
        return Result("post", body, highlighter.mark(str(body["content"])))

    if sort == "relevance":
        ranked = _ranked_hits(criteria, authors, viewer, window)
        return _checked(window, ranked, bodies, result, ascending=True)
    return _checked(window, lambda part: reader().posts(criteria, authors, viewer, part), bodies, result)


def _ranked_hits(
    criteria: Criteria, authors: Authors, viewer: Viewer, window: PageRequest
) -> Callable[[Window], list[Hit]]:
    """The hits by relevance, ranked once: all pages are read from that ranking, whatever is written meanwhile.

    A position is the ranking and a place in it. Malformed when a ranking is asked for that is too old.
    """
    ranking, place = (str(window.position[0]), int(window.position[1])) if window.position else ("", -1)
    ids = load_ranking(ranking) if ranking else None
    if ranking and ids is None:
        raise Malformed("this ranking has expired: search again", code="cursor_expired")
    if ids is None:
        ids = reader().ranked_posts(criteria, authors, viewer, now=datetime.now(UTC))
        place = -1
        ranking = save_ranking(ids) if len(ids) > window.limit else ""
        if not ranking:
            ids = ids[: window.limit]
    ranked = ids

    def hits(part: Window) -> list[Hit]:
        at = int(part.position[1]) if part.position is not None else place
        places = range(min(at, len(ranked)) - 1, -1, -1) if part.backwards else range(max(at + 1, 0), len(ranked))
        return [Hit(ranked[one], (ranking, one)) for one in places[: part.limit]]

    return hits


def _correction(q: str, criteria: Criteria, viewer: Viewer) -> str | None:
    """The query with similar words for those in no post; posts that the viewer may not see do not matter for either."""
    corrected = q
    for phrase in reversed(criteria.phrases):
        typed = q[phrase.start : phrase.end]
        if phrase.quoted or len(phrase.words) != 1 or len(typed) != len(phrase.words[0]) or not variants(typed):
            continue
        if similar := _similar_word(phrase.words[0], viewer):
            corrected = corrected[: phrase.start] + similar + corrected[phrase.end :]
    if corrected == q or len(corrected) > MAX_QUERY:
        return None
    return corrected if _finds_posts(parse(corrected), viewer) else None


def _similar_word(word: str, viewer: Viewer) -> str | None:
    """The most used word one letter away. Posts that the viewer may not see count neither for it nor for the word
    itself: otherwise corrections would tell whether there are posts with a word."""
    if _sees_word(word, viewer):
        return None
    return next((similar for similar in reader().similar_words(word) if _sees_word(similar, viewer)), None)


def _sees_word(word: str, viewer: Viewer) -> bool:
    return bool(reader().posts(Criteria(Phrase((word,), quoted=True)), {}, viewer, Window(1)))


def _users(criteria: Criteria, viewer: Viewer, window: PageRequest, *, names_only: bool = False) -> Page[Result]:
    words = criteria.words
    if not words or criteria.tags or criteria.asks_for_posts:
        return Page([])
    exactly = Highlighter(Criteria(AllOf(tuple(Phrase((word,), quoted=True) for word in words))))

    def hits(part: Window) -> list[Hit]:
        return reader().profiles(criteria, viewer, part, names_only=names_only)

    def bodies(ids: list[int]) -> list[Body]:
        return client(Users).profile_bodies(viewer_id=viewer.id, ids=ids, discovering=True) if ids else []

    def result(body: Body) -> Result:
        return Result("user", body, _mark_profile(body, words, exactly))

    return _checked(window, hits, bodies, result)


def _mark_profile(body: Body, words: list[str], exactly: Highlighter) -> str | None:
    for text in (body["full_name"], body["username"]):
        if marked := mark_beginnings(text=str(text or ""), words=words):
            return marked
    return exactly.mark(str(body["bio"] or ""))


def _hashtags(criteria: Criteria, viewer: Viewer, window: PageRequest) -> Page[Result]:
    if criteria.asks_for_posts:
        return Page([])
    prefixes = _prefixes([*criteria.tags, *criteria.names])
    counted = reader().hashtags(prefixes, viewer, limit=_MAX_TAGS)
    page = keep_place(window, read=lambda part: _hashtags_beyond(counted, part), ascending=True)
    return Page(_tag_results(page.items, viewer, prefixes), page.next, page.previous)


def _tag_results(tags: Sequence[TagCount], viewer: Viewer, prefixes: list[str]) -> list[Result]:
    """Those of which the oldest or the newest post may be seen now: the index learns of what was hidden or deleted
    a moment later, and until then such a word would still be shown."""
    found = reader().oldest_and_newest([tag.tag for tag in tags], viewer)
    samples = sorted(set[int]().union(*found.values()))
    seen = {ref.id for ref in client(Posts).visible(viewer_id=viewer.id, post_ids=samples)} if samples else set()
    names = _hashtag_names(seen)
    shown = [tag for tag in tags if not seen.isdisjoint(found.get(tag.tag, ()))]
    return [_tag_result(tag, name=names.get(tag.tag, tag.tag), prefixes=prefixes) for tag in shown]


def _hashtag_names(post_ids: set[int]) -> dict[str, str]:
    """Key → name, as the newest of these posts has it. The index has only keys, which lack the joiners that some
    scripts need."""
    documents = client(Posts).documents(post_ids=sorted(post_ids)) if post_ids else []
    newest_last = sorted(documents, key=lambda document: document.id)
    return {hashtag_key(name): name for document in newest_last for name in document.hashtags}


def _hashtags_beyond(counted: list[TagCount], window: PageRequest) -> Page[TagCount]:
    """By use, then by name. A position is (count, name, 0); another number is before or after the hashtag."""
    if window.position is not None:
        count, name, offset = window.position
        position = (-int(count), str(name), int(offset))
        places = [(tag, (-tag.posts_count, tag.tag, 0)) for tag in counted]
        counted = [tag for tag, place in places if (place < position if window.backwards else place > position)]
    more = len(counted) > window.limit
    shown = counted[-window.limit :] if window.backwards else counted[: window.limit]
    return page_of(shown, page=window, more=more, position=lambda tag: (tag.posts_count, tag.tag, 0))


def _tag_result(found: TagCount, *, name: str, prefixes: list[str]) -> Result:
    body: Body = {"name": name, "posts_count": found.posts_count}
    return Result("hashtag", body, mark_tag(tag=name, prefixes=prefixes))


def _prefixes(names: list[str]) -> list[str]:
    """A pattern for hashtags with this beginning, without characters that are special in regular expressions."""
    cleaned = (leading_hashtag(name.lstrip(AT_SIGNS + NUMBER_SIGNS)) for name in names)
    return list(dict.fromkeys(name for name in cleaned if name))


def _authors(criteria: Criteria) -> Authors:
    names = sorted({name for leaf in leaves(criteria.root) if isinstance(leaf, From) for name in leaf.usernames})
    cards = client(Users).by_usernames(usernames=names) if names else []
    return {card.username.lower(): card.id for card in cards}


def _checked(
    window: PageRequest,
    fetch: Callable[[Window], list[Hit]],
    bodies: Callable[[list[int]], list[Body]],
    result: Callable[[Body], Result],
    *,
    ascending: bool = False,
) -> Page[Result]:
    """A page of those hits that are visible now."""
    return keep_place(window, read=lambda part: _read_checked(part, fetch, bodies, result), ascending=ascending)


def _read_checked(
    window: PageRequest,
    fetch: Callable[[Window], list[Hit]],
    bodies: Callable[[list[int]], list[Body]],
    result: Callable[[Body], Result],
) -> Page[Result]:
    """Reads on, a bounded number of times, until the page is full.

    The page ends where reading ended, so the next one neither repeats nor skips, even if this one is not full.
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
    """The page in list order; `reached` is where to continue in the direction of reading, None at the end."""
    if window.backwards:
        shown.reverse()
        return Page([result for _, result in shown], next=shown[-1][0].position if shown else None, previous=reached)
    previous = shown[0][0].position if shown and window.position is not None else None
    return Page([result for _, result in shown], next=reached, previous=previous)
