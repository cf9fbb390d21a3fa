"""What search tells."""

from socialapp.contracts.base import event


@event("search.user_erased", subject="user_id")
class SearchErased:
    """search has erased its part."""

    user_id: int
    erasure_id: int
