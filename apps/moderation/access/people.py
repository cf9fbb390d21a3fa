"""What moderators see about the person concerned by a case, and their internal notes."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from apps.moderation.access.names import show_names, usernames
from apps.moderation.models import Action, Case
from apps.moderation.queries import cases as case_rows
from apps.moderation.queries import decisions_about
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import Users
from socialapp.core.errors import Problem
from socialapp.rpc.calls import client

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """What moderators see about the person concerned by a case."""

    name: str = ""
    full_name: str = ""
    bio: str = ""
    status: str = ""
    since: datetime | None = None
    followers: int = 0
    posts: int = 0
    restrictions: tuple[str, ...] = ()
    earlier: tuple[Action, ...] = ()
    open_cases: tuple[Case, ...] = ()


def history_of(user_id: int | None) -> PersonHistory:
    """The person, the last 20 decisions about them, and open cases. Two queries and two calls."""
    if user_id is None:
        return PersonHistory()
    earlier, open_cases = tuple(decisions_about(user_id)), tuple(case_rows.open_cases_about(user_id))
    show_names(earlier)
    try:
        people = client(Users).documents(ids=[user_id])
        counts = client(Posts).author_posts(author_ids=[user_id])
    except Problem as problem:
        log.warning("moderation.no_history", error=problem.detail)
        return PersonHistory(earlier=earlier, open_cases=open_cases)
    if not people:
        return PersonHistory(earlier=earlier, open_cases=open_cases)
    person = people[0]
    in_force = [name for name in ("silenced", "limited") if getattr(person, name)]
    return PersonHistory(
        name=person.card.username,
        full_name=person.card.full_name,
        bio=person.bio,
        status=person.status,
        since=person.created_at,
        followers=person.followers_count,
        posts=counts[0].posts if counts else 0,
        restrictions=tuple(in_force),
        earlier=earlier,
        open_cases=open_cases,
    )


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A note as the case page shows it."""

    author: str
    text: str
    created_at: datetime


def notes_of(case: Case) -> list[NoteLine]:
    """The notes on a case, oldest first, with names. One query and one call."""
    notes = case_rows.notes_of(case.id)
    names = usernames(note.moderator_id for note in notes)
    return [NoteLine(names.get(note.moderator_id or 0, ""), note.text, note.created_at) for note in notes]
