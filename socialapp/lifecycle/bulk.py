"""Bulk import and export, as each context does its part: records that may be written, and pages of records.

The format is in docs/records.md; `ops.bulk` reads and writes the files.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.users import ProfileDocument, ProfileSummary, Users
from socialapp.core.errors import Invalid
from socialapp.core.text.visible import has_control_characters
from socialapp.rpc.batches import in_batches
from socialapp.rpc.calls import client


class _Row(Protocol):
    @property
    def id(self) -> int: ...


Parsed = TypeVar("Parsed")
Row = TypeVar("Row", bound=_Row)


def parse_each(
    records: Sequence[Record], *, parse: Callable[[Record], Parsed]
) -> tuple[dict[int, Parsed], list[Rejected]]:
    """The parsed records by their index, and those that `parse` rejects by raising Invalid or ValueError."""
    parsed: dict[int, Parsed] = {}
    rejected: list[Rejected] = []
    for index, record in enumerate(records):
        try:
            parsed[index] = parse(record)
        except Invalid as problem:
            rejected.append(Rejected(index=index, reason=problem.errors[0].detail))
        except ValueError as error:  # msgspec.ValidationError is one
            rejected.append(Rejected(index=index, reason=str(error)))
    return parsed, rejected


def require_time_zone(*moments: datetime | None) -> None:
    """ValueError if a moment has no time zone; None is allowed."""
    if any(moment.tzinfo is None for moment in moments if moment is not None):
        raise ValueError("times must have a time zone")


def require_plain(*, name: str, text: str, multiline: bool) -> None:
    """ValueError if the text of the field `name` has control characters."""
    if has_control_characters(text, multiline=multiline):
        raise ValueError(f"{name} must not have control characters")


def existing_people(ids: Iterable[int]) -> dict[int, ProfileDocument]:
    """Those of the people who were not deleted. Calls users in batches."""
    found = (document for batch in in_batches(ids) for document in client(Users).documents(ids=batch))
    return {document.card.id: document for document in found if document.status != "deleted"}


def people_by_name(usernames: Iterable[str]) -> dict[str, ProfileSummary]:
    """The people with these usernames, by lower-case username. Calls users in batches."""
    found = (person for batch in in_batches(usernames) for person in client(Users).by_usernames(usernames=batch))
    return {person.username.lower(): person for person in found}


def record_page(rows: Sequence[Row], *, limit: int, record: Callable[[Row], Record]) -> RecordPage:
    """A page of up to `limit` rows as records; one row more means that there is a next page."""
    shown = rows[:limit]
    following = str(shown[-1].id) if len(rows) > limit else None
    return RecordPage(records=[record(row) for row in shown], next=following)
