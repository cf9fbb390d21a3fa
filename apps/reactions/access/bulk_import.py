"""Reactions as bulk records: validation before import. Format: docs/records.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from apps.reactions.access.visibility import Target, target_of_comment, target_of_post
from apps.reactions.models import TargetType
from socialapp.contracts.bulk import Record, Rejected
from socialapp.contracts.comments import Comments
from socialapp.contracts.posts import Posts
from socialapp.core.ids import id_of
from socialapp.lifecycle.bulk import existing_people, parse_each, require_time_zone
from socialapp.rpc.batches import in_batches
from socialapp.rpc.calls import client


class _ReactionRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of a `reaction` record."""

    id: str
    user_id: str
    reaction_type: Literal["like", "love", "haha", "sad", "angry"]
    created_at: datetime
    post_id: str | None = None
    comment_id: str | None = None


@dataclass(frozen=True, slots=True)
class LoadableReaction:
    """A reaction from a file whose target and author exist."""

    index: int
    id: int
    user_id: int
    target: Target
    reaction_type: str
    created_at: datetime


def loadable_reactions(records: Sequence[Record]) -> tuple[list[LoadableReaction], list[Rejected]]:
    """Splits records into those that may be written and the rejected. Calls the other contexts in batches."""
    parsed, rejected = parse_each(records, parse=_parse)
    targets = {
        **_existing_posts(int(good.post_id) for good in parsed.values() if good.post_id is not None),
        **_existing_comments(int(good.comment_id) for good in parsed.values() if good.comment_id is not None),
    }
    people = existing_people(int(good.user_id) for good in parsed.values())
    loadable = []
    for index, good in parsed.items():
        target = targets.get(_target_key(good))
        if target is None or int(good.user_id) not in people:
            rejected.append(Rejected(index=index, reason=f"there is no such {'user' if target else 'target'}"))
            continue
        loadable.append(
            LoadableReaction(index, int(good.id), int(good.user_id), target, good.reaction_type, good.created_at)
        )
    return loadable, rejected


def _target_key(record: _ReactionRecord) -> tuple[str, int]:
    if record.post_id is not None:
        return TargetType.POST, int(record.post_id)
    return TargetType.COMMENT, int(record.comment_id or 0)


def _parse(record: Record) -> _ReactionRecord:
    """The record; ValueError (msgspec.ValidationError is one) with the reason if it is invalid."""
    parsed = msgspec.convert(record, _ReactionRecord)
    for name in ("id", "user_id", "post_id", "comment_id"):
        if (value := getattr(parsed, name)) is not None:
            id_of(value, name=name)
    if (parsed.post_id is None) == (parsed.comment_id is None):
        raise ValueError("a reaction has either post_id or comment_id")
    require_time_zone(parsed.created_at)
    return parsed


def _existing_posts(ids: Iterable[int]) -> dict[tuple[str, int], Target]:
    found = (post for batch in in_batches(ids) for post in client(Posts).refs(post_ids=batch))
    return {(TargetType.POST, post.id): target_of_post(post) for post in found}


def _existing_comments(ids: Iterable[int]) -> dict[tuple[str, int], Target]:
    found = (comment for batch in in_batches(ids) for comment in client(Comments).documents(comment_ids=batch))
    return {(TargetType.COMMENT, comment.id): target_of_comment(comment) for comment in found}
