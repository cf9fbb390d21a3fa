"""Change data capture: updates the index from commits in other contexts' databases, instead of from events.

A source yields row changes by transaction, each with the position after it. `follow` fetches the present documents
of changed rows, writes them to the index, and saves the position in the same transaction.
"""

from apps.search.actions.capture.follow import follow, sources
from apps.search.actions.capture.source import CaptureRefused, Source

__all__ = ["CaptureRefused", "Source", "follow", "sources"]
