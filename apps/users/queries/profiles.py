"""Profiles and their exact counts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum

from apps.users.models import FollowCount, FollowRequest, Profile
from apps.users.queries.relations import ALL_FLAGS, flags_joins, flags_sql
from socialapp.core.sql import as_utc, placeholders, select


class ProfileRow(NamedTuple):
    """A profile as plain values, with exact counts and the viewer's relationship with the person
    (RelationshipFlags)."""

    user_id: int
    username: str
    full_name: str
    bio: str
    profile_picture: str
    header_picture: str
    status: str
    is_private: bool
    is_discoverable: bool
    silenced: bool
    erased: bool
    version: int
    created_at: datetime
    followers: int
    following: int
    posts: int
    public_posts: int
    flags: int


_COUNTS_AT = ProfileRow._fields.index("followers")
_COLUMNS = ", ".join(f"profiles.{name}" for name in ProfileRow._fields[:_COUNTS_AT])
_ROWS_SQL = (
    f"SELECT {_COLUMNS}, counted.followers, counted.following, post_counts.posts, post_counts.public_posts,"  # noqa: S608
    f" {flags_sql(ALL_FLAGS)} FROM profiles{flags_joins(other='profiles.user_id', kinds=ALL_FLAGS)}"
    " LEFT JOIN (SELECT user_id, SUM(followers) AS followers, SUM(following) AS following FROM follow_counts"
    " WHERE user_id IN ({0}) GROUP BY user_id) AS counted ON counted.user_id = profiles.user_id"
    " LEFT JOIN post_counts ON post_counts.user_id = profiles.user_id WHERE profiles.user_id IN ({0})"
)


def profile_rows(ids: Collection[int], *, viewer_id: int | None) -> dict[int, ProfileRow]:
    """The profiles of those among `ids` who have one, whatever their status, with the viewer's relationships. One
    query.

    Written in SQL because lists of people and search results read it.
    """
    if not ids:
        return {}
    values = [*[viewer_id or 0] * ALL_FLAGS.bit_count(), *ids, *ids]
    rows = map(_profile_row, select(Profile, sql=_ROWS_SQL.format(placeholders(ids)), values=values))
    return {row.user_id: row for row in rows}


def _profile_row(columns: Sequence[Any]) -> ProfileRow:
    *head, private, discoverable, silenced, erased, version, created_at = columns[:_COUNTS_AT]
    followers, following, posts, public_posts, flags = columns[_COUNTS_AT:]
    counts = int(followers or 0), int(following or 0), posts or 0, public_posts or 0  # a sum is a decimal
    marks = bool(private), bool(discoverable), bool(silenced), bool(erased)
    return ProfileRow._make((*head, *marks, version, as_utc(created_at), *counts, flags))


def suggestible_ids(ids: Collection[int]) -> set[int]:
    """Those of the people who are active, not silenced, and have not opted out of suggestions. One query."""
    rows = Profile.objects.filter(user_id__in=ids, status=Profile.Status.ACTIVE, silenced=False, is_discoverable=True)
    return set(rows.values_list("user_id", flat=True)) if ids else set()


def profiles_named(username: str) -> list[Profile]:
    """The people with this name, ignoring case, newest first: one, unless a freed name was just taken again."""
    return [row for row in named([username]).order_by("-user_id") if row.username_key == username.casefold()]


def erased_among(ids: Collection[int]) -> list[int]:
    """Those of `ids` that belong to erased people. One query."""
    if not ids:
        return []
    sql = f"SELECT user_id FROM profiles WHERE user_id IN ({placeholders(ids)}) AND erased"  # noqa: S608
    return [row[0] for row in select(Profile, sql=sql, values=list(ids))]


def unerased_profiles(ids: Collection[int]) -> list[Profile]:
    """The profiles among `ids`, without those of erased people. One query."""
    return list(Profile.objects.filter(user_id__in=ids, erased=False))


def named(usernames: Iterable[str]) -> QuerySet[Profile]:
    """The people with one of these names, ignoring case."""
    return Profile.objects.filter(username_key__in={name.casefold() for name in usernames if name})


def counts_of(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """The exact followers and followings of each of `ids`; people without any may be omitted. One query."""
    if not ids:
        return {}
    rows = (
        FollowCount.objects.filter(user_id__in=ids).values_list("user_id").annotate(Sum("followers"), Sum("following"))
    )
    return {user_id: (followers, following) for user_id, followers, following in rows}


def is_private_since(*, user_id: int, moment: datetime) -> bool:
    """See `Users.is_private_since`. True for accounts that were private before the time was recorded."""
    turned_later = Q(private_since__gt=moment)
    return Profile.objects.filter(user_id=user_id, is_private=True).exclude(turned_later).exists()


def unknown_ids(ids: Collection[int]) -> list[int]:
    """Those of `ids` without a row, not even a tombstone."""
    known = set(Profile.objects.filter(user_id__in=ids).values_list("user_id", flat=True))
    return [user_id for user_id in dict.fromkeys(ids) if user_id not in known]


def unknown_names(usernames: Iterable[str]) -> list[str]:
    """Those of the names that nobody here has, case-folded. One query."""
    wanted = {name.casefold() for name in usernames if name}
    known = set(named(wanted).values_list("username_key", flat=True)) if wanted else set()
    return sorted(wanted - known)


def followings_and_requests(user_id: int) -> int:
    """How many people somebody follows or has requested to follow. Two queries."""
    return counts_of([user_id]).get(user_id, (0, 0))[1] + FollowRequest.objects.filter(requester_id=user_id).count()
