"""What auth does from time to time."""

from celery import shared_task

from apps.auth import actions

PERIODIC = {
    "auth.send_mails": 3.0,
    "auth.repeat_unfinished_erasures": 60.0,
    "auth.begin_due_erasures": 60.0,
    "auth.delete_old_sessions": 3600.0,
    "auth.retire_replaced_keys": 3600.0,
    "auth.build_exports": 10.0,
    "auth.delete_expired_exports": 3600.0,
}


@shared_task(name="auth.send_mails")
def send_mails() -> None:
    """Sends the mails that are due. Idempotent but for a worker killed between sending and noting it."""
    actions.send_due_mails()


@shared_task(name="auth.repeat_unfinished_erasures")
def repeat_unfinished_erasures() -> None:
    """Publishes deletions again that were not acted upon everywhere. Idempotent."""
    actions.repeat_unfinished_erasures()


@shared_task(name="auth.delete_old_sessions")
def delete_old_sessions() -> None:
    """Removes sessions that are long over, and what was begun and never finished. Idempotent."""
    actions.delete_old_sessions()
    actions.delete_old_challenges()


@shared_task(name="auth.begin_due_erasures")
def begin_due_erasures() -> None:
    """Begins the erasures whose grace period is over. Idempotent."""
    actions.begin_due_erasures()


@shared_task(name="auth.retire_replaced_keys")
def retire_replaced_keys() -> None:
    """Forgets signing keys that were replaced long ago. Idempotent."""
    actions.retire_replaced_keys()


@shared_task(name="auth.build_exports")
def build_exports() -> None:
    """Makes the archives that people have asked for. Idempotent."""
    actions.build_due_exports()


@shared_task(name="auth.delete_expired_exports")
def delete_expired_exports() -> None:
    """Removes archives whose time is over. Idempotent."""
    actions.delete_expired_exports()
