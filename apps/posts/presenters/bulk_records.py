"""Posts as bulk records. Format: docs/records.md."""

from collections.abc import Sequence

from apps.posts.models import Post
from socialapp.contracts.bulk import Record, RecordPage


def record_page(posts: Sequence[Post], *, limit: int) -> RecordPage:
    """The first `limit` of the posts as records; an extra post indicates that there is a next page."""
    shown = posts[:limit]
    return RecordPage(records=[_record(row) for row in shown], next=str(shown[-1].id) if len(posts) > limit else None)


def _record(row: Post) -> Record:
    return {
        "id": str(row.id),
        "user_id": str(row.user_id),
        "content": row.content,
        "is_private": row.is_private,
        "sensitive": row.sensitive,
        "content_warning": row.content_warning,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
    }
