"""Reactions as bulk records: what may be loaded, and what a dump holds. Format: docs/records.md."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from apps.reactions.models import Reaction, TargetType
from apps.reactions.queries.reading import Target
from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.comments import Comments
from socialapp.contracts.posts import Posts
from socialapp.contracts.users import Users
from socialapp.core.ids import MAX_ID
from socialapp.rpc.calls import client

_ASKED_AT_ONCE = 100


class _ReactionRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of a `reaction` record."""

    id: str
    user_id: str
    reaction_type: Literal["like", "love", "haha", "sad", "angry"]
    created_at: datetime
    post_id: str | None = None
    comment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Loadable:
    """A reaction from a file whose target and author exist."""

    index: int
    id: int
    user_id: int
    target: Target
    reaction_type: str
    created_at: datetime


def loadable_reactions(records: Sequence[Record]) -> tuple[list[Loadable], list[Rejected]]:
    """Sorts records into those that may be written and the rejected. Asks the other contexts, in batches."""
    parsed: dict[int, _ReactionRecord] = {}
    rejected: list[Rejected] = []
    for index, record in enumerate(records):
        try:
            parsed[index] = _parse(record)
        except (msgspec.ValidationError, ValueError) as error:
            rejected.append(Rejected(index=index, reason=str(error)))
    targets = {
        **_posts(int(good.post_id) for good in parsed.values() if good.post_id is not None),
        **_comments(int(good.comment_id) for good in parsed.values() if good.comment_id is not None),
    }
    people = _people(int(good.user_id) for good in parsed.values())
    loadable = []
    for index, good in parsed.items():
        target = targets.get(_key(good))
        if target is None or int(good.user_id) not in people:
            rejected.append(Rejected(index=index, reason=f"there is no such {'user' if target else 'target'}"))
            continue
        loadable.append(Loadable(index, int(good.id), int(good.user_id), target, good.reaction_type, good.created_at))
    return loadable, rejected


def _key(record: _ReactionRecord) -> tuple[str, int]:
    if record.post_id is not None:
        return TargetType.POST, int(record.post_id)
    return TargetType.COMMENT, int(record.comment_id or 0)


def _parse(record: Record) -> _ReactionRecord:
    """The record; ValueError (as is msgspec.ValidationError) says what is wrong with it."""
    parsed = msgspec.convert(record, _ReactionRecord)
    for name in ("id", "user_id", "post_id", "comment_id"):
        value = getattr(parsed, name)
        if value is not None and not (value.isascii() and value.isdigit() and 0 < int(value) <= MAX_ID):
            raise ValueError(f"{name} must be a string of decimal digits within 64 bits")
    if (parsed.post_id is None) == (parsed.comment_id is None):
        raise ValueError("a reaction has either post_id or comment_id")
    if parsed.created_at.tzinfo is None:
        raise ValueError("created_at must have a time zone")
    return parsed


def _posts(ids: Iterable[int]) -> dict[tuple[str, int], Target]:
    found = (post for some in _chunks(ids) for post in client(Posts).refs(post_ids=some))
    return {(TargetType.POST, post.id): Target(TargetType.POST, post.id, post.author_id, post.id) for post in found}


def _comments(ids: Iterable[int]) -> dict[tuple[str, int], Target]:
    found = (comment for some in _chunks(ids) for comment in client(Comments).documents(comment_ids=some))
    return {
        (TargetType.COMMENT, comment.id): Target(TargetType.COMMENT, comment.id, comment.author_id, comment.post_id)
        for comment in found
    }


def _people(ids: Iterable[int]) -> set[int]:
    found = (document for some in _chunks(ids) for document in client(Users).documents(ids=some))
    return {document.card.id for document in found if document.status != "deleted"}


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    distinct = sorted(set(ids))
    for start in range(0, len(distinct), _ASKED_AT_ONCE):
        yield distinct[start : start + _ASKED_AT_ONCE]


def dumped_reactions(*, after: str, limit: int) -> RecordPage:
    """Up to `limit` reactions behind the id `after`, in id order."""
    rows = list(Reaction.objects.filter(id__gt=int(after or 0)).order_by("id")[: limit + 1])
    shown = rows[:limit]
    return RecordPage(records=[_record(row) for row in shown], next=str(shown[-1].id) if len(rows) > limit else None)


def _record(row: Reaction) -> Record:
    return {
        "id": str(row.id),
        "user_id": str(row.user_id),
        "post_id": str(row.post_id) if row.post_id is not None else None,
        "comment_id": str(row.comment_id) if row.comment_id is not None else None,
        "reaction_type": row.reaction_type,
        "created_at": row.created_at.isoformat(),
    }
