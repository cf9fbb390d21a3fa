"""Positions up to which the sources of changes were followed."""

from apps.search.models import SyncPosition


def sync_positions() -> dict[str, dict[str, str]]:
    """The position of each source, and when it was saved. One query."""
    rows = SyncPosition.objects.values_list("source", "position", "updated_at")
    return {source: {"position": position, "saved_at": saved.isoformat()} for source, position, saved in rows}
