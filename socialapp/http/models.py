"""The durable memory of `Idempotency-Key`: written in the transaction of the write that it protects."""

from django.db import models

from socialapp.core.db import IdField


class IdempotencyKey(models.Model):
    """What was answered to a key. Key and body are kept as digests, the answer encrypted under the key itself."""

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
