"""The index in SQLite's FTS5: full-text tables answer which rows match, ordinary tables the rest.

Every match expression is built of folded words in double quotes, so nothing a client types reaches FTS5's syntax.
"""

import json

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from apps.search.models import POSTS_TEXT, PROFILES_TEXT, IndexedHashtag, IndexedPost, IndexedProfile, Kind, Tombstone
from apps.search.queries.index import Authors, Hit, TagCount, Viewer, Window
from apps.search.queries.language import Criteria, Phrase

_LAST_CHARACTER = "\U0010ffff"


class FtsIndex:
    """See `Index`."""

    name = "sqlite"

    def posts(self, criteria: Criteria, authors: Authors, viewer: Viewer, window: Window) -> list[Hit]:
        """See `Index.posts`; one query."""
        rows = _visible_posts(viewer).exclude(author_id__in=_listed(authors.without))
        if authors.only is not None:
            rows = rows.filter(author_id__in=_listed(authors.only))
        if criteria.phrases:
            rows = rows.filter(post_id__in=_matching(POSTS_TEXT, " AND ".join(map(_quoted, criteria.phrases))))
        if criteria.without_phrases:
            unwanted = _matching(POSTS_TEXT, " OR ".join(map(_quoted, criteria.without_phrases)))
            rows = rows.exclude(post_id__in=unwanted)
        for tag in criteria.tags:
            rows = rows.filter(post_id__in=IndexedHashtag.objects.filter(tag=tag).values("post_id"))
        if criteria.without_tags:
            tagged = IndexedHashtag.objects.filter(tag__in=criteria.without_tags)
            rows = rows.exclude(post_id__in=tagged.values("post_id"))
        rows = rows.filter(**_times(criteria), **({"has_media": True} if criteria.has_media else {}))
        if window.position is not None:
            rows = rows.filter(**{f"post_id__{'gt' if window.backwards else 'lt'}": window.position[0]})
        found = rows.order_by("post_id" if window.backwards else "-post_id")[: window.limit]
        return [Hit(post_id, (post_id,)) for post_id in found.values_list("post_id", flat=True)]

    def profiles(self, criteria: Criteria, viewer: Viewer, window: Window, *, names_only: bool = False) -> list[Hit]:
        """See `Index.profiles`; one query."""
        template = '(names : "{0}" *)' if names_only else '(names : "{0}" * OR bio : "{0}")'
        words = " AND ".join(template.format(word) for word in criteria.words)
        rows = IndexedProfile.objects.filter(is_active=True).exclude(user_id__in=_listed(viewer.hidden))
        if words:
            rows = rows.filter(user_id__in=_matching(PROFILES_TEXT, words))
        if criteria.without_phrases:
            unwanted = _matching(PROFILES_TEXT, " OR ".join(map(_quoted, criteria.without_phrases)))
            rows = rows.exclude(user_id__in=unwanted)
        ranked = rows.annotate(rank=_rank(criteria.names))
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
        public = _public_posts().exclude(author_id__in=_listed(viewer.hidden))
        rows = IndexedHashtag.objects.filter(beginning, Exists(public.filter(post_id=OuterRef("post_id"))))
        counted = rows.values("tag").annotate(posts_count=Count("post_id")).order_by("-posts_count", "tag")
        return [TagCount(row["tag"], row["posts_count"]) for row in counted[:limit]]

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


def _public_posts() -> QuerySet[IndexedPost]:
    return IndexedPost.objects.filter(_author(is_private=False), is_private=False)


def _visible_posts(viewer: Viewer) -> QuerySet[IndexedPost]:
    public = Q(is_private=False) & Q(_author(is_private=False))
    return IndexedPost.objects.filter(_author(), public | Q(author_id__in=_listed(viewer.circle))).exclude(
        author_id__in=_listed(viewer.hidden)
    )


def _author(**conditions: bool) -> Exists:
    """Posts of an active author with these attributes; asked row by row, as a page ends long before the table does."""
    return Exists(IndexedProfile.objects.filter(user_id=OuterRef("author_id"), is_active=True, **conditions))


def _listed(ids: list[int]) -> RawSQL:
    """A list of any length as one parameter: SQLite bounds the number of parameters."""
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])


def _matching(table: str, expression: str) -> RawSQL:
    """The ids of the rows of a full-text table that match."""
    return RawSQL(f"SELECT rowid FROM {table} WHERE {table} MATCH %s", [expression])  # noqa: S608, S611  (our names)


def _quoted(phrase: Phrase) -> str:
    return '"' + " ".join(phrase) + '"'


def _times(criteria: Criteria) -> dict[str, object]:
    bounds = {"created_at__lt": criteria.before, "created_at__gte": criteria.after}
    return {name: moment for name, moment in bounds.items() if moment is not None}


def _rank(names: list[str]) -> Case | Value:
    if len(names) != 1:
        return Value(0, output_field=IntegerField())
    name = names[0]
    return Case(
        When(username=name, then=Value(2)),
        When(username__gte=name, username__lt=name + _LAST_CHARACTER, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )


def _beyond(fields: tuple[str, ...], window: Window) -> Q:
    """The rows after the window's position when all fields fall (before it: when all rise)."""
    condition = Q()
    position = window.position or ()
    for index, name in enumerate(fields):
        equal = {fields[i]: position[i] for i in range(index)}
        condition |= Q(**equal, **{f"{name}__{'gt' if window.backwards else 'lt'}": position[index]})
    return condition
