"""Profiles and follows as bulk records: validation before import. Format: docs/records.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from socialapp.contracts.bulk import Record, Rejected
from socialapp.core.ids import id_of
from socialapp.lifecycle.bulk import parse_each, require_plain, require_time_zone


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
    parsed, rejected = parse_each(records, parse=_parse_profile)
    return list(parsed.values()), rejected


def loadable_follows(records: Sequence[Record]) -> tuple[list[LoadableFollow], list[Rejected]]:
    """Splits records of follows into valid and rejected ones."""
    parsed, rejected = parse_each(records, parse=_parse_follow)
    follows = [
        LoadableFollow(index, int(good.follower_id), int(good.following_id), good.created_at)
        for index, good in parsed.items()
    ]
    return follows, rejected


def _parse_profile(record: Record) -> LoadableProfile:
    parsed = msgspec.convert(record, _UserRecord)
    require_plain(name="full_name", text=parsed.full_name, multiline=False)
    require_plain(name="bio", text=parsed.bio, multiline=True)
    require_time_zone(parsed.created_at)
    return LoadableProfile(
        user_id=id_of(parsed.id, name="id"),
        username=parsed.username,
        full_name=parsed.full_name,
        bio=parsed.bio,
        is_private=parsed.is_private,
        is_discoverable=parsed.is_discoverable,
        created_at=parsed.created_at,
    )


def _parse_follow(record: Record) -> _FollowRecord:
    parsed = msgspec.convert(record, _FollowRecord)
    if parsed.follower_id == parsed.following_id:
        raise ValueError("people cannot follow themselves")
    id_of(parsed.follower_id, name="follower_id")
    id_of(parsed.following_id, name="following_id")
    require_time_zone(parsed.created_at)
    return parsed
