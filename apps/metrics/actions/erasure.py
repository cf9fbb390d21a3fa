"""Erases a person's numbers in bounded steps."""

from collections.abc import Collection

from apps.metrics.actions.recording import write_tombstones
from apps.metrics.models import AuthorRollup, MetricDelta, Post
from socialapp.lifecycle.removal import declare_removal

BATCH = 500


def _erase_step(user_id: int) -> bool:
    """Erases a user's numbers in bounded steps."""
    MetricDelta.objects.filter(author_id=user_id).update(author_id=None)
    AuthorRollup.objects.filter(author_id=user_id).delete()
    posts = list(Post.objects.filter(author_id=user_id).order_by("id").values_list("id", flat=True)[:BATCH])
    write_tombstones(posts)
    return len(posts) < BATCH


def _authors_with_rows(user_ids: Collection[int]) -> set[int]:
    authors: set[int] = set()
    for rows in (Post.objects, AuthorRollup.objects, MetricDelta.objects):
        found = rows.filter(author_id__in=user_ids).values_list("author_id", flat=True).distinct()
        authors.update(author_id for author_id in found if author_id is not None)
    return authors


declare_removal("metrics", kind="user", step=_erase_step, leftovers=_authors_with_rows)
