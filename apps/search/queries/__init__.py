"""What search reads from its own index, in Elasticsearch or SQLite."""

from apps.search.queries.backend import index
from apps.search.queries.positions import sync_positions

__all__ = ["index", "sync_positions"]
