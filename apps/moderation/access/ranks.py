"""Who may decide about whom: nobody about themselves, and nobody alone about somebody of the same or a higher rank."""

from socialapp.contracts.auth import Auth
from socialapp.core.errors import Forbidden, Invalid
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.rpc.calls import client

_RANKS = {ADMIN: 2, MODERATOR: 1}
_HIGHEST = max(_RANKS.values())


def require_rank(*, moderator_id: int, user_id: int, proposer_id: int | None = None) -> None:
    """Refuses with 422 a decision about oneself, with 403 one about staff of the same or a higher rank. One call.

    About an administrator two others decide together: without a `proposer_id` the refusal has the code `two_people`.
    That the moderator is staff at all, the admin site or the route has made sure of.
    """
    refuse_own(moderator_id=moderator_id, user_id=user_id)
    asked = [moderator_id, user_id] if proposer_id is None else [moderator_id, user_id, proposer_id]
    roles = {user.id: user.roles for user in client(Auth).users(ids=asked)}
    ranks = {person: _rank(roles.get(person, [])) for person in asked}
    if not ranks[user_id] or ranks[moderator_id] > ranks[user_id]:
        return
    if ranks[user_id] == ranks[moderator_id] == _HIGHEST:
        if proposer_id is None:
            raise Forbidden("a second administrator has to confirm this", code="two_people")
        refuse_own(moderator_id=proposer_id, user_id=user_id)
        if proposer_id != moderator_id and ranks[proposer_id] == _HIGHEST:
            return
    raise Forbidden("this person has the same rank as you, or a higher one", code="rank_too_high")


def require_rank_to_lift(*, moderator_id: int, user_id: int) -> None:
    """As `require_rank`, but one administrator is enough to lift a decision about another. One call."""
    try:
        require_rank(moderator_id=moderator_id, user_id=user_id)
    except Forbidden as refusal:
        if refusal.code != "two_people":
            raise


def refuse_own(*, moderator_id: int | None, user_id: int | None) -> None:
    """Refuses with 422 what a moderator would decide about themselves; None is a rule, or somebody erased."""
    if moderator_id is not None and user_id == moderator_id:
        raise Invalid.of("user_id", "own_account", "Moderators cannot decide about themselves.")


def _rank(roles: list[str]) -> int:
    return max((_RANKS.get(role, 0) for role in roles), default=0)
