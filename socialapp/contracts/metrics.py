"""What metrics tells."""

from socialapp.contracts.base import event


@event("metrics.user_erased", subject="user_id")
class MetricsErased:
    """metrics has erased its part."""

    user_id: int
    erasure_id: int
