"""Change data capture: keeps the index up with what is committed in other contexts' databases, instead of with events.

A source gives the changes of rows, transaction by transaction, each with the position behind it. `follow` asks the
contexts for the present form of what changed, writes it to the index, and saves the position in the same transaction.
"""

from apps.search.actions.capture.follow import follow, sources
from apps.search.actions.capture.source import CaptureRefused, Source

__all__ = ["CaptureRefused", "Source", "follow", "sources"]
