"""Stored responses for `Idempotency-Key`: written in the transaction of the write that they protect."""

from django.db import models

from socialapp.core.db import IdField


class IdempotencyKey(models.Model):
    """The response for a key. Key and body are stored as digests, the response encrypted under the key itself."""

    id = IdField()
    digest = models.CharField(max_length=64, unique=True)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "api_idempotency_key"

    def __str__(self) -> str:
        return self.digest
