"""Access to search: hits are checked with the contexts that own them, and the index is compared with those."""

from apps.search.access.drift import Document, IndexDrift, differences, differences_behind, document_id, pages, present
from apps.search.access.results import KINDS, SORTS, Result, circle_commands, search, suggest

__all__ = [
    "KINDS",
    "SORTS",
    "Document",
    "IndexDrift",
    "Result",
    "circle_commands",
    "differences",
    "differences_behind",
    "document_id",
    "pages",
    "present",
    "search",
    "suggest",
]
