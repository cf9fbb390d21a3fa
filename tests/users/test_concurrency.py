"""Concurrent requests on a server database: one row, one count, one event, no deadlock, no lost update."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from django.db import connections
from django.db.models import Count

from apps.users import actions
from apps.users.models import Block, Follow, FollowRequest, Profile
from apps.users.queries import counts_of
from socialapp.core.errors import Problem
from socialapp.lifecycle.jobs import continue_jobs
from socialapp.lifecycle.models import Job
from socialapp.lifecycle.removal import begin_removal
from tests.users.events import published

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["users"]),
    pytest.mark.skipif("connections['users'].vendor == 'sqlite'", reason="SQLite lets one write at a time"),
]
MakePerson = Callable[..., int]


def at_once(acts: Iterable[Callable[[], object]], *, threads: int = 8) -> None:
    """Runs them on several connections; a refusal is an answer, any other error fails the test."""

    def run(act: Callable[[], object]) -> None:
        try:
            act()
        except Problem:
            pass
        finally:
            connections["users"].close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, acts))


def assert_counts_are_exact() -> None:
    """The kept counts are what counting the rows gives."""
    followers = dict(Follow.objects.values_list("following_id").annotate(Count("id")))
    following = dict(Follow.objects.values_list("follower_id").annotate(Count("id")))
    everybody = list(Profile.objects.values_list("user_id", flat=True))
    kept = counts_of(everybody)
    for user_id in everybody:
        assert kept.get(user_id, (0, 0)) == (followers.get(user_id, 0), following.get(user_id, 0))


def follow(one: int, other: int) -> Callable[[], None]:
    """That follow, to be made later."""
    return lambda: actions.follow(follower_id=one, target_id=other)


def test_concurrent_identical_follows_make_one_row(person: MakePerson) -> None:
    alice, bob = person(), person()
    at_once([follow(alice, bob)] * 16)
    assert (Follow.objects.count(), len(published("followed"))) == (1, 1)
    assert counts_of([alice, bob]) == {alice: (0, 1), bob: (1, 0)}


def test_all_follow_unfollow_and_block_each_other(person: MakePerson) -> None:
    people = [person() for _ in range(6)]
    random = Random(7)
    acts: list[Callable[[], object]] = []
    for _ in range(300):
        one, other = random.sample(people, 2)
        kind = random.choice(["follow", "follow", "follow", "unfollow", "block", "unblock"])
        if kind in ("follow", "unfollow"):
            act = getattr(actions, kind)
            acts.append(lambda act=act, one=one, other=other: act(follower_id=one, target_id=other))  # type: ignore[misc]
        else:
            act = getattr(actions, kind)
            acts.append(lambda act=act, one=one, other=other: act(blocker_id=one, blocked_id=other))  # type: ignore[misc]
    at_once(acts)
    assert_counts_are_exact()
    assert len(published("followed")) - len(published("unfollowed")) == Follow.objects.count()
    blocks = set(Block.objects.values_list("blocker_id", "blocked_id"))
    follows = set(Follow.objects.values_list("follower_id", "following_id"))
    assert blocks
    assert not follows & (blocks | {(other, one) for one, other in blocks}), "a follow slipped past a block"
    assert len(published("blocked")) - len(published("unblocked")) == len(blocks)


def test_opening_an_account_accepts_concurrent_follow_requests(person: MakePerson) -> None:
    star = person(is_private=True)
    fans = [person() for _ in range(40)]
    acts: list[Callable[[], object]] = [follow(fan, star) for fan in fans]
    acts.insert(20, lambda: actions.update_profile(user_id=star, changes={"is_private": False}, expected_versions=None))
    at_once(acts)
    continue_jobs("users", steps=10)
    assert (FollowRequest.objects.count(), Job.objects.using("users").count()) == (0, 0)
    assert counts_of([star])[star] == (40, 0)
    assert_counts_are_exact()


def test_an_erasure_removes_concurrent_follows(person: MakePerson) -> None:
    star = person()
    fans = [person() for _ in range(40)]
    acts: list[Callable[[], object]] = [follow(fan, star) for fan in fans]
    acts.insert(20, lambda: begin_removal("users", kind="user", subject_id=star, erasure_id=3))
    at_once(acts)
    while continue_jobs("users", steps=10):
        pass
    assert not Follow.objects.filter(following_id=star).exists()
    assert [(report["user_id"], report["erasure_id"]) for report in published("user_erased")] == [(star, 3)]
    assert_counts_are_exact()
