"""Signs the head of the log, so that nobody with write access to the database can rebuild the chain unnoticed."""

from apps.moderation.models import LogHead, SignedHead
from apps.moderation.queries import sign
from socialapp.core.db import transactional


@transactional("moderation")
def sign_head() -> bool:
    """Signs the present head of the log; False if nothing was added since the last time. Idempotent."""
    head = LogHead.objects.select_for_update().filter(id=1).first()
    if head is None:
        return False
    values = {"hash": head.hash, "signature": sign(sequence=head.sequence, hash_=head.hash)}
    _, made = SignedHead.objects.get_or_create(sequence=head.sequence, defaults=values)
    return made
