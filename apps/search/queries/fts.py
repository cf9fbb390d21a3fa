"""Reads the index in SQLite's FTS5: full-text tables match text, ordinary tables everything else.

Match expressions consist of folded words in double quotes, so no client input reaches FTS5's syntax.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import regex
from django.db import connections, router
from django.db.models import Case, Count, Exists, IntegerField, Max, Min, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from apps.search.models import POSTS_TEXT, PROFILES_TEXT, IndexedHashtag, IndexedPost, IndexedProfile, Kind, Tombstone
from apps.search.queries.criteria import (
    AllOf,
    AnyOf,
    Criteria,
    From,
    Has,
    Language,
    MinReactions,
    Node,
    Not,
    Phrase,
    Tag,
    Written,
)
from apps.search.queries.index import (
    BEGINNING_OF_NAME,
    BY_WORDS,
    EXACT_NAME,
    MAX_RANKED,
    NEARLY,
    STEM_WEIGHT,
    Authors,
    Hit,
    TagCount,
    Viewer,
    Window,
    expand,
    relevance,
)
from apps.search.queries.languages import Words, variants

_LAST_CHARACTER = "\U0010ffff"
_SIMILAR_WORDS = 3
_LEAST_SCORE = 1e-3  # of a text without any of the typed words
_VOCABULARY = 20_000  # words with one first letter that are considered

# FTS5 tokenizes letters and digits only: emoji become letters of the private use area, followed by their number.
_EMOJI = regex.compile(r"(?V1).\u20e3|[^\p{L}\p{N}\p{M}\s]")


def searchable(text: str) -> str:
    """Folded words in the form that the full-text tables hold."""
    return text if text.isascii() else _EMOJI.sub(lambda found: f"\ue000{ord(found[0][0]):x}", text)


class FtsIndex:
    """See `Index`."""

    name = "sqlite"

    def posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, window: Window) -> list[Hit]:
        """See `Index.posts`; one query."""
        rows = _matching_posts(criteria, authors, viewer)
        if window.position is not None:
            rows = rows.filter(**{f"post_id__{'gt' if window.backwards else 'lt'}": window.position[0]})
        found = rows.order_by("post_id" if window.backwards else "-post_id")[: window.limit]
        return [Hit(post_id, (post_id,)) for post_id in found.values_list("post_id", flat=True)]

    def ranked_posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, *, now: datetime) -> list[int]:
        """See `Index.ranked_posts`: the newest that match are ranked. Two queries."""
        newest = _matching_posts(criteria, authors, viewer).order_by("-post_id")[:MAX_RANKED]
        rows = list(newest.values_list("post_id", "engagement", "created_at"))
        texts = _text_scores(criteria.phrases, [row[0] for row in rows])
        scores = {
            post_id: relevance(texts.get(post_id, _LEAST_SCORE), engagement=engagement, created_at=created_at, now=now)
            for post_id, engagement, created_at in rows
        }
        return sorted(scores, key=lambda post_id: (scores[post_id], post_id), reverse=True)

    def profiles(self, criteria: Criteria, viewer: Viewer, window: Window, *, names_only: bool = False) -> list[Hit]:
        """See `Index.profiles`; one query."""
        rows = IndexedProfile.objects.filter(is_active=True).exclude(user_id__in=_listed(viewer.hidden))
        if criteria.root is not None:
            rows = rows.filter(_profile_condition(criteria.root, names_only=names_only))
        ranked = rows.annotate(rank=_rank(criteria, names_only=names_only))
        if window.position is not None:
            ranked = ranked.filter(_beyond(("rank", "followers_count", "user_id"), window))
        sign = "" if window.backwards else "-"
        found = ranked.order_by(f"{sign}rank", f"{sign}followers_count", f"{sign}user_id")[: window.limit]
        values = found.values_list("user_id", "rank", "followers_count")
        return [Hit(user_id, (rank, followers, user_id)) for user_id, rank, followers in values]

    def hashtags(self, prefixes: list[str], viewer: Viewer, *, limit: int) -> list[TagCount]:
        """See `Index.hashtags`; one query."""
        beginning = Q(pk__in=[])
        for prefix in prefixes:
            beginning |= Q(tag__gte=prefix, tag__lt=prefix + _LAST_CHARACTER)
        found = _of_public_posts(viewer).filter(beginning).values("tag").annotate(posts_count=Count("post_id"))
        counted = found.order_by("-posts_count", "tag").values_list("tag", "posts_count")
        return [TagCount(tag, number) for tag, number in counted[:limit]]

    def oldest_and_newest(self, tags: Sequence[str], viewer: Viewer) -> dict[str, set[int]]:
        """See `Index.oldest_and_newest`; one query."""
        found = _of_public_posts(viewer).filter(tag__in=tags).values("tag")
        bounds = found.annotate(oldest_id=Min("post_id"), newest_id=Max("post_id"))
        return {tag: {oldest, newest} for tag, oldest, newest in bounds.values_list("tag", "oldest_id", "newest_id")}

    def similar_words(self, word: str) -> list[str]:
        """See `Index.similar_words`: those with the same first letter, from FTS5's own list of words. One query."""
        wanted = set(variants(word))
        statement = (
            f"SELECT term, sum(doc) FROM {POSTS_TEXT}_words WHERE col = 'text' AND term >= %s AND term < %s"  # noqa: S608
            " AND length(term) BETWEEN %s AND %s GROUP BY term LIMIT %s"
        )
        bounds = (word[:1], word[:1] + _LAST_CHARACTER, len(word) - 1, len(word) + 1, _VOCABULARY)
        found = _run(statement, bounds) if wanted else []
        near = [(count, term) for term, count in found if term != word and wanted & {term, *variants(term)}]
        return [term for _, term in sorted(near, key=lambda one: (-one[0], one[1]))[:_SIMILAR_WORDS]]

    def versions(self, kind: str, *, after: int, up_to: int) -> dict[int, int]:
        """See `Index.versions`; one query."""
        if kind == Kind.POST:
            posts = IndexedPost.objects.filter(post_id__gt=after, post_id__lte=up_to)
            return dict(posts.values_list("post_id", "version"))
        profiles = IndexedProfile.objects.filter(user_id__gt=after, user_id__lte=up_to)
        return dict(profiles.values_list("user_id", "version"))

    def status(self) -> dict[str, object]:
        """See `Index.status`."""
        return {
            "backend": self.name,
            "posts": IndexedPost.objects.count(),
            "users": IndexedProfile.objects.count(),
            "tombstones": Tombstone.objects.count(),
        }


def _of_public_posts(viewer: Viewer) -> QuerySet[IndexedHashtag]:
    public = _public_posts().exclude(author_id__in=_listed(viewer.hidden))
    return IndexedHashtag.objects.filter(Exists(public.filter(post_id=OuterRef("post_id"))))


def _matching_posts(criteria: Criteria, authors: Authors, viewer: Viewer) -> QuerySet[IndexedPost]:
    rows = _visible_posts(viewer)
    return rows if criteria.root is None else rows.filter(_post_condition(criteria.root, authors))


def _post_condition(node: Node, authors: Authors) -> Q:
    match node:
        case AllOf(nodes):
            return Q(*(_post_condition(part, authors) for part in nodes))
        case AnyOf(nodes):
            return Q(*(_post_condition(part, authors) for part in nodes), _connector=Q.OR)
        case Not(inner):
            return ~_post_condition(inner, authors)
        case Phrase():
            return Q(post_id__in=_matching(POSTS_TEXT, _expression(node)))
        case Tag(name):
            return Q(post_id__in=IndexedHashtag.objects.filter(tag=name).values("post_id"))
        case From(usernames):
            return Q(author_id__in=[authors[name] for name in usernames if name in authors])
        case Written(since, until):
            bounds = {"created_at__gte": since, "created_at__lt": until}
            return Q(**{name: moment for name, moment in bounds.items() if moment is not None})
        case Has(what):
            return Q(**{f"has_{what}": True})
        case Language(code):
            return Q(language=code)
        case MinReactions(number):
            return Q(reactions__gte=number)


def _profile_condition(node: Node, *, names_only: bool) -> Q:
    match node:
        case AllOf(nodes):
            return Q(*(_profile_condition(part, names_only=names_only) for part in nodes))
        case AnyOf(nodes):
            return Q(*(_profile_condition(part, names_only=names_only) for part in nodes), _connector=Q.OR)
        case Not(Phrase(words)):
            # Negated terms match exactly, without forms and synonyms.
            return ~Q(user_id__in=_matching(PROFILES_TEXT, f"{{names bio}} : {_quoted(words)}"))
        case Not(inner):
            return ~_profile_condition(inner, names_only=names_only)
        case Phrase(words):
            said = _profile_phrase(words, names_only=names_only, nearly=True)
            return Q(user_id__in=_matching(PROFILES_TEXT, said))
        case _:
            return Q(pk__in=[])  # only posts have it


def _profile_phrase(words: Words, *, names_only: bool, nearly: bool) -> str:
    """Adjacent words, of which the last may be the beginning of one; if `nearly`, also in any order."""
    if len(words) == 1:
        return _profile_word(words[0], names_only=names_only, nearly=nearly)
    choices = [f"names : {_quoted(words)} *"]
    choices += [] if names_only else [f"bio : {_quoted(words)}"]
    if nearly and any(map(variants, words)):
        parts = [_profile_word(word, names_only=names_only, nearly=True) for word in words]
        choices.append(f"({' AND '.join(parts)})")
    return f"({' OR '.join(choices)})"


def _profile_word(word: str, *, names_only: bool, nearly: bool) -> str:
    searched = searchable(word)
    choices = [f'names : "{searched}" *']
    choices += [] if names_only else [f'bio : "{searched}"']
    choices += [f'variants : "{variant}"' for variant in variants(word)] if nearly else []
    return f"({' OR '.join(choices)})"


def _expression(phrase: Phrase) -> str:
    """Posts with the phrase, with a form of its word, or with a synonym."""
    others = [f"text : {_quoted(words)}" for words in expand(phrase).synonyms]
    return " OR ".join([_own_expression(phrase), *others])


def _own_expression(phrase: Phrase) -> str:
    """Posts with the phrase, or with a form of its word."""
    expansion = expand(phrase)
    return " OR ".join([f"text : {_quoted(expansion.typed)}", *(f'stems : "{stem}"' for stem in expansion.stems)])


def _text_scores(phrases: list[Phrase], post_ids: list[int]) -> dict[int, float]:
    """The relevance of these posts' texts: BM25, greater is better; omits those that match by synonyms only."""
    if not phrases or not post_ids:
        return {}
    statement = (
        f"SELECT rowid, -bm25({POSTS_TEXT}, 1.0, {STEM_WEIGHT}) FROM {POSTS_TEXT} WHERE {POSTS_TEXT} MATCH %s"  # noqa: S608
        # The plus signs keep SQLite from searching again for each row.
        " AND rowid BETWEEN %s AND %s AND +rowid IN (SELECT value FROM json_each(%s))"
    )
    wanted = " OR ".join(_own_expression(phrase) for phrase in phrases)
    parameters = (wanted, min(post_ids), max(post_ids), json.dumps(post_ids))
    return {post_id: score + _LEAST_SCORE for post_id, score in _run(statement, parameters)}


def _run(statement: str, parameters: Iterable[str | int]) -> list[tuple[Any, ...]]:
    with connections[router.db_for_read(IndexedPost)].cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return list(cursor.fetchall())


def _public_posts() -> QuerySet[IndexedPost]:
    return IndexedPost.objects.filter(_author(is_private=False), is_private=False)


def _visible_posts(viewer: Viewer) -> QuerySet[IndexedPost]:
    public = Q(is_private=False) & Q(_author(is_private=False))
    return IndexedPost.objects.filter(_author(), public | Q(author_id__in=_listed(viewer.circle))).exclude(
        author_id__in=_listed(viewer.hidden)
    )


def _author(**conditions: bool) -> Exists:
    """Posts of an active author with these attributes; as a correlated subquery, as a page ends long before the
    table."""
    return Exists(IndexedProfile.objects.filter(user_id=OuterRef("author_id"), is_active=True, **conditions))


def _listed(ids: list[int]) -> RawSQL:
    """A list of any length as one parameter: SQLite limits the number of parameters."""
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])


def _matching(table: str, expression: str) -> RawSQL:
    """The ids of the rows of a full-text table that match."""
    return RawSQL(f"SELECT rowid FROM {table} WHERE {table} MATCH %s", [expression])  # noqa: S608, S611  (our names)


def _quoted(words: Words) -> str:
    return f'"{searchable(" ".join(words))}"'


def _rank(criteria: Criteria, *, names_only: bool) -> Case:
    cases = []
    if len(criteria.names) == 1:
        name = criteria.names[0]
        cases.append(When(username=name, then=Value(EXACT_NAME)))
        beginning = {"username__gte": name, "username__lt": name + _LAST_CHARACTER}
        cases.append(When(**beginning, then=Value(BEGINNING_OF_NAME)))
    if criteria.phrases:
        said = [_profile_phrase(phrase.words, names_only=names_only, nearly=False) for phrase in criteria.phrases]
        cases.append(When(user_id__in=_matching(PROFILES_TEXT, " AND ".join(said)), then=Value(BY_WORDS)))
    return Case(*cases, default=Value(NEARLY), output_field=IntegerField())


def _beyond(fields: tuple[str, ...], window: Window) -> Q:
    """The rows after the window's position if all fields descend (before it if all ascend)."""
    condition = Q()
    position = window.position or ()
    for index, name in enumerate(fields):
        equal = {fields[i]: position[i] for i in range(index)}
        condition |= Q(**equal, **{f"{name}__{'gt' if window.backwards else 'lt'}": position[index]})
    return condition
