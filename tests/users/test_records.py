"""Loading and dumping profiles and follows in bulk, and the archive of what is held about a person."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from apps.users import actions
from apps.users.models import Follow, FollowRequest, Profile
from apps.users.queries import counts_of
from socialapp.contracts.auth import UserRegistered
from socialapp.contracts.bulk import BulkTransfer
from socialapp.contracts.data_export import DataExport
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS
from tests.users.events import deliver_events, published, published_types

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
MakePerson = Callable[..., int]
records = client(BulkTransfer, context="users")
ADA: dict[str, Any] = {
    "id": "7",
    "username": "Ada",
    "email": "ada@example.org",
    "created_at": "2026-11-01T09:00:00Z",
    "full_name": "Ada L",
    "bio": "first",
    "is_private": True,
    "is_discoverable": False,
}


def follow_record(follower: int, followed: int) -> dict[str, str]:
    """One line of a file."""
    at = "2026-11-02T09:00:00.000Z"
    return {"follower_id": str(follower), "following_id": str(followed), "created_at": at}


def test_profiles_are_loaded_once_and_given_back() -> None:
    for _ in range(2):
        assert records.load(kind="user", records=[ADA]) == []
    profile = Profile.objects.get()
    assert (profile.username_key, profile.is_private, profile.version) == ("ada", True, 1)
    assert published() == [{"user_id": 7, "version": 1, "is_restored": False}]
    part = {"id": "7", "full_name": "Ada L", "bio": "first", "is_private": True, "is_discoverable": False}
    assert records.parts(kind="user", ids=[7, 8]) == [part]


def test_a_profile_that_the_registration_made_first_is_completed_but_not_one_that_was_changed() -> None:
    deliver_events(UserRegistered(user_id=7, username="Ada", full_name="Ada L", created_at=ADA["created_at"]))
    records.load(kind="user", records=[ADA])
    profile = Profile.objects.get()
    assert (profile.bio, profile.is_discoverable, published_types()) == ("first", False, ["profile_changed"] * 2)
    actions.update_profile(user_id=7, changes={"bio": "mine"}, expected_versions=None)
    records.load(kind="user", records=[ADA])
    assert Profile.objects.get().bio == "mine"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"id": 7},
        {"bio": "x" * 501},
        {"bio": "\u0007"},
        {"created_at": "2026-11-01T09:00:00"},
        {"username": ""},
    ],
)
def test_a_bad_profile_is_rejected_and_the_others_are_taken(change: dict[str, object]) -> None:
    answer = records.load(kind="user", records=[{**ADA, **change}, ADA])
    assert [rejected.index for rejected in answer] == [0]
    assert Profile.objects.count() == 1


def test_follows_are_loaded_once_with_counts_and_events(person: MakePerson) -> None:
    alice, bob, closed = person(), person(), person(is_private=True)
    actions.follow(follower_id=alice, target_id=closed)
    lines = [follow_record(alice, bob), follow_record(bob, alice), follow_record(alice, closed)]
    for _ in range(2):
        assert records.load(kind="follow", records=[*lines, lines[0]]) == []
    assert counts_of([alice, bob, closed]) == {alice: (1, 2), bob: (1, 1), closed: (1, 0)}
    assert (len(published("followed")), FollowRequest.objects.count()) == (3, 0)
    assert Profile.objects.get(user_id=alice).following_version == 1
    first = records.dump(kind="follow", after="", limit=2)
    rest = records.dump(kind="follow", after=str(first.next), limit=2)
    assert (first.records + rest.records, rest.next) == (lines, None)


def test_follows_of_nobody_and_of_blocked_ones_are_rejected(person: MakePerson) -> None:
    alice, bob, gone = person(), person(), person()
    actions.block(blocker_id=alice, blocked_id=bob)
    actions.hide_profile(user_id=gone)
    lines: list[dict[str, Any]] = [
        follow_record(alice, 12345),
        follow_record(bob, alice),
        follow_record(alice, gone),
        follow_record(alice, alice),
        {"follower_id": str(alice)},
        {**follow_record(alice, bob), "extra": 1},
    ]
    answer = records.load(kind="follow", records=lines)
    assert sorted(rejected.index for rejected in answer) == list(range(6))
    assert (Follow.objects.count(), published("followed")) == (0, [])
    assert all(counts == (0, 0) for counts in counts_of([alice, bob, gone, 12345]).values())


def test_the_archive_holds_every_table(person: MakePerson) -> None:
    alice, bob = person(bio="mine"), person()
    actions.follow(follower_id=alice, target_id=bob)
    actions.mute(muter_id=alice, muted_id=bob)
    held = client(DataExport, context="users")
    rows = {
        table: [orjson.loads(row) for row in held.rows(user_id=alice, table=table, offset=0, limit=10)]
        for table in held.tables()
    }
    assert rows["profiles"][0]["bio"] == "mine"
    assert rows["follows"][0]["following_id"] == rows["mutes"][0]["muted_id"] == str(bob)
    assert rows["follow_counts"][0]["following"] == 1
