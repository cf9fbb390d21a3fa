"""What search reads. `search` and `suggest` answer clients, `differences` compares the index with the truth."""

from apps.search.queries.backend import index
from apps.search.queries.drift import Drift, differences, differences_behind
from apps.search.queries.positions import sync_positions
from apps.search.queries.results import KINDS, SORTS, Result, search, suggest

__all__ = [
    "KINDS",
    "SORTS",
    "Drift",
    "Result",
    "differences",
    "differences_behind",
    "index",
    "search",
    "suggest",
    "sync_positions",
]
