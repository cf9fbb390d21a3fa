"""Periodic tasks of posts."""

from contextlib import suppress

from celery import shared_task
from django.conf import settings

from apps.posts.actions import (
    delete_abandoned_files,
    delete_long_removed,
    delete_unclaimed_media,
    delete_unused_files,
    delete_unused_media,
    fetch_link_previews,
    flush_views,
    forget_unlinked_previews,
    notice_restart,
    process_waiting_media,
    purge_caches,
    sweep_store,
)
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
def publish_views() -> None:
    """Publishes the views counted since the last run. Periodic."""
    flush_views()


@shared_task(name="posts.notice_restart")
def notice_restart_of_redis() -> None:
    """Checks whether Redis was restarted. Idempotent, periodic."""
    with suppress(*redis_errors()):
        notice_restart()


@shared_task(name="posts.delete_long_removed")
def delete_removed() -> None:
    """Deletes what moderators removed so long ago that nobody can appeal any more. Idempotent, periodic."""
    for _ in range(_STEPS):
        if not delete_long_removed():
            break


@shared_task(name="posts.process_waiting_media")
def process_media() -> None:
    """Processes waiting uploads. Idempotent; triggered by each upload, and periodic."""
    process_waiting_media()


@shared_task(name="posts.purge_caches")
def purge_media_caches() -> None:
    """Purges media that are no longer public from caches. Idempotent, periodic."""
    purge_caches()


@shared_task(name="posts.sweep_media")
def sweep_media() -> None:
    """Deletes unused media and files. Idempotent, periodic."""
    for _ in range(_STEPS):
        deleted = delete_unused_media(before_hours=settings.MEDIA_UNUSED_HOURS)
        if not deleted + delete_unused_files():
            break


@shared_task(name="posts.sweep_store")
def sweep_media_store() -> None:
    """Deletes what killed processes left: media of no comment, files without a row. Idempotent, periodic."""
    delete_abandoned_files()
    delete_unclaimed_media()
    sweep_store(unused_hours=settings.MEDIA_UNUSED_HOURS)


@shared_task(name="posts.fetch_link_previews")
def fetch_previews() -> None:
    """Fetches the pages that posts link to. Idempotent; triggered by each such post, and periodic."""
    fetch_link_previews()


@shared_task(name="posts.forget_unlinked_previews")
def forget_previews() -> None:
    """Deletes previews to which no post links any more. Idempotent, periodic."""
    for _ in range(_STEPS):
        if not forget_unlinked_previews():
            break
