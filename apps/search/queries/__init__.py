"""Reads of search's own index, in Elasticsearch or SQLite."""

from apps.search.queries.backend import reader
from apps.search.queries.criteria import (
    MAX_QUERY,
    AllOf,
    AnyOf,
    Criteria,
    From,
    Has,
    Language,
    MinReactions,
    Not,
    Phrase,
    Tag,
    Written,
    leaves,
    parse,
)
from apps.search.queries.documents import EngagementCount, PostEntry, ProfileEntry, engagement_of
from apps.search.queries.fts import searchable
from apps.search.queries.highlight import Highlighter, mark_beginnings, mark_tag
from apps.search.queries.index import Authors, Hit, Index, TagCount, Viewer, Window
from apps.search.queries.languages import variants
from apps.search.queries.positions import sync_positions

__all__ = [
    "MAX_QUERY",
    "AllOf",
    "AnyOf",
    "Authors",
    "Criteria",
    "EngagementCount",
    "From",
    "Has",
    "Highlighter",
    "Hit",
    "Index",
    "Language",
    "MinReactions",
    "Not",
    "Phrase",
    "PostEntry",
    "ProfileEntry",
    "Tag",
    "TagCount",
    "Viewer",
    "Window",
    "Written",
    "engagement_of",
    "leaves",
    "mark_beginnings",
    "mark_tag",
    "parse",
    "reader",
    "searchable",
    "sync_positions",
    "variants",
]
