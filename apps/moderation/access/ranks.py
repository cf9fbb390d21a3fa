"""Who may decide about whom: nobody about themselves, and nobody about somebody of the same or a higher rank."""

from socialapp.contracts.auth import Auth
from socialapp.core.errors import Forbidden, Invalid
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.rpc.calls import client

_RANKS = {ADMIN: 2, MODERATOR: 1}


def require_rank(*, moderator_id: int, user_id: int) -> None:
    """Refuses with 422 a decision about oneself, with 403 one about staff of the same or a higher rank. One call.

    That the moderator is staff at all, the admin site or the route has made sure of.
    """
    refuse_own(moderator_id=moderator_id, user_id=user_id)
    roles = {user.id: user.roles for user in client(Auth).users(ids=[moderator_id, user_id])}
    rank = _rank(roles.get(user_id, []))
    if rank and _rank(roles.get(moderator_id, [])) <= rank:
        raise Forbidden("this person has the same rank as you, or a higher one", code="rank_too_high")


def refuse_own(*, moderator_id: int | None, user_id: int | None) -> None:
    """Refuses with 422 what a moderator would decide about themselves; None is a word rule, or somebody erased."""
    if moderator_id is not None and user_id == moderator_id:
        raise Invalid.of("user_id", "own_account", "Moderators cannot decide about themselves.")


def _rank(roles: list[str]) -> int:
    return max((_RANKS.get(role, 0) for role in roles), default=0)
