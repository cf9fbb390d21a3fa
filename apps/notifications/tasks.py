"""Periodic tasks of notifications."""

from celery import shared_task

from apps.notifications import actions

PERIODIC = {
    "notifications.send_pushes": 2.0,
    "notifications.retry_pushes": 10.0,
    "notifications.send_mails": 10.0,
    "notifications.retry_mails": 30.0,
    "notifications.queue_digests": 60.0,
    "notifications.prune_read": 3600.0,
}


@shared_task(name="notifications.send_pushes")
def send_pushes() -> None:
    """Sends due pushes for the first time. Safe to run concurrently."""
    actions.send_due_pushes(retries=False)


@shared_task(name="notifications.retry_pushes")
def retry_pushes() -> None:
    """Sends pushes that failed before, or whose devices did: slow ones delay nothing else here."""
    actions.send_due_pushes(retries=True)


@shared_task(name="notifications.send_mails")
def send_mails() -> None:
    """Sends due mails for the first time. Safe to run concurrently."""
    actions.send_due_mails(retries=False)


@shared_task(name="notifications.retry_mails")
def retry_mails() -> None:
    """Sends the mails that failed before."""
    actions.send_due_mails(retries=True)


@shared_task(name="notifications.queue_digests")
def queue_digests() -> None:
    """Queues the digests that are due. Idempotent."""
    actions.queue_due_digests()


@shared_task(name="notifications.prune_read")
def prune_read() -> None:
    """Deletes what was read long ago. Idempotent."""
    actions.prune_read()
