"""Decides who may react and see reactions: whoever may see the target. Calls the target's context and users.

Also validates records of a bulk import (docs/records.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from apps.reactions.models import Reaction, ReactionType, TargetType
from socialapp.contracts.bulk import Record, Rejected
from socialapp.contracts.comments import CommentDocument, CommentRef, Comments
from socialapp.contracts.posts import PostRef, Posts
from socialapp.contracts.users import ProfileSummary, Users
from socialapp.core.errors import Malformed, NotFound
from socialapp.core.ids import id_of
from socialapp.rpc.batches import in_batches
from socialapp.rpc.calls import client


@dataclass(frozen=True, slots=True)
class Target:
    """A post or comment. `post_id` is the post itself, or the post of the comment."""

    type: str
    id: int
    author_id: int
    post_id: int


def visible_target(*, viewer_id: int | None, target_type: str, target_id: int) -> Target:
    """The target, if `viewer_id` (None: anonymous) may see it; NotFound otherwise. Calls the target's context."""
    if target_type == TargetType.POST:
        for post in client(Posts).visible(viewer_id=viewer_id, post_ids=[target_id]):
            return _post_target(post)
    else:
        for comment in client(Comments).visible(viewer_id=viewer_id, comment_ids=[target_id]):
            return _comment_target(comment)
    raise NotFound(f"there is no such {target_type}, or you may not see it")


def _post_target(post: PostRef) -> Target:
    return Target(TargetType.POST, post.id, post.author_id, post.id)


def _comment_target(comment: CommentRef | CommentDocument) -> Target:
    return Target(TargetType.COMMENT, comment.id, comment.author_id, comment.post_id)


def visible_reactors(*, viewer_id: int | None, reactions: Sequence[Reaction]) -> dict[int, ProfileSummary]:
    """The visible people among those who reacted: active, and without a block with the viewer. One call."""
    if not reactions:
        return {}
    audience = client(Users).audience(viewer_id=viewer_id, author_ids=[reaction.user_id for reaction in reactions])
    return {author.card.id: author.card for author in audience.authors if author.active and not author.blocked}


def require_reaction_type(reaction_type: str | None) -> None:
    """Malformed for a filter that is not a type of reaction; None means all types."""
    if reaction_type is not None and reaction_type not in ReactionType.values:
        raise Malformed(f"type must be one of {', '.join(ReactionType.values)}", code="type_invalid")


# --- Bulk import --------------------------------------------------------------------------------------------------


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
    parsed: dict[int, _ReactionRecord] = {}
    rejected: list[Rejected] = []
    for index, record in enumerate(records):
        try:
            parsed[index] = _parse(record)
        except (msgspec.ValidationError, ValueError) as error:
            rejected.append(Rejected(index=index, reason=str(error)))
    targets = {
        **_existing_posts(int(good.post_id) for good in parsed.values() if good.post_id is not None),
        **_existing_comments(int(good.comment_id) for good in parsed.values() if good.comment_id is not None),
    }
    people = _existing_users(int(good.user_id) for good in parsed.values())
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
    if parsed.created_at.tzinfo is None:
        raise ValueError("created_at must have a time zone")
    return parsed


def _existing_posts(ids: Iterable[int]) -> dict[tuple[str, int], Target]:
    found = (post for batch in in_batches(ids) for post in client(Posts).refs(post_ids=batch))
    return {(TargetType.POST, post.id): _post_target(post) for post in found}


def _existing_comments(ids: Iterable[int]) -> dict[tuple[str, int], Target]:
    found = (comment for batch in in_batches(ids) for comment in client(Comments).documents(comment_ids=batch))
    return {(TargetType.COMMENT, comment.id): _comment_target(comment) for comment in found}


def _existing_users(ids: Iterable[int]) -> set[int]:
    found = (document for batch in in_batches(ids) for document in client(Users).documents(ids=batch))
    return {document.card.id for document in found if document.status != "deleted"}
