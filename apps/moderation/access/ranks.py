"""The ranks of staff: nobody decides about themselves, nor alone about somebody of the same or a higher rank."""

from socialapp.contracts.auth import Auth
from socialapp.core.errors import Forbidden, Invalid
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.rpc.calls import client

_RANKS = {ADMIN: 2, MODERATOR: 1}
_HIGHEST = max(_RANKS.values())


def require_rank(*, moderator_id: int, user_id: int, proposer_id: int | None = None) -> None:
    """Invalid for a decision about oneself, Forbidden for one about staff of the same or a higher rank. One call.

    A decision about an administrator takes two others: without a `proposer_id` the error has the code `two_people`. The
    admin site or the view has already checked that the moderator is staff.
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
    raise Forbidden("this person has the same rank as you or a higher one", code="rank_too_high")


def require_staff(user_id: int) -> None:
    """Forbidden for somebody who is no longer an active moderator or administrator. One call."""
    if not any(user.status == "active" and _rank(user.roles) for user in client(Auth).users(ids=[user_id])):
        raise Forbidden("whoever decided this is no longer a moderator")


def require_rank_to_lift(*, moderator_id: int, user_id: int) -> None:
    """Like `require_rank`, but one administrator may lift a decision about another. One call."""
    try:
        require_rank(moderator_id=moderator_id, user_id=user_id)
    except Forbidden as refusal:
        if refusal.code != "two_people":
            raise


def refuse_own(*, moderator_id: int | None, user_id: int | None) -> None:
    """Invalid for a decision about oneself; None is a word rule or an erased person."""
    if moderator_id is not None and user_id == moderator_id:
        raise Invalid.of("user_id", "own_account", "Moderators cannot decide about themselves.")


def _rank(roles: list[str]) -> int:
    return max((_RANKS.get(role, 0) for role in roles), default=0)
