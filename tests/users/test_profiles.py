"""Profiles: seen by whom, changed by their owners only, never by accident."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.users.actions import restrict_profile
from apps.users.models import Profile
from socialapp.contracts.moderation import UserSanctioned
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.users.events import deliver_events, published, published_types

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
Register = Callable[..., Person]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def ban(person: Person, kind: str = "ban", at: datetime = NOW) -> None:
    """Hands the sanction over to users."""
    deliver_events(UserSanctioned(user_id=int(person.id), action_id=1, kind=kind, reason="", at=at))


def test_everybody_sees_a_profile(register: Register, anonymous: JsonClient) -> None:
    alice = register("Alice", full_name="Alice Ames")
    answer = anonymous.get(f"/v1/profiles/{alice.id}")
    assert answer.status_code == 200
    body = answer.json()
    created_at = body.pop("created_at")
    assert datetime.fromisoformat(created_at).tzinfo is not None
    assert body == {
        "id": alice.id,
        "username": "Alice",
        "full_name": "Alice Ames",
        "bio": "",
        "profile_picture": None,
        "header_picture": None,
        "status": "active",
        "is_private": False,
        "followers_count": 0,
        "following_count": 0,
        "posts_count": 0,
    }


def test_with_a_token_the_relationship_is_shown(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    body = bob.client.get(f"/v1/profiles/{alice.id}").json()
    assert body["relationship"] == {
        "following": False,
        "followed_by": False,
        "requested": False,
        "blocking": False,
        "muting": False,
    }


def test_a_profile_is_there_before_its_event(anonymous: JsonClient, drain: Callable[[], int]) -> None:
    body = {"email": "new@example.org", "password": "correct horse battery", "username": "newcomer"}
    made = anonymous.post("/v1/auth/register", body).json()
    me = JsonClient(made["access"])
    assert Profile.objects.count() == 0
    found = me.get(f"/v1/profiles/{made['user']['id']}")
    assert (found.status_code, found.json()["username"]) == (200, "newcomer")
    assert published_types() == ["profile_changed"]
    drain()
    assert published_types() == ["profile_changed"], "the event made it a second time"
    assert me.patch("/v1/profiles/me", {"bio": "hello"}).json()["bio"] == "hello"


def test_somebody_new_can_follow_and_be_followed_at_once(register: Register, anonymous: JsonClient) -> None:
    bob = register("bob")
    body = {"email": "new@example.org", "password": "correct horse battery", "username": "newcomer"}
    made = anonymous.post("/v1/auth/register", body).json()
    me = JsonClient(made["access"])
    assert me.put(f"/v1/profiles/{bob.id}/follow").json()["following"] is True
    ids = f"{bob.id},{made['user']['id']}"
    assert [found["id"] for found in bob.client.get(f"/v1/profiles?ids={ids}").json()["results"]] == ids.split(",")
    assert bob.client.get(f"/v1/relationships?ids={ids}").json()["results"][1]["followed_by"] is True


@pytest.mark.parametrize("path", ["1", "9223372036854775807", "9223372036854775808", "x", "-1", "by-username/nobody"])
def test_a_missing_profile_returns_404(anonymous: JsonClient, path: str) -> None:
    answer = anonymous.get(f"/v1/profiles/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert published() == []


def test_by_username_case_does_not_matter(register: Register, anonymous: JsonClient) -> None:
    alice = register("Alice")
    for name in ("Alice", "alice", "ALICE"):
        assert anonymous.get(f"/v1/profiles/by-username/{name}").json()["id"] == alice.id


def test_profiles_by_ids_keep_the_order_and_leave_out_what_is_not_to_be_seen(register: Register) -> None:
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    ban(dave)
    carol.client.put(f"/v1/profiles/{alice.id}/block")
    answer = alice.client.get(f"/v1/profiles?ids={bob.id},1,{carol.id},{dave.id},{alice.id},{bob.id}")
    assert [found["id"] for found in answer.json()["results"]] == [bob.id, alice.id]
    assert alice.client.get("/v1/profiles?ids=1,x").status_code == 400
    assert alice.client.get("/v1/profiles").json()["results"] == []


def test_users_edit_their_own_profile(register: Register, anonymous: JsonClient) -> None:
    alice = register("alice")
    before = alice.client.get("/v1/profiles/me")
    answer = alice.client.patch(
        "/v1/profiles/me", {"full_name": "A", "bio": "two\nlines", "is_private": True, "profile_picture_media_id": None}
    )
    assert answer.status_code == 200
    shown = anonymous.get(f"/v1/profiles/{alice.id}").json()
    assert (shown["full_name"], shown["bio"], shown["is_private"]) == ("A", "two\nlines", True)
    assert answer["ETag"] != before["ETag"]
    assert published("profile_changed") == [
        {"user_id": int(alice.id), "version": 1, "is_restored": False},
        {"user_id": int(alice.id), "version": 2, "is_restored": False},
    ]


def test_only_oneself_reads_whether_one_opted_out_of_discovery(register: Register, anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob")
    paths = (f"/v1/profiles/{alice.id}", "/v1/profiles/by-username/alice")
    assert [alice.client.get(path).json()["is_discoverable"] for path in paths] == [True, True]
    answer = alice.client.patch("/v1/profiles/me", {"is_discoverable": False})
    assert (answer.status_code, answer.json()["is_discoverable"]) == (200, False)
    for path in paths:
        assert alice.client.get(path).json()["is_discoverable"] is False
        for client in (anonymous, bob.client):
            shown = client.get(path)
            assert (shown.status_code, "is_discoverable" in shown.json()) == (200, False)


def test_an_edit_without_changes_publishes_nothing(register: Register) -> None:
    alice = register("alice", full_name="A")
    before = alice.client.get("/v1/profiles/me")["ETag"]
    assert alice.client.patch("/v1/profiles/me", {"full_name": "A"})["ETag"] == before
    assert alice.client.patch("/v1/profiles/me", {})["ETag"] == before
    assert published_types() == ["profile_changed"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"full_name": "x" * 101}, "full_name"),
        ({"bio": "x" * 501}, "bio"),
        ({"bio": None}, "bio"),
        ({"bio": "bell\u0007"}, "bio"),
        ({"full_name": "two\nlines"}, "full_name"),
        ({"full_name": 7}, "full_name"),
        ({"is_private": "yes"}, "is_private"),
        ({"is_private": 1}, "is_private"),
        ({"is_discoverable": None}, "is_discoverable"),
        ({"is_discoverable": 0}, "is_discoverable"),
        ({"status": "banned"}, "status"),
        ({"username": "other"}, "username"),
        ({"profile_picture_media_id": "12"}, "profile_picture_media_id"),
        ({"profile_picture_media_id": 12}, "profile_picture_media_id"),
    ],
)
def test_bad_input_changes_nothing(register: Register, body: dict[str, object], field: str) -> None:
    alice = register("alice", full_name="A")
    before = Profile.objects.filter(user_id=alice.id).values().get()
    answer = alice.client.patch("/v1/profiles/me", {"bio": "fine", **body})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert Profile.objects.filter(user_id=alice.id).values().get() == before
    assert published_types() == ["profile_changed"]


def test_the_longest_texts_fit_with_any_character(register: Register) -> None:
    alice = register("alice")
    name, bio = "🦊" * 100, "𝔅" * 500
    body = alice.client.patch("/v1/profiles/me", {"full_name": name, "bio": bio}).json()
    assert (body["full_name"], body["bio"]) == (name, bio)
    assert alice.client.get("/v1/profiles/me").json()["bio"] == bio


def test_nobody_changes_a_profile_without_a_token(register: Register, anonymous: JsonClient) -> None:
    register("alice")
    assert anonymous.patch("/v1/profiles/me", {"bio": "x"}).status_code == 401
    assert anonymous.get("/v1/profiles/me").status_code == 401


def test_a_stale_etag_is_refused(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    tag = alice.client.get("/v1/profiles/me")["ETag"]
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    assert alice.client.patch("/v1/profiles/me", {"bio": "1"}, If_Match=tag).status_code == 200, (
        "a new follower does not make an edit stale"
    )
    answer = alice.client.patch("/v1/profiles/me", {"bio": "2"}, If_Match=tag)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert alice.client.get("/v1/profiles/me").json()["bio"] == "1"
    assert alice.client.patch("/v1/profiles/me", {"bio": "3"}, If_Match="*").status_code == 200
    assert alice.client.patch("/v1/profiles/me", {"bio": "4"}, If_Match="nonsense").status_code == 400


def test_an_unchanged_profile_is_304(register: Register) -> None:
    alice, bob = register("alice"), register("bob")
    tag = bob.client.get(f"/v1/profiles/{alice.id}")["ETag"]
    assert bob.client.get(f"/v1/profiles/{alice.id}", If_None_Match=tag).status_code == 304
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    assert bob.client.get(f"/v1/profiles/{alice.id}", If_None_Match=tag).status_code == 200


def test_others_do_not_see_when_a_moderator_restricts_somebody(register: Register, anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob")
    paths = [f"/v1/profiles/{alice.id}", "/v1/profiles/by-username/alice"]
    before = [client.get(path)["ETag"] for client in (anonymous, bob.client) for path in paths]
    restrict_profile(user_id=int(alice.id), kind="limit", at=NOW)
    assert [client.get(path)["ETag"] for client in (anonymous, bob.client) for path in paths] == before
    tag = alice.client.get(paths[0])["ETag"]
    assert alice.client.patch("/v1/profiles/me", {"bio": "1"}, If_Match=tag).status_code == 200


def test_a_banned_person_is_seen_by_themselves_only(register: Register, anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob")
    ban(alice)
    for client in (anonymous, bob.client):
        assert client.get(f"/v1/profiles/{alice.id}").status_code == 404
        assert client.get("/v1/profiles/by-username/alice").status_code == 404
        assert client.get(f"/v1/profiles?ids={alice.id}").json()["results"] == []
        assert client.get(f"/v1/profiles/{alice.id}/followers").status_code == 404
    assert bob.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 404
    ban(alice, "unban", NOW + timedelta(seconds=1))
    assert anonymous.get(f"/v1/profiles/{alice.id}").status_code == 200
    assert [(event["status"], event["version"]) for event in published("status_changed")] == [
        ("banned", 2),
        ("active", 3),
    ]
