"""Periodic tasks of the API."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from socialapp.core.answering import answering_contexts
from socialapp.http.models import IdempotencyKey

PERIODIC = {"http.prune_idempotency_keys": 3600.0}
_BATCH = 1000


@shared_task(name="http.prune_idempotency_keys")
def prune_idempotency_keys() -> None:
    """Deletes the served contexts' idempotency keys after their retention. Idempotent."""
    until = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    for context in answering_contexts():
        keys = IdempotencyKey.objects.using(context.name)
        while ids := list(keys.filter(created_at__lt=until).values_list("id", flat=True)[:_BATCH]):
            keys.filter(id__in=ids).delete()
