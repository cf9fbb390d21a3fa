"""Detects and repairs drift of people's counts and statuses, while writes continue."""

from django.db.models import Count
from django.utils import timezone

from apps.users.actions.profiles import sanction_profile, set_deactivated, status_of
from apps.users.actions.relations import shift_counts
from apps.users.models import Follow, FollowCount, PostCount, Profile
from apps.users.queries import counts_of
from socialapp.contracts.auth import Auth
from socialapp.contracts.drift import Drift
from socialapp.contracts.posts import AuthorPosts, Posts
from socialapp.core.db import transactional
from socialapp.lifecycle.drift import Compared, events_in_flight, next_after
from socialapp.rpc.calls import client


def check_follow_counts(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the follower and following counts of the next people. Two queries unless one is suspect."""
    ids = _people(after, limit)
    held = counts_of(ids)
    followers = dict(Follow.objects.filter(following_id__in=ids).values_list("following_id").annotate(Count("id")))
    following = dict(Follow.objects.filter(follower_id__in=ids).values_list("follower_id").annotate(Count("id")))
    suspects = [
        user_id
        for user_id in ids
        if held.get(user_id, (0, 0)) != (followers.get(user_id, 0), following.get(user_id, 0))
    ]
    found = [_recheck_follows(user_id, repair) for user_id in suspects]
    drifts = [drift for drift in found if drift is not None]
    return Compared(compared=len(ids), drifts=drifts, next_id=next_after(ids, limit=limit))


@transactional("users")
def _recheck_follows(user_id: int, repair: bool) -> Drift | None:
    """Compares while nobody can follow or be followed by this person; corrects the counts if `repair`."""
    shift_counts([], by=0, also_lock=user_id)
    held = counts_of([user_id]).get(user_id, (0, 0))
    actual = (
        Follow.objects.filter(following_id=user_id).count(),
        Follow.objects.filter(follower_id=user_id).count(),
    )
    if held == actual:
        return None
    if repair:
        part = FollowCount.objects.filter(user_id=user_id).order_by("slot")[0]
        FollowCount.objects.filter(user_id=user_id, slot=part.slot).update(
            followers=part.followers + actual[0] - held[0], following=part.following + actual[1] - held[1]
        )
    return Drift(projection="follow_counts", id=user_id, held=_pair(held), actual=_pair(actual))


def check_post_counts(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the posts counts of the next people, which events maintain."""
    ids = _people(after, limit)
    actual = {author.author_id: author for author in client(Posts).author_posts(author_ids=ids)} if ids else {}
    rows = PostCount.objects.filter(user_id__in=ids).values_list("user_id", "posts", "public_posts")
    held = {user_id: (posts, public_posts) for user_id, posts, public_posts in rows}
    in_flight = events_in_flight(("posts", "users")) if ids else set()
    compared = [user_id for user_id in ids if user_id not in in_flight]
    drifts = []
    for user_id in compared:
        is_held, should_be = held.get(user_id, (0, 0)), _posts_of(actual.get(user_id))
        if is_held != should_be and (not repair or _set_post_counts(user_id, is_held, should_be)):
            drifts.append(Drift(projection="post_counts", id=user_id, held=_pair(is_held), actual=_pair(should_be)))
    left_out = len(ids) - len(compared)
    return Compared(compared=len(compared), in_flight=left_out, drifts=drifts, next_id=next_after(ids, limit=limit))


@transactional("users")
def _set_post_counts(user_id: int, held: tuple[int, int], actual: tuple[int, int]) -> bool:
    """False if an event has changed the count meanwhile, so that the comparison was premature."""
    PostCount.objects.get_or_create(user_id=user_id)
    rows = PostCount.objects.filter(user_id=user_id, posts=held[0], public_posts=held[1])
    return bool(rows.update(posts=actual[0], public_posts=actual[1]))


def _posts_of(author: AuthorPosts | None) -> tuple[int, int]:
    return (author.posts, author.public_posts) if author else (0, 0)


def check_statuses(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks that people who are banned or deactivated in auth are hidden here. One query and one call."""
    started = timezone.now()  # decisions made meanwhile are later, and so prevail
    ids = _people(after, limit)
    held = dict(Profile.objects.filter(user_id__in=ids).values_list("user_id", "status"))
    accounts = client(Auth).users(ids=ids) if ids else []
    differing = {account.id: account for account in accounts if held.get(account.id) != status_of(account)}
    in_flight = events_in_flight(("moderation", "auth", "users")) if differing else set()
    drifts = []
    for user_id, account in differing.items():
        if user_id not in in_flight:
            if repair:
                sanction_profile(user_id=user_id, kind="ban" if account.status == "banned" else "unban", at=started)
                set_deactivated(user_id=user_id, is_deactivated=account.is_deactivated, at=started)
            drifts.append(Drift(projection="statuses", id=user_id, held=held[user_id], actual=status_of(account)))
    left_out = len(differing) - len(drifts)
    compared = len(ids) - left_out
    return Compared(compared=compared, in_flight=left_out, drifts=drifts, next_id=next_after(ids, limit=limit))


def _people(after: int, limit: int) -> list[int]:
    """Without erased people, who have no counts; during an erasure the counts are deleted first."""
    profiles = Profile.objects.filter(user_id__gt=after).exclude(status=Profile.Status.DELETED).order_by("user_id")
    return list(profiles.values_list("user_id", flat=True)[:limit])


def _pair(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]} and {numbers[1]}"
