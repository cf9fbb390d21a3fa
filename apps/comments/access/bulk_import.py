"""Comments as bulk records: validation before import. Format: docs/records.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from apps.comments.access.drafts import MAX_CONTENT
from socialapp.contracts.bulk import Record, Rejected
from socialapp.contracts.posts import PostRef, Posts
from socialapp.core.ids import id_of
from socialapp.core.text.mentions import find_mentions
from socialapp.lifecycle.bulk import existing_people, parse_each, people_by_name, require_plain, require_time_zone
from socialapp.rpc.batches import in_batches
from socialapp.rpc.calls import client


class _CommentRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of a `comment` record."""

    id: str
    post_id: str
    user_id: str | None
    content: str
    created_at: datetime
    parent_comment_id: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoadableComment:
    """A comment from a file whose post and author exist; its parent is checked when it is written."""

    index: int
    id: int
    post: PostRef
    author_id: int | None
    parent_id: int | None
    content: str
    created_at: datetime
    updated_at: datetime
    mentions: dict[str, int]  # user ids by name


def loadable_comments(records: Sequence[Record]) -> tuple[list[LoadableComment], list[Rejected]]:
    """Splits records into those that may be written and the rejected. Calls posts and users in batches."""
    parsed, rejected = parse_each(records, parse=_parse)
    posts = _existing_posts(int(record.post_id) for record in parsed.values())
    authors = existing_people(int(record.user_id) for record in parsed.values() if record.user_id is not None)
    named = people_by_name(name for record in parsed.values() for name in find_mentions(record.content))
    loadable = []
    for index, good in parsed.items():
        post = posts.get(int(good.post_id))
        if post is None or (good.user_id is not None and int(good.user_id) not in authors):
            rejected.append(Rejected(index=index, reason=f"there is no such {'author' if post else 'post'}"))
            continue
        mentions = {name: named[name].id for name in find_mentions(good.content) if name in named}
        loadable.append(_loadable(index, good, post, mentions))
    return loadable, rejected


def _loadable(index: int, record: _CommentRecord, post: PostRef, mentions: dict[str, int]) -> LoadableComment:
    return LoadableComment(
        index=index,
        id=int(record.id),
        post=post,
        author_id=int(record.user_id) if record.user_id is not None else None,
        parent_id=int(record.parent_comment_id) if record.parent_comment_id is not None else None,
        content=record.content,
        created_at=record.created_at,
        updated_at=record.updated_at or record.created_at,
        mentions=mentions,
    )


def _parse(record: Record) -> _CommentRecord:
    """The record; ValueError (msgspec.ValidationError is one) with the reason if it is invalid."""
    parsed = msgspec.convert(record, _CommentRecord)
    for name in ("id", "post_id", "user_id", "parent_comment_id"):
        if (value := getattr(parsed, name)) is not None:
            id_of(value, name=name)
    require_time_zone(parsed.created_at, parsed.updated_at)
    if parsed.user_id is None and parsed.content:
        raise ValueError("a tombstone (user_id null) has no content")
    if parsed.user_id is not None and not 0 < len(parsed.content.strip()) <= MAX_CONTENT:
        raise ValueError(f"content must have 1 to {MAX_CONTENT} characters")
    require_plain(name="content", text=parsed.content, multiline=True)
    return parsed


def _existing_posts(ids: Iterable[int]) -> dict[int, PostRef]:
    return {post.id: post for batch in in_batches(ids) for post in client(Posts).refs(post_ids=batch)}
