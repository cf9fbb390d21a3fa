"""The people whom rows refer to, for staff pages: shown with their names, or without if users does not respond."""

from collections.abc import Iterable

import structlog

from socialapp.contracts.users import ProfileSummary, Users
from socialapp.core.errors import Problem
from socialapp.rpc.calls import client

log = structlog.get_logger()


def profile_summaries(ids: Iterable[int | None]) -> dict[int, ProfileSummary]:
    """Profile summaries by id, without deleted users; empty if users does not respond. One call."""
    wanted = sorted({user_id for user_id in ids if user_id is not None})
    try:
        found = client(Users).documents(ids=wanted) if wanted else []
    except Problem as problem:
        log.warning("people.unavailable", error=problem.detail)
        return {}
    return {person.card.id: person.card for person in found}
