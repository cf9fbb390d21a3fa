"""Following: idempotent, by request for private accounts, with exact counts and no event if nothing changed."""

from collections.abc import Callable

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from apps.metrics.models import PostRollup
from apps.users import actions
from apps.users.models import Follow, FollowCount, FollowRequest
from apps.users.queries import counts_of
from socialapp.core.errors import Forbidden, NotFound
from socialapp.lifecycle.jobs import continue_jobs
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.factories import create_post
from tests.users.events import published, published_types

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
Register = Callable[..., Person]
MakePerson = Callable[..., int]
NOTHING = {"following": False, "followed_by": False, "requested": False, "blocking": False, "muting": False}


def relation(other: Person, **changes: bool) -> dict[str, object]:
    """The relationship object to somebody."""
    return {"id": other.id, **NOTHING, **changes}


def go_private(person: Person) -> None:
    """Makes the account private."""
    assert person.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200


def events_since(mark: int) -> list[str]:
    """The types published after the first `mark`."""
    return published_types()[mark:]


def test_following_counts_on_both_sides_and_once(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    mark = len(published_types())
    for _ in range(2):
        answer = alice.client.put(f"/v1/profiles/{bob.id}/follow")
        assert (answer.status_code, answer.json()) == (200, relation(bob, following=True))
    assert events_since(mark) == ["followed"]
    event = published("followed")[0]
    assert (event["follower_id"], event["following_id"], event["accepted"]) == (int(alice.id), int(bob.id), False)
    shown = bob.client.get(f"/v1/profiles/{alice.id}").json()
    assert (shown["following_count"], shown["followers_count"]) == (1, 0)
    assert shown["relationship"] == {**NOTHING, "followed_by": True}
    assert bob.client.get("/v1/profiles/me").json()["followers_count"] == 1


def test_unfollowing_takes_it_back_once(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    mark = len(published_types())
    for _ in range(2):
        answer = alice.client.delete(f"/v1/profiles/{bob.id}/follow")
        assert (answer.status_code, answer.json()) == (200, relation(bob))
    assert events_since(mark) == ["unfollowed"]
    assert counts_of([int(alice.id), int(bob.id)]) == {int(alice.id): (0, 0), int(bob.id): (0, 0)}


def test_nobody_follows_themselves_nor_nobody(register: Register, anonymous: JsonClient) -> None:
    alice = register("alice")
    mark = len(published_types())
    answer = alice.client.put(f"/v1/profiles/{alice.id}/follow")
    assert (answer.status_code, answer.json()["code"]) == (422, "self_not_allowed")
    assert alice.client.delete(f"/v1/profiles/{alice.id}/follow").status_code == 422
    assert alice.client.put("/v1/profiles/12345/follow").status_code == 404
    assert alice.client.delete("/v1/profiles/12345/follow").status_code == 404
    assert anonymous.put(f"/v1/profiles/{alice.id}/follow").status_code == 401
    assert (events_since(mark), Follow.objects.count()) == ([], 0)


def test_following_a_private_account_makes_a_follow_request(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    go_private(bob)
    mark = len(published_types())
    for _ in range(2):
        answer = alice.client.put(f"/v1/profiles/{bob.id}/follow")
        assert answer.json() == relation(bob, requested=True)
    assert events_since(mark) == ["follow_requested"]
    assert bob.client.get("/v1/profiles/me").json()["followers_count"] == 0
    assert [found["id"] for found in bob.client.get("/v1/follow-requests").json()["results"]] == [alice.id]
    assert alice.client.get("/v1/follow-requests").json()["results"] == []


def test_accepting_a_follow_request_is_idempotent(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    go_private(bob)
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    mark = len(published_types())
    for _ in range(2):
        answer = bob.client.post(f"/v1/follow-requests/{alice.id}/accept")
        assert (answer.status_code, answer.json()) == (200, relation(alice, followed_by=True))
    assert events_since(mark) == ["followed"]
    assert published("followed")[0]["accepted"] is True
    assert alice.client.get(f"/v1/profiles/{bob.id}").json()["relationship"]["following"] is True
    assert bob.client.get("/v1/follow-requests").json()["results"] == []
    assert counts_of([int(bob.id)])[int(bob.id)] == (1, 0)


def test_accepting_again_with_an_idempotency_key_returns_the_same(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    go_private(bob)
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    first = bob.client.post(f"/v1/follow-requests/{alice.id}/reject", Idempotency_Key="k1")
    again = bob.client.post(f"/v1/follow-requests/{alice.id}/reject", Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.json(), again["Idempotency-Replayed"]) == (again.json(), "true")


def test_rejecting_ends_the_request(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    go_private(bob)
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    mark = len(published_types())
    assert bob.client.post(f"/v1/follow-requests/{alice.id}/reject").json() == relation(alice)
    assert events_since(mark) == ["follow_request_withdrawn"]
    assert bob.client.post(f"/v1/follow-requests/{alice.id}/reject").status_code == 404
    answer = bob.client.post(f"/v1/follow-requests/{alice.id}/accept")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert alice.client.get(f"/v1/profiles/{bob.id}/relationship").json() == relation(bob)
    assert (events_since(mark), Follow.objects.count()) == (["follow_request_withdrawn"], 0)


def test_nobody_accepts_for_somebody_else(register: Register) -> None:
    alice, bob, eve = register("alice"), register("bob"), register("eve")
    go_private(bob)
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    for client, who in ((eve.client, alice), (alice.client, alice), (alice.client, bob)):
        assert client.post(f"/v1/follow-requests/{who.id}/accept").status_code == 404
    assert (Follow.objects.count(), FollowRequest.objects.count()) == (0, 1)


def test_a_request_is_withdrawn_by_unfollowing(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    go_private(bob)
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    mark = len(published_types())
    for _ in range(2):
        assert alice.client.delete(f"/v1/profiles/{bob.id}/follow").json() == relation(bob)
    assert events_since(mark) == ["follow_request_withdrawn"]


def test_a_follower_stays_when_the_account_goes_private(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    go_private(bob)
    assert alice.client.put(f"/v1/profiles/{bob.id}/follow").json() == relation(bob, following=True)


def test_an_account_that_becomes_public_accepts_all_follow_requests(
    person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.users.actions.follows.BATCH", 2)
    bob = person(is_private=True)
    waiting = [person() for _ in range(5)]
    for one in waiting:
        actions.follow(follower_id=one, target_id=bob)
    actions.update_profile(user_id=bob, changes={"is_private": False}, expected_versions=None)
    assert Follow.objects.count() == 2, "the first chunk goes at once"
    assert continue_jobs("users", steps=10) == 2
    assert continue_jobs("users", steps=10) == 0
    assert {event["follower_id"] for event in published("followed")} == set(waiting)
    assert all(event["accepted"] for event in published("followed"))
    assert (counts_of([bob])[bob], FollowRequest.objects.count()) == ((5, 0), 0)


def test_following_again_accepts_a_request_that_still_waits_for_the_account_to_accept_it(
    person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the notification of the request would stay, with nothing to accept."""
    monkeypatch.setattr("apps.users.actions.follows.BATCH", 1)
    alice, bob, carol = person(is_private=True), person(), person()
    for one in (bob, carol):
        actions.follow(follower_id=one, target_id=alice)
    actions.update_profile(user_id=alice, changes={"is_private": False}, expected_versions=None)
    assert [request.requester_id for request in FollowRequest.objects.all()] == [carol]
    actions.follow(follower_id=carol, target_id=alice)
    assert (Follow.objects.count(), FollowRequest.objects.count()) == (2, 0)
    assert [(event["follower_id"], event["accepted"]) for event in published("followed")] == [
        (bob, True),
        (carol, True),
    ]


def test_an_account_that_becomes_private_again_keeps_the_other_requests(
    person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.users.actions.follows.BATCH", 1)
    bob = person(is_private=True)
    for one in [person() for _ in range(3)]:
        actions.follow(follower_id=one, target_id=bob)
    for is_private in (False, True):
        actions.update_profile(user_id=bob, changes={"is_private": is_private}, expected_versions=None)
    continue_jobs("users", steps=10)
    assert (Follow.objects.count(), FollowRequest.objects.count()) == (1, 2)
    actions.update_profile(user_id=bob, changes={"is_private": False}, expected_versions=None)
    continue_jobs("users", steps=10)
    assert (Follow.objects.count(), FollowRequest.objects.count()) == (3, 0)


def test_the_number_of_followed_accounts_is_limited(person: MakePerson, settings: Settings) -> None:
    settings.MAX_FOLLOWINGS = 2
    alice, open_one, closed_one, third = person(), person(), person(is_private=True), person()
    actions.follow(follower_id=alice, target_id=open_one)
    actions.follow(follower_id=alice, target_id=closed_one)
    mark = len(published_types())
    with pytest.raises(Forbidden) as refusal:
        actions.follow(follower_id=alice, target_id=third)
    assert refusal.value.code == "too_many_followings"
    actions.follow(follower_id=alice, target_id=open_one)
    assert (events_since(mark), counts_of([alice, third])) == ([], {alice: (0, 1)})
    actions.unfollow(follower_id=alice, target_id=closed_one)
    actions.follow(follower_id=alice, target_id=third)
    assert counts_of([alice])[alice] == (0, 2)


def test_lists_show_the_newest_first_and_neither_skip_nor_repeat(register: Register, person: MakePerson) -> None:
    alice = register("alice")
    fans = [person() for _ in range(5)]
    for fan in fans:
        actions.follow(follower_id=fan, target_id=int(alice.id))
    first = alice.client.get(f"/v1/profiles/{alice.id}/followers?limit=2").json()
    actions.follow(follower_id=person(), target_id=int(alice.id))
    second = alice.client.get(first["next"]).json()
    third = alice.client.get(second["next"]).json()
    seen = [int(found["id"]) for page in (first, second, third) for found in page["results"]]
    assert seen == fans[::-1]
    assert third["next"] is None
    back = alice.client.get(third["previous"]).json()
    assert back["results"] == second["results"]
    assert (first["previous"], back["next"] is not None) == (None, True)


def test_lists_omit_users_hidden_from_the_viewer(register: Register, anonymous: JsonClient) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    for fan in (bob, carol, dave):
        fan.client.put(f"/v1/profiles/{alice.id}/follow")
        alice.client.put(f"/v1/profiles/{fan.id}/follow")
    carol.client.put(f"/v1/profiles/{bob.id}/block")
    actions.hide_profile(user_id=int(dave.id))
    for path in ("followers", "following"):
        seen = {
            name: {found["id"] for found in client.get(f"/v1/profiles/{alice.id}/{path}").json()["results"]}
            for name, client in (("nobody", anonymous), ("bob", bob.client), ("carol", carol.client))
        }
        assert seen == {"nobody": {bob.id, carol.id}, "bob": {bob.id}, "carol": {carol.id}}, path


def test_lists_of_a_private_account_are_for_its_followers(register: Register, anonymous: JsonClient) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    go_private(alice)
    for path in ("followers", "following"):
        for client, status in ((anonymous, 403), (carol.client, 403), (bob.client, 200), (alice.client, 200)):
            assert client.get(f"/v1/profiles/{alice.id}/{path}").status_code == status
    card = carol.client.get(f"/v1/profiles/{alice.id}").json()
    assert (card["is_private"], card["followers_count"]) == (True, 1)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "cursor=x", "cursor=", "cursor=WyJuIiwiYSJd"])
def test_bad_pages_are_400(register: Register, query: str) -> None:
    alice = register("alice")
    for path in (f"profiles/{alice.id}/followers", "blocks", "mutes", "follow-requests", "profiles/suggestions"):
        assert alice.client.get(f"/v1/{path}?{query}").status_code == 400, path


def test_suggestions_are_ranked_and_never_somebody_known(register: Register, person: MakePerson) -> None:
    alice = register("alice")
    me = int(alice.id)
    friends = [person() for _ in range(4)]
    best, good, last, followed, blocked, blocking, muted, gone, asked = (person() for _ in range(9))
    hidden, silenced = person(is_discoverable=False), person()
    for friend in friends:
        actions.follow(follower_id=me, target_id=friend)
        actions.follow(follower_id=friend, target_id=me)
    for fans, target in ((4, best), (2, good), (1, last)):
        for friend in friends[:fans]:
            actions.follow(follower_id=friend, target_id=target)
    for target in (followed, blocked, blocking, muted, gone, asked, hidden, silenced):
        for friend in friends[:3]:
            actions.follow(follower_id=friend, target_id=target)
    actions.follow(follower_id=me, target_id=followed)
    actions.block(blocker_id=me, blocked_id=blocked)
    actions.block(blocker_id=blocking, blocked_id=me)
    actions.mute(muter_id=me, muted_id=muted)
    actions.hide_profile(user_id=gone)
    actions.update_profile(user_id=asked, changes={"is_private": True}, expected_versions=None)
    actions.follow(follower_id=me, target_id=asked)
    actions.restrict_profile(user_id=silenced, kind="silence", at=timezone.now())
    page = alice.client.get("/v1/profiles/suggestions").json()
    assert [int(found["id"]) for found in page["results"]] == [best, good, last]
    assert page["next"] is None
    seen, url = [], "/v1/profiles/suggestions?limit=1"
    while url:
        page = alice.client.get(url).json()
        seen += [int(found["id"]) for found in page["results"]]
        url = page["next"]
    assert seen == [best, good, last]
    back = alice.client.get(page["previous"]).json()
    assert [int(found["id"]) for found in back["results"]] == [good]


def test_newcomers_are_suggested_the_authors_of_what_trends(register: Register) -> None:
    names = ("alice", "bob", "erin", "hidden", "blocking", "unlisted")
    alice, bob, erin, hidden, blocking, unlisted = map(register, names)
    assert unlisted.client.patch("/v1/profiles/me", {"is_discoverable": False}).status_code == 200
    actions.block(blocker_id=int(blocking.id), blocked_id=int(alice.id))
    start = timezone.now().replace(minute=0, second=0, microsecond=0)
    for author, reactions, is_private in (
        (bob, 1, False),
        (erin, 3, False),
        (hidden, 9, True),
        (blocking, 8, False),
        (unlisted, 7, False),
        (alice, 5, False),
    ):
        post_id = int(create_post(author, content="hello", is_private=is_private)["id"])
        PostRollup.objects.create(post_id=post_id, period="hour", start=start, reactions=reactions)
    first = alice.client.get("/v1/profiles/suggestions?limit=1").json()
    assert [found["id"] for found in first["results"]] == [erin.id]
    second = alice.client.get(first["next"]).json()
    assert ([found["id"] for found in second["results"]], second["next"]) == ([bob.id], None)


def test_suggestions_are_empty_while_nothing_trends(register: Register, anonymous: JsonClient) -> None:
    assert register("alice").client.get("/v1/profiles/suggestions").json()["results"] == []
    assert anonymous.get("/v1/profiles/suggestions").status_code == 401


def test_a_page_of_fifty_takes_as_many_queries_as_a_page_of_one(register: Register, person: MakePerson) -> None:
    alice = register("alice")
    me = int(alice.id)
    others = [person() for _ in range(50)]
    for other in others:
        actions.follow(follower_id=me, target_id=other)
        actions.follow(follower_id=other, target_id=me)
    friend_of_friends = [person() for _ in range(50)]
    for other in friend_of_friends:
        actions.follow(follower_id=others[-1], target_id=other)
    ids = ",".join(map(str, others))
    paths = {
        f"/v1/profiles/{me}/followers?limit=": ("1", "50"),
        f"/v1/profiles/{me}/following?limit=": ("1", "50"),
        "/v1/profiles/suggestions?limit=": ("1", "50"),
        "/v1/profiles?ids=": (str(others[0]), ids),
        "/v1/relationships?ids=": (str(others[0]), ids),
    }
    for path, sizes in paths.items():
        used = []
        for size in sizes:
            with CaptureQueriesContext(connections["users"]) as queries:
                answer = alice.client.get(path + size)
            assert len(answer.json()["results"]) == len(size.split(",")) or len(answer.json()["results"]) == int(size)
            used.append(len(queries))
        assert used[0] == used[1] <= 7, path


def test_hidden_accounts_may_neither_act_nor_be_followed(person: MakePerson) -> None:
    alice, bob = person(), person()
    actions.hide_profile(user_id=alice)
    mark = len(published_types())
    for act in (
        lambda: actions.follow(follower_id=alice, target_id=bob),
        lambda: actions.follow(follower_id=bob, target_id=alice),
        lambda: actions.block(blocker_id=alice, blocked_id=bob),
        lambda: actions.mute(muter_id=alice, muted_id=bob),
        lambda: actions.update_profile(user_id=alice, changes={"bio": "x"}, expected_versions=None),
    ):
        with pytest.raises(NotFound):
            act()
    assert (events_since(mark), FollowCount.objects.count()) == ([], 0)


def test_a_relationship_has_an_etag_that_changes_with_it(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    path = f"/v1/profiles/{bob.id}/relationship"
    tag = alice.client.get(path).headers["ETag"]
    assert alice.client.get(path, If_None_Match=tag).status_code == 304
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    changed = alice.client.get(path, If_None_Match=tag)
    assert (changed.status_code, changed.json()["following"]) == (200, True)
    assert changed.headers["ETag"] != tag
