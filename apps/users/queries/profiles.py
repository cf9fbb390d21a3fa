"""Profiles and their exact counts."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from apps.users.models import FollowCount, FollowRequest, PostCount, Profile


def profile_of(user_id: int) -> Profile | None:
    """The profile, whatever its status. One query."""
    return Profile.objects.filter(user_id=user_id).first()


def profiles_by_id(ids: Collection[int]) -> dict[int, Profile]:
    """The profiles of those among `ids` who have one, whatever their status. One query."""
    return {profile.user_id: profile for profile in Profile.objects.filter(user_id__in=ids)} if ids else {}


def active_ids(ids: Collection[int]) -> set[int]:
    """Those of the people who are active. One query."""
    rows = Profile.objects.filter(user_id__in=ids, status=Profile.Status.ACTIVE)
    return set(rows.values_list("user_id", flat=True)) if ids else set()


def profiles_named(username: str) -> list[Profile]:
    """Those who have this name, compared without case, the newest first: one, but while a freed name is taken again."""
    return [row for row in named([username]).order_by("-user_id") if row.username_key == username.casefold()]


def post_counts_of(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """How many posts, and how many public ones, each has; people without any may be left out. One query."""
    if not ids:
        return {}
    rows = PostCount.objects.filter(user_id__in=ids).values_list("user_id", "posts", "public_posts")
    return {user_id: (posts, public_posts) for user_id, posts, public_posts in rows}


def unerased_profiles(ids: Collection[int]) -> list[Profile]:
    """The profiles among `ids`, without those of erased people. One query."""
    return list(Profile.objects.filter(user_id__in=ids, erased=False))


def named(usernames: Iterable[str]) -> QuerySet[Profile]:
    """Those who have one of these names, compared without case."""
    return Profile.objects.filter(username_key__in={name.casefold() for name in usernames if name})


def counts_of(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Followers and followings of each of `ids`, exact; people without any may be left out. One query."""
    if not ids:
        return {}
    rows = (
        FollowCount.objects.filter(user_id__in=ids).values_list("user_id").annotate(Sum("followers"), Sum("following"))
    )
    return {user_id: (followers, following) for user_id, followers, following in rows}


def is_private_since(*, user_id: int, moment: datetime) -> bool:
    """See `Users.is_private_since`. Accounts that were private before the time was recorded count as so."""
    turned_later = Q(private_since__gt=moment)
    return Profile.objects.filter(user_id=user_id, is_private=True).exclude(turned_later).exists()


def unknown_ids(ids: Collection[int]) -> list[int]:
    """Those of `ids` that there is no row of, not even that of an erased person."""
    known = set(Profile.objects.filter(user_id__in=ids).values_list("user_id", flat=True))
    return [user_id for user_id in dict.fromkeys(ids) if user_id not in known]


def unknown_names(usernames: Iterable[str]) -> list[str]:
    """Those of the names that nobody here has, folded. One query."""
    wanted = {name.casefold() for name in usernames if name}
    known = set(named(wanted).values_list("username_key", flat=True)) if wanted else set()
    return sorted(wanted - known)


def followings_and_requests(user_id: int) -> int:
    """How many people somebody follows or waits to follow. Two queries."""
    return counts_of([user_id]).get(user_id, (0, 0))[1] + FollowRequest.objects.filter(requester_id=user_id).count()
