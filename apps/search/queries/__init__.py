"""What search reads. `search` and `suggest` answer clients, `differences` compares the index with the truth."""

from apps.search.queries.drift import Drift, differences
from apps.search.queries.index import index
from apps.search.queries.results import KINDS, Result, search, suggest

__all__ = ["KINDS", "Drift", "Result", "differences", "index", "search", "suggest"]
