"""Periodic tasks of posts."""

from contextlib import suppress

from celery import shared_task
from django.conf import settings

from apps.posts import actions
from socialapp.core.cache import redis_errors

PERIODIC = {
    "posts.flush_views": 10.0,
    "posts.notice_restart": 10.0,
    "posts.delete_long_removed": 3600.0,
    "posts.process_waiting_media": 10.0,
    "posts.sweep_media": 600.0,
    "posts.sweep_store": 86400.0,
    "posts.fetch_link_previews": 30.0,
    "posts.forget_unlinked_previews": 3600.0,
    "posts.purge_caches": 15.0,
}

# In a separate queue: they may take minutes, and nothing should wait behind them.
SLOW = ("posts.process_waiting_media", "posts.sweep_store", "posts.fetch_link_previews")

_STEPS = 50


@shared_task(name="posts.flush_views")
def flush_views() -> None:
    """Publishes the views counted since the last run."""
    actions.flush_views()


@shared_task(name="posts.notice_restart")
def notice_restart() -> None:
    """Checks whether Redis was restarted. Idempotent."""
    with suppress(*redis_errors()):
        actions.notice_restart()


@shared_task(name="posts.delete_long_removed")
def delete_long_removed() -> None:
    """Deletes what moderators removed so long ago that nobody can appeal any more. Idempotent."""
    for _ in range(_STEPS):
        if not actions.delete_long_removed():
            break


@shared_task(name="posts.process_waiting_media")
def process_waiting_media() -> None:
    """Processes waiting uploads. Idempotent; also triggered by each upload."""
    actions.process_waiting_media()


@shared_task(name="posts.purge_caches")
def purge_caches() -> None:
    """Purges media that are no longer public from caches. Idempotent."""
    actions.purge_caches()


@shared_task(name="posts.sweep_media")
def sweep_media() -> None:
    """Deletes unused media and files. Idempotent."""
    for _ in range(_STEPS):
        deleted = actions.delete_unused_media(before_hours=settings.MEDIA_UNUSED_HOURS)
        if not deleted + actions.delete_unused_files():
            break


@shared_task(name="posts.sweep_store")
def sweep_store() -> None:
    """Deletes what killed processes left: media of no comment, files without a row. Idempotent."""
    actions.delete_abandoned_files()
    actions.delete_unclaimed_media()
    actions.sweep_store(unused_hours=settings.MEDIA_UNUSED_HOURS)


@shared_task(name="posts.fetch_link_previews")
def fetch_link_previews() -> None:
    """Fetches the pages that posts link to. Idempotent; also triggered by each such post."""
    actions.fetch_link_previews()


@shared_task(name="posts.forget_unlinked_previews")
def forget_unlinked_previews() -> None:
    """Deletes previews to which no post links any more. Idempotent."""
    for _ in range(_STEPS):
        if not actions.forget_unlinked_previews():
            break
