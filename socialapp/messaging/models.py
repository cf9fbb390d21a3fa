"""The bus tables, one set in every context's database: outbox, inbox and failed deliveries."""

from datetime import timedelta

from django.db import models

from socialapp.core.db import IdField

# The clocks of two machines differ by less. What was noted for later than that was noted before a clock was set back.
CLOCKS_DIFFER = timedelta(seconds=60)


class OutboxEvent(models.Model):
    """An event that was committed with the change it describes; re-sent until every consumer has confirmed it."""

    class State(models.IntegerChoices):
        """The state of the event."""

        NEW = 0
        SENT = 1
        CONFIRMED = 2

    id = IdField()
    type = models.CharField(max_length=120)
    subject = models.CharField(max_length=64)
    envelope = models.TextField()
    state = models.SmallIntegerField(choices=State.choices, default=State.NEW)
    created_at = models.DateTimeField(auto_now_add=True)
    claim = models.BigIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    # The envelope's correlationid, to be found by; with a default in the database for processes of the release before.
    correlation = models.CharField(max_length=64, blank=True, default="", db_default="", db_index=True)

    class Meta:
        db_table = "bus_outbox"
        indexes = (
            models.Index(fields=["state", "id"], name="bus_outbox_state"),
            models.Index(fields=["claim"], name="bus_outbox_claim"),
            models.Index(fields=["subject"], name="bus_outbox_subject"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class InboxEntry(models.Model):
    """The mark that a handler has processed an event: written in the handler's own transaction, hence exactly once."""

    id = IdField()
    event_id = models.BigIntegerField()
    handler = models.CharField(max_length=120)
    handled_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "bus_inbox"
        constraints = (models.UniqueConstraint(fields=["event_id", "handler"], name="bus_inbox_once"),)

    def __str__(self) -> str:
        return f"{self.handler} {self.event_id}"


class FailedDelivery(models.Model):
    """A failed delivery to a handler: retried at `retry_at`, or kept as a dead letter."""

    id = IdField()
    event_id = models.BigIntegerField()
    handler = models.CharField(max_length=120)
    type = models.CharField(max_length=120)
    subject = models.CharField(max_length=64, db_index=True)
    envelope = models.TextField()
    attempts = models.PositiveIntegerField(default=1)
    error = models.TextField()
    dead = models.BooleanField(default=False)
    retry_at = models.DateTimeField()
    failed_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "bus_failed_delivery"
        verbose_name_plural = "failed deliveries"
        constraints = (models.UniqueConstraint(fields=["event_id", "handler"], name="bus_failed_once"),)
        indexes = (models.Index(fields=["dead", "retry_at"], name="bus_failed_due"),)

    def __str__(self) -> str:
        return f"{self.handler} {self.event_id}"
