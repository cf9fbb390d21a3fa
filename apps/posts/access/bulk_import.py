"""Posts as bulk records: validation before import. Format: docs/records.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from apps.posts.access.drafts import MAX_CONTENT, MAX_CONTENT_WARNING
from apps.posts.access.visibility import viewers_among
from socialapp.contracts.bulk import Record, Rejected
from socialapp.contracts.users import ProfileDocument, ProfileSummary
from socialapp.core.ids import id_of
from socialapp.core.text.hashtags import find_hashtags
from socialapp.core.text.mentions import find_mentions
from socialapp.core.text.visible import has_control_characters
from socialapp.lifecycle.bulk import existing_people, parse_each, people_by_name, require_plain, require_time_zone


class _PostRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of a `post` record."""

    id: str
    user_id: str
    content: str
    created_at: datetime
    is_private: bool = False
    sensitive: bool = False
    content_warning: str = ""
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoadablePost:
    """A post from a file whose author exists, with the hashtags and mentions of its text."""

    index: int
    id: int
    author_id: int
    content: str
    is_private: bool
    sensitive: bool
    content_warning: str
    created_at: datetime
    updated_at: datetime
    hashtags: list[str]
    mentions: list[tuple[int, str]]

    @property
    def is_edited(self) -> bool:
        """Whether it was edited after it was written."""
        return self.updated_at > self.created_at


def loadable_posts(records: Sequence[Record]) -> tuple[list[LoadablePost], list[Rejected]]:
    """Sorts records into those that may be written and the rejected.

    Calls users in batches, and once more for every private text with mentions: who may see it.
    """
    parsed, rejected = parse_each(records, parse=_parse)
    authors = existing_people(int(record.user_id) for record in parsed.values())
    named = people_by_name(name for record in parsed.values() for name in find_mentions(record.content))
    loadable = []
    for index, good in parsed.items():
        author = authors.get(int(good.user_id))
        if author is None:
            rejected.append(Rejected(index=index, reason="there is no such author"))
        else:
            loadable.append(_loadable(good, index=index, author=author, named=named))
    return loadable, rejected


def _loadable(
    record: _PostRecord, *, index: int, author: ProfileDocument, named: dict[str, ProfileSummary]
) -> LoadablePost:
    cards = [named[name] for name in find_mentions(record.content) if name in named]
    if cards and (record.is_private or author.is_private):
        may_see = set(viewers_among(author_id=author.card.id, is_private=True, user_ids=[card.id for card in cards]))
        cards = [card for card in cards if card.id in may_see]
    return LoadablePost(
        index=index,
        id=int(record.id),
        author_id=author.card.id,
        content=record.content,
        is_private=record.is_private,
        sensitive=record.sensitive,
        content_warning=record.content_warning,
        created_at=record.created_at,
        updated_at=record.updated_at or record.created_at,
        hashtags=find_hashtags(record.content),
        mentions=[(card.id, card.username) for card in cards],
    )


def _parse(record: Record) -> _PostRecord:
    """The record; ValueError (msgspec.ValidationError is one) with the reason if it is invalid."""
    parsed = msgspec.convert(record, _PostRecord)
    for name in ("id", "user_id"):
        id_of(getattr(parsed, name), name=name)
    require_time_zone(parsed.created_at, parsed.updated_at)
    if parsed.updated_at is not None and parsed.updated_at < parsed.created_at:
        raise ValueError("updated_at must not be before created_at")
    if not parsed.content.strip() or len(parsed.content) > MAX_CONTENT:
        raise ValueError(f"content must have 1 to {MAX_CONTENT} characters")
    require_plain(name="content", text=parsed.content, multiline=True)
    if len(parsed.content_warning) > MAX_CONTENT_WARNING or has_control_characters(
        parsed.content_warning, multiline=False
    ):
        raise ValueError(f"content_warning must have up to {MAX_CONTENT_WARNING} characters, on one line")
    return parsed
