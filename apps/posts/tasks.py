"""What posts does by the clock."""

from celery import shared_task

from apps.posts.actions.erasure import sweep_erased_users
from apps.posts.actions.views import flush_views

PERIODIC = {"posts.flush_views": 10.0, "posts.sweep_erased_users": 300.0}


@shared_task(name="posts.flush_views")
def publish_views() -> None:
    """Publishes the views counted since the last run. Periodic."""
    flush_views()


@shared_task(name="posts.sweep_erased_users")
def sweep_erased() -> None:
    """Erases what was written while its user was being erased. Idempotent, periodic."""
    sweep_erased_users()
