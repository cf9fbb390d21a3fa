"""Blocking and muting."""

from collections.abc import Callable

import pytest

from apps.users import actions
from apps.users.models import Block, Follow, FollowRequest, Mute
from apps.users.queries import counts_of
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.users.events import published, published_types

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
Register = Callable[..., Person]


def test_a_block_ends_follows_and_requests_both_ways(register: Register) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    carol.client.patch("/v1/profiles/me", {"is_private": True})
    alice.client.put(f"/v1/profiles/{carol.id}/follow")
    mark = len(published_types())
    for _ in range(2):
        answer = alice.client.put(f"/v1/profiles/{bob.id}/block")
        assert (answer.status_code, answer.json()["blocking"], answer.json()["following"]) == (200, True, False)
    assert sorted(published_types()[mark:]) == ["blocked", "unfollowed", "unfollowed"]
    alice.client.put(f"/v1/profiles/{carol.id}/block")
    assert published_types()[mark + 3 :] == ["follow_request_withdrawn", "blocked"]
    assert published("blocked")[0] == {"blocker_id": int(alice.id), "blocked_id": int(bob.id)}
    assert (Follow.objects.count(), FollowRequest.objects.count()) == (0, 0)
    assert counts_of([int(alice.id), int(bob.id)]) == {int(alice.id): (0, 0), int(bob.id): (0, 0)}


def test_a_block_hides_the_blocker_who_can_unblock(register: Register, anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/block")
    mark = len(published_types())
    for path in ("", "/relationship", "/followers", "/following"):
        assert bob.client.get(f"/v1/profiles/{alice.id}{path}").status_code == 404
    for verb in ("follow", "block", "mute"):
        assert bob.client.put(f"/v1/profiles/{alice.id}/{verb}").status_code == 404
        assert bob.client.delete(f"/v1/profiles/{alice.id}/{verb}").status_code == 404
    assert bob.client.get("/v1/profiles/by-username/alice").status_code == 404
    assert bob.client.get(f"/v1/relationships?ids={alice.id}").json()["results"] == []
    assert anonymous.get(f"/v1/profiles/{alice.id}").status_code == 200
    shown = alice.client.get(f"/v1/profiles/{bob.id}")
    assert shown.json()["relationship"]["blocking"] is True
    assert "blocked_by" not in shown.json()["relationship"]
    assert [found["id"] for found in alice.client.get("/v1/blocks").json()["results"]] == [bob.id]
    for _ in range(2):
        assert alice.client.delete(f"/v1/profiles/{bob.id}/block").json()["blocking"] is False
    assert published_types()[mark:] == ["unblocked"]
    assert bob.client.get(f"/v1/profiles/{alice.id}").status_code == 200
    assert Follow.objects.count() == 0


def test_a_blocker_must_unblock_before_following(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/block")
    mark = len(published_types())
    answer = alice.client.put(f"/v1/profiles/{bob.id}/follow")
    assert (answer.status_code, answer.json()["code"]) == (409, "user_blocked")
    assert (published_types()[mark:], Follow.objects.count()) == ([], 0)


def test_muting_is_not_revealed(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    mark = len(published_types())
    for _ in range(2):
        answer = alice.client.put(f"/v1/profiles/{bob.id}/mute").json()
        assert (answer["muting"], answer["following"]) == (True, True)
    assert bob.client.get(f"/v1/profiles/{alice.id}").json()["relationship"]["muting"] is False
    assert [found["id"] for found in alice.client.get("/v1/mutes").json()["results"]] == [bob.id]
    assert bob.client.get("/v1/mutes").json()["results"] == []
    for _ in range(2):
        assert alice.client.delete(f"/v1/profiles/{bob.id}/mute").json()["muting"] is False
    assert published_types()[mark:] == ["muted", "unmuted"]


def test_nobody_blocks_or_mutes_themselves_or_nobody(register: Register, anonymous: JsonClient) -> None:
    alice = register("alice")
    for verb in ("block", "mute"):
        for method in (alice.client.put, alice.client.delete):
            assert method(f"/v1/profiles/{alice.id}/{verb}").status_code == 422
            assert method(f"/v1/profiles/123/{verb}").status_code == 404
        assert anonymous.put(f"/v1/profiles/{alice.id}/{verb}").status_code == 401
        assert anonymous.get(f"/v1/{verb}s").status_code == 401
    assert (Block.objects.count(), Mute.objects.count()) == (0, 0)


def test_an_unseen_person_can_still_be_unblocked_and_unfollowed(register: Register) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    alice.client.put(f"/v1/profiles/{bob.id}/block")
    alice.client.put(f"/v1/profiles/{carol.id}/follow")
    for gone in (bob, carol):
        actions.hide_profile(user_id=int(gone.id))
    assert alice.client.get("/v1/blocks").json()["results"] == []
    assert alice.client.delete(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert alice.client.delete(f"/v1/profiles/{carol.id}/follow").status_code == 200
    assert (Block.objects.count(), Follow.objects.count()) == (0, 0)
