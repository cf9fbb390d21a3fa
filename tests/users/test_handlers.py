"""Events of other contexts: duplicate, late and out of order, they lead to the same state."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import CharField, TextField

from apps.users import actions
from apps.users.models import (
    Block,
    Follow,
    FollowCount,
    FollowRequest,
    Mute,
    PostCount,
    Profile,
)
from apps.users.queries import counts_of
from socialapp.contracts.auth import User, UserDeactivated, UserDeleted, UserReactivated, UserRegistered
from socialapp.contracts.moderation import UserSanctioned
from socialapp.contracts.posts import PostCreated, PostDeleted, PostEdited
from socialapp.core.ids import new_id
from socialapp.lifecycle.erasure_audit import audit_erasure
from socialapp.lifecycle.jobs import continue_jobs
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import wrap
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.users.events import deliver_events, published, published_types

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
MakePerson = Callable[..., int]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def registered(user_id: int) -> UserRegistered:
    """Somebody called x."""
    return UserRegistered(user_id=user_id, username="x", full_name="X", created_at=NOW)


def created(author: int, *, is_private: bool = False) -> PostCreated:
    """A new post."""
    return PostCreated(
        post_id=new_id(),
        author_id=author,
        is_private=is_private,
        hashtags=[],
        mention_ids=[],
        created_at=NOW,
        version=1,
    )


def edited(author: int, *, is_private: bool, was_private: bool) -> PostEdited:
    """A changed post."""
    return PostEdited(
        post_id=1,
        author_id=author,
        is_private=is_private,
        was_private=was_private,
        hashtags=[],
        new_mention_ids=[],
        version=2,
    )


def deleted(author: int, *, was_private: bool = False) -> PostDeleted:
    """A post that is gone."""
    return PostDeleted(post_id=1, author_id=author, was_private=was_private, version=3)


def sanctioned(user_id: int, kind: str, minute: int) -> UserSanctioned:
    """A sanction of that minute."""
    return UserSanctioned(user_id=user_id, action_id=1, kind=kind, reason="", at=NOW + timedelta(minutes=minute))


def posts_of(user_id: int) -> tuple[int, int]:
    """(all, public)."""
    row = PostCount.objects.filter(user_id=user_id).first()
    return (row.posts, row.public_posts) if row else (0, 0)


def test_a_registration_makes_one_profile() -> None:
    user_id = new_id()
    for _ in range(2):
        deliver_events(registered(user_id))
    profile = Profile.objects.get()
    assert (profile.username, profile.full_name, profile.created_at, profile.version) == ("x", "X", NOW, 1)
    assert published_types() == ["profile_changed"]


def test_a_late_registration_does_not_undo_a_change(person: MakePerson) -> None:
    alice = person(bio="mine")
    deliver_events(registered(alice))
    profile = Profile.objects.get()
    assert (profile.bio, profile.username) == ("mine", "person0")


def test_counts_of_posts_do_not_depend_on_order(person: MakePerson) -> None:
    def events(author: int) -> list[object]:
        return [
            created(author),
            created(author, is_private=True),
            edited(author, is_private=True, was_private=False),
            deleted(author, was_private=True),
        ]

    for order in itertools.permutations(range(4)):
        author = person()
        one_by_one = events(author)
        for index in order:
            deliver_events(one_by_one[index])
        assert posts_of(author) == (1, 0), order
    together = person()
    deliver_events(*events(together), created(together))
    assert posts_of(together) == (2, 1)


def test_a_post_event_delivered_twice_counts_once(person: MakePerson) -> None:
    author = person()
    envelope = wrap(created(author), event_id=new_id())
    for _ in range(2):
        deliver("users", envelopes=[envelope, envelope])
    assert posts_of(author) == (1, 1)


def test_posts_are_counted_before_their_author_is_known() -> None:
    author = new_id()
    deliver_events(created(author), edited(author, is_private=True, was_private=True), registered(author))
    assert posts_of(author) == (1, 1)


def test_strangers_see_the_count_of_public_posts_only(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, friend, stranger = register("alice"), register("friend"), register("stranger")
    friend.client.put(f"/v1/profiles/{alice.id}/follow")
    deliver_events(created(int(alice.id)), created(int(alice.id)), created(int(alice.id), is_private=True))

    def counts() -> list[int]:
        clients = (alice.client, friend.client, stranger.client, anonymous)
        return [client.get(f"/v1/profiles/{alice.id}").json()["posts_count"] for client in clients]

    assert counts() == [3, 3, 2, 2]
    alice.client.patch("/v1/profiles/me", {"is_private": True})
    assert counts() == [3, 3, 0, 0]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_latest_sanction_applies_in_any_order_of_events(person: MakePerson, order: tuple[int, ...]) -> None:
    alice = person()
    events = [sanctioned(alice, "ban", 1), sanctioned(alice, "unban", 2), sanctioned(alice, "ban", 3)]
    for index in order:
        deliver_events(events[index])
        deliver_events(events[index])
    assert Profile.objects.get().status == "banned"
    assert published("status_changed")[-1]["status"] == "banned"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_latest_decision_about_a_deletion_applies_in_any_order_of_events(
    person: MakePerson, order: tuple[int, ...]
) -> None:
    one = person()
    events = [
        UserDeactivated(user_id=one, at=NOW),
        UserReactivated(user_id=one, at=NOW + timedelta(days=1)),
        UserDeactivated(user_id=one, at=NOW + timedelta(days=2)),
    ]
    for place in order:
        deliver_events(events[place], events[place])
    assert Profile.objects.get(user_id=one).status == "inactive"
    assert published("status_changed")[-1]["status"] == "inactive"


def test_a_ban_and_a_deactivation_hide_each_by_itself(person: MakePerson) -> None:
    one = person()

    def after(event: object) -> str:
        deliver_events(event)
        return Profile.objects.get(user_id=one).status

    assert after(UserDeactivated(user_id=one, at=NOW)) == "inactive"
    assert after(sanctioned(one, "ban", 1)) == "banned"
    assert after(UserReactivated(user_id=one, at=NOW + timedelta(days=2))) == "banned"
    assert after(UserDeactivated(user_id=one, at=NOW + timedelta(days=3))) == "banned"
    assert after(sanctioned(one, "unban", 4)) == "inactive"
    assert after(UserReactivated(user_id=one, at=NOW + timedelta(days=5))) == "active"


def test_a_profile_made_of_a_banned_account_that_waits_for_deletion_stays_hidden_without_the_ban() -> None:
    account = User(
        id=7, username="x", full_name="X", status="banned", roles=["user"], created_at=NOW, is_deactivated=True
    )
    assert actions.make_profile_of(account)
    assert Profile.objects.get().status == "banned"
    deliver_events(sanctioned(7, "unban", 1))
    assert Profile.objects.get().status == "inactive"


def test_a_warning_changes_nothing(person: MakePerson) -> None:
    alice = person()
    mark = len(published_types())
    deliver_events(sanctioned(alice, "warn", 1), sanctioned(alice, "unban", 2))
    assert (Profile.objects.get().status, published_types()[mark:]) == ("active", [])


def test_a_ban_delivered_before_the_registration_holds(anonymous: JsonClient, drain: Callable[[], int]) -> None:
    body = {"email": "new@example.org", "password": "correct horse battery", "username": "newcomer"}
    user_id = int(anonymous.post("/v1/auth/register", body).json()["user"]["id"])
    deliver_events(sanctioned(user_id, "ban", 1))
    drain()
    assert Profile.objects.get().status == "banned"
    assert anonymous.get(f"/v1/profiles/{user_id}").status_code == 404


def test_a_ban_of_an_unknown_person_is_ignored() -> None:
    deliver_events(sanctioned(77, "ban", 1))
    assert (Profile.objects.count(), published()) == (0, [])


def test_a_ban_does_not_recreate_a_deleted_profile(person: MakePerson) -> None:
    alice = person()
    actions.hide_profile(user_id=alice)
    deliver_events(sanctioned(alice, "unban", 1), registered(alice))
    assert Profile.objects.get().status == "deleted"


def rows_with(user_id: int) -> dict[str, int]:
    """How many rows still hold the id, by table."""
    columns = {
        Follow: ("follower_id", "following_id"),
        FollowRequest: ("requester_id", "target_id"),
        Block: ("blocker_id", "blocked_id"),
        Mute: ("muter_id", "muted_id"),
        FollowCount: ("user_id",),
        PostCount: ("user_id",),
    }
    return {
        f"{model._meta.db_table}.{name}": found
        for model, names in columns.items()
        for name in names
        if (found := model._default_manager.filter(**{name: user_id}).count())
    }


def entangle(person: MakePerson) -> tuple[int, list[int]]:
    """Somebody with a row in every table, and the others."""
    alice = person(username="alice", bio="secret", is_private=True)
    fans, idols = [person() for _ in range(3)], [person() for _ in range(3)]
    for fan in fans:
        actions.follow(follower_id=fan, target_id=alice)
        actions.accept_request(target_id=alice, requester_id=fan)
    for idol in idols:
        actions.follow(follower_id=alice, target_id=idol)
    waiting, closed, blocked, blocking, muted, muting = (person() for _ in range(6))
    actions.follow(follower_id=waiting, target_id=alice)
    actions.update_profile(user_id=closed, changes={"is_private": True}, expected_versions=None)
    actions.follow(follower_id=alice, target_id=closed)
    actions.block(blocker_id=alice, blocked_id=blocked)
    actions.block(blocker_id=blocking, blocked_id=alice)
    actions.mute(muter_id=alice, muted_id=muted)
    actions.mute(muter_id=muting, muted_id=alice)
    deliver_events(created(alice))
    return alice, [*fans, *idols]


@pytest.mark.parametrize("chunk", [1, 2, 200])
def test_erasure_leaves_only_a_tombstone(person: MakePerson, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr("apps.users.actions.erasure.BATCH", chunk)
    alice, others = entangle(person)
    texts = [field.attname for field in Profile._meta.concrete_fields if isinstance(field, CharField | TextField)]
    texts.remove("status")
    Profile.objects.filter(user_id=alice).update(**dict.fromkeys(texts, "secret"))
    mark = len(published_types())
    deliver_events(UserDeleted(user_id=alice, erasure_id=5))
    assert (published("user_erased") == []) == (chunk < 200)
    while continue_jobs("users", steps=3):
        pass
    assert rows_with(alice) == {}
    assert set(counts_of(others).values()) == {(0, 0)}
    profile = Profile.objects.get(user_id=alice)
    assert (profile.status, profile.erased) == ("deleted", True)
    assert {name: getattr(profile, name) for name in texts} == dict.fromkeys(texts, "")
    types = published_types()[mark:]
    assert sorted(types) == sorted(
        ["status_changed"]
        + ["unfollowed"] * 6
        + ["follow_request_withdrawn"] * 2
        + ["unblocked"] * 2
        + ["unmuted"] * 2
        + ["user_erased"]
    )
    assert types[-1] == "user_erased"
    (report,) = published("user_erased")
    assert (report["user_id"], report["erasure_id"]) == (alice, 5)
    assert {table: report["rows"][table] for table in ("profiles", "follows", "follow_requests")} == {
        "profiles": 1,
        "follows": 6,
        "follow_requests": 2,
    }


def test_late_events_do_not_recreate_an_erased_profile(person: MakePerson, anonymous: JsonClient) -> None:
    alice, _ = entangle(person)
    deliver_events(UserDeleted(user_id=alice, erasure_id=5))
    mark = len(published_types())
    deliver_events(registered(alice), created(alice), deleted(alice), sanctioned(alice, "unban", 9))
    bob = person()
    for act in (
        lambda: actions.follow(follower_id=bob, target_id=alice),
        lambda: actions.block(blocker_id=bob, blocked_id=alice),
        lambda: actions.mute(muter_id=bob, muted_id=alice),
    ):
        with pytest.raises(Exception, match="no such profile"):
            act()
    assert rows_with(alice) == {}
    assert anonymous.get(f"/v1/profiles/{alice}").status_code == 404
    assert anonymous.get("/v1/profiles/by-username/alice").status_code == 404
    assert published_types()[mark:] == ["profile_changed"], "that of bob"


def test_erasing_somebody_unknown_is_acknowledged_and_kept() -> None:
    user_id = new_id()
    deliver_events(UserDeleted(user_id=user_id, erasure_id=6))
    deliver_events(registered(user_id))
    assert Profile.objects.get().status == "deleted"
    assert published("user_erased") == [{"user_id": user_id, "erasure_id": 6, "rows": {}}]


def test_erasing_again_acknowledges_again(person: MakePerson) -> None:
    alice = person()
    deliver_events(UserDeleted(user_id=alice, erasure_id=5))
    deliver_events(UserDeleted(user_id=alice, erasure_id=5))
    assert [event["erasure_id"] for event in published("user_erased")] == [5, 5]
    assert published_types().count("status_changed") == 1


def test_a_freed_name_can_be_somebody_elses_at_once(person: MakePerson, anonymous: JsonClient) -> None:
    old, new = person(username="name"), person(username="name")
    assert anonymous.get("/v1/profiles/by-username/name").json()["id"] == str(new), "the event of the deletion is late"
    deliver_events(UserDeleted(user_id=old, erasure_id=1))
    assert anonymous.get("/v1/profiles/by-username/name").json()["id"] == str(new)


def test_deleting_an_account_hides_and_erases_it(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob = register("alice"), register("bob")
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    assert alice.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    assert bob.client.get(f"/v1/profiles/{alice.id}").status_code == 404
    assert bob.client.get(f"/v1/profiles/{bob.id}/following").json()["results"] == []
    drain()
    assert rows_with(int(alice.id)) == {}
    assert bob.client.get("/v1/profiles/me").json()["following_count"] == 0
    assert [left for left in audit_erasure(int(alice.id)) if left.store == "users" and not left.expected] == []
