"""Periodic tasks of auth."""

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
    """Sends the mails that are due. Idempotent, except for a worker killed between sending and recording it."""
    actions.send_due_mails()


@shared_task(name="auth.repeat_unfinished_erasures")
def repeat_unfinished_erasures() -> None:
    """Publishes deletions again that some context has not acknowledged. Idempotent."""
    actions.repeat_unfinished_erasures()


@shared_task(name="auth.delete_old_sessions")
def delete_old_sessions() -> None:
    """Deletes old sessions and abandoned passkey challenges. Idempotent."""
    actions.delete_old_sessions()
    actions.delete_old_challenges()


@shared_task(name="auth.begin_due_erasures")
def begin_due_erasures() -> None:
    """Starts the erasures whose grace period has ended. Idempotent."""
    actions.begin_due_erasures()


@shared_task(name="auth.retire_replaced_keys")
def retire_replaced_keys() -> None:
    """Retires signing keys that were replaced long ago. Idempotent."""
    actions.retire_replaced_keys()


@shared_task(name="auth.build_exports")
def build_exports() -> None:
    """Builds the requested archives. Idempotent."""
    actions.build_due_exports()


@shared_task(name="auth.delete_expired_exports")
def delete_expired_exports() -> None:
    """Deletes expired archives. Idempotent."""
    actions.delete_expired_exports()
