"""Profiles and follows as bulk records: validation before import. Format: docs/records.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from socialapp.contracts.bulk import Record, Rejected
from socialapp.core.ids import id_of
from socialapp.core.text.visible import has_control_characters

T = TypeVar("T")


class _UserRecord(msgspec.Struct):
    """The fields of a `user` record that users stores; auth has checked the others."""

    id: str
    username: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    created_at: datetime
    full_name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    bio: Annotated[str, msgspec.Meta(max_length=500)] = ""
    is_private: bool = False
    is_discoverable: bool = True


class _FollowRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of a `follow` record."""

    follower_id: str
    following_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LoadableProfile:
    """A person from a file."""

    index: int
    user_id: int
    username: str
    full_name: str
    bio: str
    is_private: bool
    is_discoverable: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LoadableFollow:
    """A follow from a file."""

    index: int
    follower_id: int
    following_id: int
    created_at: datetime


def loadable_profiles(records: Sequence[Record]) -> tuple[list[LoadableProfile], list[Rejected]]:
    """Splits records of people into valid and rejected ones."""
    return _parse_all(records, _loadable_profile)


def loadable_follows(records: Sequence[Record]) -> tuple[list[LoadableFollow], list[Rejected]]:
    """Splits records of follows into valid and rejected ones."""
    return _parse_all(records, _loadable_follow)


def _parse_all(records: Sequence[Record], parse: Callable[[int, Record], T]) -> tuple[list[T], list[Rejected]]:
    good: list[T] = []
    rejected: list[Rejected] = []
    for index, record in enumerate(records):
        try:
            good.append(parse(index, record))
        except (msgspec.ValidationError, ValueError) as error:
            rejected.append(Rejected(index=index, reason=str(error)))
    return good, rejected


def _loadable_profile(index: int, record: Record) -> LoadableProfile:
    parsed = msgspec.convert(record, _UserRecord)
    _require_plain("full_name", parsed.full_name, multiline=False)
    _require_plain("bio", parsed.bio, multiline=True)
    return LoadableProfile(
        index=index,
        user_id=id_of(parsed.id, name="id"),
        username=parsed.username,
        full_name=parsed.full_name,
        bio=parsed.bio,
        is_private=parsed.is_private,
        is_discoverable=parsed.is_discoverable,
        created_at=_aware(parsed.created_at),
    )


def _loadable_follow(index: int, record: Record) -> LoadableFollow:
    parsed = msgspec.convert(record, _FollowRecord)
    if parsed.follower_id == parsed.following_id:
        raise ValueError("people cannot follow themselves")
    follower_id = id_of(parsed.follower_id, name="follower_id")
    following_id = id_of(parsed.following_id, name="following_id")
    return LoadableFollow(index, follower_id, following_id, _aware(parsed.created_at))


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("created_at must have a time zone")
    return moment


def _require_plain(name: str, text: str, *, multiline: bool) -> None:
    if has_control_characters(text, multiline=multiline):
        raise ValueError(f"{name} must not have control characters")
