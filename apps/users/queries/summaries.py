"""Queries of the `Users` contract: few statements, whatever the number of people."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from apps.users.models import SLOTS, Follow, FollowCount, Profile
from apps.users.queries.profiles import counts_of, named
from apps.users.queries.relations import AUDIENCE_FLAGS, BLOCKED, RelationshipFlags, flags_joins, flags_sql
from socialapp.contracts.users import Audience, Author, Circle, Following, ProfileDocument, ProfileSummary
from socialapp.core.sql import placeholders, select

_PAIRS_A_QUERY = 1000
_SUMMARIES_SQL = (
    "SELECT user_id, username, full_name, profile_picture FROM profiles WHERE status = 'active' AND user_id IN ({})"
)


def summaries(ids: Collection[int]) -> list[ProfileSummary]:
    """The profile summaries of those among `ids` who are active. One query."""
    if not ids:
        return []
    wanted = list(ids)
    rows = select(Profile, sql=_SUMMARIES_SQL.format(placeholders(wanted)), values=wanted)
    return [ProfileSummary(id=row[0], username=row[1], full_name=row[2], profile_picture=row[3]) for row in rows]


def summaries_by_username(usernames: Iterable[str]) -> list[ProfileSummary]:
    """The profile summaries of the active people with these names, ignoring case. One query."""
    names = list(usernames)
    keys = {name.casefold() for name in names}
    return [found for found in _summaries(named(names)) if found.username.casefold() in keys]


def _summaries(profiles: QuerySet[Profile]) -> list[ProfileSummary]:
    rows = profiles.filter(status=Profile.Status.ACTIVE).values_list(
        "user_id", "username", "full_name", "profile_picture"
    )
    return [
        ProfileSummary(id=user_id, username=username, full_name=full_name, profile_picture=picture)
        for user_id, username, full_name, picture in rows
    ]


_AUDIENCE_SQL = (
    "SELECT profiles.user_id, username, full_name, profile_picture, status, is_private, following_version,"  # noqa: S608
    f" is_discoverable, silenced, limited, links_limited, media_limited, {flags_sql(AUDIENCE_FLAGS)}"
    f" FROM profiles{flags_joins(other='profiles.user_id', kinds=AUDIENCE_FLAGS)} WHERE profiles.user_id IN ({{}})"
)


def audience(*, viewer_id: int | None, author_ids: Collection[int]) -> Audience:
    """See `Users.audience`. One query, whatever the number of authors."""
    wanted = set(author_ids)
    asked = wanted if viewer_id is None else wanted | {viewer_id}
    if not asked:
        return Audience(following_version=0, authors=[])
    sql = _AUDIENCE_SQL.format(placeholders(asked))
    rows = select(Profile, sql=sql, values=[*[viewer_id or 0] * AUDIENCE_FLAGS.bit_count(), *asked])
    version = next((row[6] for row in rows if row[0] == viewer_id), 0)
    authors = [_author(row, viewer_id) for row in rows if row[0] in wanted]
    return Audience(following_version=version, authors=authors)


def _author(row: tuple[Any, ...], viewer_id: int | None) -> Author:
    user_id, username, full_name, picture, status, is_private, _, *marks, flags = row
    is_discoverable, silenced, limited, links, media = map(bool, marks)
    return Author(
        card=ProfileSummary(id=user_id, username=username, full_name=full_name, profile_picture=picture),
        active=status == "active",
        is_private=bool(is_private),
        follows=user_id == viewer_id or bool(flags & RelationshipFlags.FOLLOWING),
        blocked=bool(flags & BLOCKED),
        muted=bool(flags & RelationshipFlags.MUTING),
        silenced=silenced,
        limited=limited,
        links_limited=links,
        media_limited=media,
        is_discoverable=is_discoverable,
    )


def follower_ids(user_id: int, *, after: int, limit: int) -> list[int]:
    """Up to `limit` ids of followers greater than `after`, ascending."""
    rows = select(
        Follow,
        sql=(
            "SELECT follower_id FROM follows WHERE following_id = %s AND follower_id > %s ORDER BY follower_id LIMIT %s"
        ),
        values=[user_id, after, max(0, limit)],
    )
    return [row[0] for row in rows]


def following_of(user_id: int) -> Following:
    """The people somebody follows, with popular ones marked. One query, two if some may be popular."""
    rows = select(Profile, sql=_FOLLOWING_SQL, values=[_least_of_popular(), user_id])
    followed = [row[1:] for row in rows if row[1] is not None]
    return Following(
        version=rows[0][0] if rows else 0,
        ids=[other for other, _ in followed],
        popular_ids=_popular_among({other for other, may_be_popular in followed if may_be_popular}),
    )


_FOLLOWING_SQL = (
    "SELECT following_version, following_id,"
    " EXISTS (SELECT 1 FROM follow_counts WHERE user_id = follows.following_id AND followers > %s)"
    " FROM profiles LEFT JOIN follows ON follower_id = profiles.user_id WHERE profiles.user_id = %s"
)


def popular_ids(ids: Collection[int]) -> list[int]:
    """Those of `ids` with more than POPULAR_FOLLOWERS followers. At most two queries."""
    if not ids:
        return []
    wanted = list(ids)
    sql = f"SELECT DISTINCT user_id FROM follow_counts WHERE user_id IN ({placeholders(wanted)}) AND followers > %s"  # noqa: S608
    return _popular_among({row[0] for row in select(FollowCount, sql=sql, values=[*wanted, _least_of_popular()])})


def _least_of_popular() -> int:
    """If the sum of 16 slots exceeds N, at least one slot exceeds N/16; only then are the slots added up."""
    return int(settings.POPULAR_FOLLOWERS) // SLOTS


def _popular_among(candidates: set[int]) -> list[int]:
    return [user_id for user_id, counts in counts_of(candidates).items() if counts[0] > settings.POPULAR_FOLLOWERS]


def circle_of(user_id: int) -> Circle:
    """The people somebody follows, and everyone they block or who blocks them. One query."""
    rows = select(Follow, sql=_CIRCLE_SQL, values=[user_id] * 3)
    return Circle(
        following=[other for is_blocked, other in rows if not is_blocked],
        blocked=sorted({other for is_blocked, other in rows if is_blocked}),
    )


_CIRCLE_SQL = (
    "SELECT 0, following_id FROM follows WHERE follower_id = %s"
    " UNION ALL SELECT 1, blocked_id FROM blocks WHERE blocker_id = %s"
    " UNION ALL SELECT 1, blocker_id FROM blocks WHERE blocked_id = %s"
)


def muted_by(*, user_ids: Collection[int], muted_id: int) -> list[int]:
    """Those of `user_ids` who mute, block or are blocked by `muted_id`, or do not follow them while they are silenced.

    Two queries, three for a silenced person.
    """
    if not user_ids:
        return []
    wanted = list(user_ids)
    rows = select(Profile, sql=_MUTED_BY_SQL.format(placeholders(wanted)), values=[muted_id, *wanted] * 3)
    unwilling = {row[0] for row in rows}
    if Profile.objects.filter(user_id=muted_id, silenced=True).exists():
        following = Follow.objects.filter(following_id=muted_id, follower_id__in=wanted)
        unwilling |= set(wanted) - set(following.values_list("follower_id", flat=True))
    return sorted(unwilling)


# The relations that suppress notifications about an actor: the table, the actor's column, and the other's.
_UNWILLING = (
    ("mutes", "muted_id", "muter_id"),
    ("blocks", "blocked_id", "blocker_id"),
    ("blocks", "blocker_id", "blocked_id"),
)
_MUTED_BY_SQL = " UNION ".join(
    f"SELECT {theirs} FROM {table} WHERE {mine} = %s AND {theirs} IN ({{0}})"  # noqa: S608
    for table, mine, theirs in _UNWILLING
)


def willing(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the (actor, person) pairs whose actor is active and neither muted by nor in a block with the person.

    For a silenced actor only followers. One query per thousand pairs, one more if an actor is silenced.
    """
    wanted = sorted(set(pairs))
    found: set[tuple[int, int]] = set()
    for start in range(0, len(wanted), _PAIRS_A_QUERY):
        found |= _willing(wanted[start : start + _PAIRS_A_QUERY])
    return found


# A product, because SQLite's driver would convert all numbers in a boolean column to booleans.
_ACTIVE_SQL = "SELECT 0, user_id, 1 * silenced FROM profiles WHERE status = 'active' AND user_id IN ({})"


def _willing(pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
    people: dict[int, list[int]] = defaultdict(list)
    for actor, person in pairs:
        people[actor].append(person)
    actors = list(people)
    sql = _ACTIVE_SQL.format(placeholders(actors))
    for table, mine, theirs in _UNWILLING:
        are_these = (f"({mine} = %s AND {theirs} IN ({placeholders(found)}))" for found in people.values())
        sql += f" UNION ALL SELECT 1, {mine}, {theirs} FROM {table} WHERE {' OR '.join(are_these)}"  # noqa: S608
    asked = [one for actor, found in people.items() for one in (actor, *found)]
    rows = select(Profile, sql=sql, values=[*actors, *asked * len(_UNWILLING)])
    active = {actor: bool(is_silenced) for is_pair, actor, is_silenced in rows if not is_pair}
    unwilling = {(actor, person) for is_pair, actor, person in rows if is_pair}
    heard = {pair for pair in pairs if pair[0] in active and pair not in unwilling}
    silenced = [pair for pair in heard if active[pair[0]]]
    return heard - (set(silenced) - _following(silenced)) if silenced else heard


def _following(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the (actor, person) pairs whose person follows the actor."""
    rows = Follow.objects.filter(following_id__in={one for one, _ in pairs}, follower_id__in={one for _, one in pairs})
    return set(rows.values_list("following_id", "follower_id"))


def documents(ids: Collection[int]) -> list[ProfileDocument]:
    """The profiles among `ids` as documents, whatever their status. Two queries."""
    return _documents(list(Profile.objects.filter(user_id__in=ids)))


def document_page(*, after: int, limit: int) -> list[ProfileDocument]:
    """Up to `limit` profiles with ids greater than `after`, ascending. Two queries."""
    return _documents(list(Profile.objects.filter(user_id__gt=after).order_by("user_id")[: max(0, limit)]))


def _documents(profiles: list[Profile]) -> list[ProfileDocument]:
    counts = counts_of([profile.user_id for profile in profiles])
    return [
        ProfileDocument(
            card=ProfileSummary(
                id=profile.user_id,
                username=profile.username,
                full_name=profile.full_name,
                profile_picture=profile.profile_picture,
            ),
            bio=profile.bio,
            status=profile.status,
            is_private=profile.is_private,
            followers_count=counts.get(profile.user_id, (0, 0))[0],
            version=profile.version,
            created_at=profile.created_at,
            silenced=profile.silenced,
            limited=profile.limited,
            links_limited=profile.links_limited,
            media_limited=profile.media_limited,
        )
        for profile in profiles
    ]
