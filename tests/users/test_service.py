"""The service interface of users: correct, complete, and with a constant number of queries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.users import actions
from apps.users.models import Profile
from socialapp.contracts.users import Author, ProfileSummary, Users
from socialapp.core.errors import NotFound
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient
from tests.users.events import published_types

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)
MakePerson = Callable[..., int]
users = client(Users)


def seen(viewer: int | None, *authors: int) -> dict[int, Author]:
    """How the viewer may see each author."""
    found = users.audience(viewer_id=viewer, author_ids=list(authors)).authors
    assert len({author.card.id for author in found}) == len(found)
    return {author.card.id: author for author in found}


def test_an_audience_has_all_that_visibility_depends_on(person: MakePerson) -> None:
    me, plain, private, followed, blocked, blocking, muted, gone = (person() for _ in range(8))
    actions.update_profile(user_id=private, changes={"is_private": True}, expected_versions=None)
    actions.follow(follower_id=me, target_id=followed)
    actions.follow(follower_id=plain, target_id=me)
    actions.block(blocker_id=me, blocked_id=blocked)
    actions.block(blocker_id=blocking, blocked_id=me)
    actions.mute(muter_id=me, muted_id=muted)
    actions.hide_profile(user_id=gone)
    everybody = [me, plain, private, followed, blocked, blocking, muted, gone]
    found = seen(me, *everybody, 17)
    flags = {
        user_id: {name for name in ("active", "is_private", "follows", "blocked", "muted") if getattr(author, name)}
        for user_id, author in found.items()
    }
    assert flags == {
        me: {"active", "follows"},
        plain: {"active"},
        private: {"active", "is_private"},
        followed: {"active", "follows"},
        blocked: {"active", "blocked"},
        blocking: {"active", "blocked"},
        muted: {"active", "muted"},
        gone: set(),
    }
    assert found[plain].card == ProfileSummary(id=plain, username="person1", full_name="", profile_picture="")
    anonymous = seen(None, *everybody)
    assert {
        user_id for user_id, author in anonymous.items() if author.follows or author.blocked or author.muted
    } == set()
    assert {user_id for user_id, author in anonymous.items() if not author.active} == {gone}


def test_a_private_author_is_not_followed_while_the_request_waits(person: MakePerson) -> None:
    me, private = person(), person(is_private=True)
    actions.follow(follower_id=me, target_id=private)
    assert seen(me, private)[private].follows is False
    actions.accept_request(target_id=private, requester_id=me)
    assert seen(me, private)[private].follows is True


def test_the_following_version_rises_with_every_change_and_no_other(person: MakePerson) -> None:
    me, other, closed = person(), person(), person(is_private=True)

    def version() -> int:
        assert users.audience(viewer_id=me, author_ids=[]).following_version == users.following(user_id=me).version
        return users.following(user_id=me).version

    versions = [version()]
    for change in (
        lambda: actions.follow(follower_id=me, target_id=other),
        lambda: actions.unfollow(follower_id=me, target_id=other),
        lambda: actions.follow(follower_id=me, target_id=other),
        lambda: actions.block(blocker_id=other, blocked_id=me),
    ):
        change()
        versions.append(version())
    assert versions == [0, 1, 2, 3, 4]
    actions.follow(follower_id=me, target_id=closed)
    assert version() == 4, "a request is no follow"
    actions.accept_request(target_id=closed, requester_id=me)
    assert version() == 5
    actions.follow(follower_id=other, target_id=closed)
    assert version() == 5


def test_profile_summaries_are_of_active_people(person: MakePerson) -> None:
    alice, gone = person(username="Alice"), person(username="Gone")
    actions.hide_profile(user_id=gone)
    card = ProfileSummary(id=alice, username="Alice", full_name="", profile_picture="")
    assert users.profiles(ids=[alice, gone, 5]) == [card]
    assert users.profile(user_id=alice) == card
    for user_id in (gone, 5):
        with pytest.raises(NotFound):
            users.profile(user_id=user_id)
    assert users.by_usernames(usernames=["aLICE", "gone", "nobody", ""]) == [card]
    assert users.profiles(ids=[]) == users.by_usernames(usernames=[]) == []


def test_somebody_registered_a_moment_ago_is_known(anonymous: JsonClient) -> None:
    body = {"email": "new@example.org", "password": "correct horse battery", "username": "newcomer"}
    user_id = int(anonymous.post("/v1/auth/register", body).json()["user"]["id"])
    assert seen(user_id, user_id)[user_id].active is True
    assert published_types() == ["profile_changed"]


def test_followers_come_in_ascending_pages(person: MakePerson) -> None:
    star, *fans = (person() for _ in range(6))
    for fan in reversed(fans):
        actions.follow(follower_id=fan, target_id=star)
    assert users.followers(user_id=star, after=0, limit=2) == fans[:2]
    assert users.followers(user_id=star, after=fans[1], limit=10) == fans[2:]
    assert users.followers(user_id=star, after=fans[-1], limit=10) == []


def test_popular_are_those_with_more_followers_than_the_setting(person: MakePerson, settings: Settings) -> None:
    settings.POPULAR_FOLLOWERS = 2
    me, star, other, nobody = (person() for _ in range(4))
    for _ in range(3):
        actions.follow(follower_id=person(), target_id=star)
    actions.follow(follower_id=me, target_id=star)
    actions.follow(follower_id=me, target_id=other)
    actions.follow(follower_id=person(), target_id=other)
    assert users.popular(ids=[star, other, nobody, me]) == [star]
    answer = users.following(user_id=me)
    assert (sorted(answer.ids), answer.popular_ids, answer.version) == ([star, other], [star], 2)
    assert users.following(user_id=nobody).ids == users.popular(ids=[]) == []


def test_who_is_hidden_and_who_is_not_notified(person: MakePerson) -> None:
    me, blocked, blocking, muting, plain = (person() for _ in range(5))
    actions.block(blocker_id=me, blocked_id=blocked)
    actions.block(blocker_id=blocking, blocked_id=me)
    actions.mute(muter_id=muting, muted_id=me)
    actions.mute(muter_id=me, muted_id=plain)
    assert users.circle(user_id=me).blocked == [blocked, blocking]
    everybody = [me, blocked, blocking, muting, plain]
    assert sorted(users.muted_by(user_ids=everybody, muted_id=me)) == [blocked, blocking, muting]
    assert users.muted_by(user_ids=[], muted_id=me) == []
    hidden = person()
    actions.hide_profile(user_id=hidden)
    pairs = [*((me, one) for one in everybody), (hidden, plain), (12345, plain), (plain, me), (muting, me), (me, plain)]
    assert users.willing(pairs=pairs) == [
        *(True, False, False, False, True),  # everybody, about me
        *(False, False, False, True, True),  # of somebody hidden, unknown, muted, not muted; one asked for twice
    ]
    assert users.willing(pairs=[]) == []
    Profile.objects.filter(user_id=plain).update(silenced=True)
    actions.follow(follower_id=blocking, target_id=plain)
    assert users.willing(pairs=[(plain, blocking), (plain, muting)]) == [True, False]
    assert users.hidden_from(viewer_id=plain) == users.circle(user_id=plain).blocked == []


def test_documents_are_whole_whatever_the_status(person: MakePerson) -> None:
    alice, gone = person(bio="hi"), person()
    actions.follow(follower_id=gone, target_id=alice)
    actions.hide_profile(user_id=gone)
    documents = {document.card.id: document for document in users.documents(ids=[alice, gone, 7])}
    assert documents.keys() == {alice, gone}
    assert (documents[alice].bio, documents[alice].status, documents[alice].version) == ("hi", "active", 2)
    assert (documents[alice].followers_count, documents[gone].status) == (1, "deleted")
    assert [found.card.id for found in users.document_page(after=0, limit=1)] == [alice]
    assert [found.card.id for found in users.document_page(after=alice, limit=9)] == [gone]


def test_profile_bodies_are_those_of_the_api(person: MakePerson) -> None:
    me, other, blocking = (person() for _ in range(3))
    actions.block(blocker_id=blocking, blocked_id=me)
    bodies = users.profile_bodies(viewer_id=me, ids=[other, blocking, me, 9])
    assert [body["id"] for body in bodies] == [str(other), str(me)]
    assert "relationship" in bodies[0]
    assert "relationship" not in users.profile_bodies(viewer_id=None, ids=[other])[0]


def test_hiding_is_at_once_and_once(person: MakePerson) -> None:
    alice, bob = person(), person()
    for _ in range(2):
        users.hide(user_id=alice)
    assert users.profiles(ids=[alice, bob])[0].id == bob
    assert published_types().count("status_changed") == 1
    users.hide(user_id=12345)
    assert seen(bob, 12345)[12345].active is False, "the event of the registration must not make it visible"


def test_deactivating_hides_until_it_is_cancelled(person: MakePerson) -> None:
    alice, bob = person(), person()
    at = datetime.now(UTC)
    for _ in range(2):
        users.deactivate(user_id=alice, at=at)
    users.hide(user_id=bob, deactivated_at=at)  # as the previous release asks for it
    assert users.profiles(ids=[alice, bob]) == []
    assert published_types().count("status_changed") == 2
    for user_id in (alice, bob):
        actions.set_deactivated(user_id=user_id, is_deactivated=False, at=at + timedelta(seconds=1))
    users.deactivate(user_id=alice, at=at)
    assert sorted(card.id for card in users.profiles(ids=[alice, bob])) == sorted([alice, bob])


@pytest.mark.parametrize("size", [1, 100])
def test_queries_stay_the_same_whatever_the_size(person: MakePerson, size: int) -> None:
    me = person()
    others = [person() for _ in range(size)]
    for other in others:
        actions.follow(follower_id=me, target_id=other)
    calls: list[tuple[int, Callable[[], object]]] = [
        (1, lambda: users.audience(viewer_id=me, author_ids=others)),
        (1, lambda: users.audience(viewer_id=None, author_ids=others)),
        (1, lambda: users.profiles(ids=others)),
        (1, lambda: users.by_usernames(usernames=[f"person{number}" for number in range(size)])),
        (1, lambda: users.followers(user_id=me, after=0, limit=size)),
        (1, lambda: users.following(user_id=me)),
        (1, lambda: users.popular(ids=others)),
        (1, lambda: users.circle(user_id=me)),
        (2, lambda: users.muted_by(user_ids=others, muted_id=me)),
        (1, lambda: users.willing(pairs=[(one, me) for one in others])),
        (2, lambda: users.documents(ids=others)),
        (2, lambda: users.document_page(after=0, limit=size)),
        (1, lambda: users.profile_bodies(viewer_id=me, ids=others)),
    ]
    for expected, call in calls:
        with CaptureQueriesContext(connections["users"]) as queries:
            call()
        assert len(queries) == expected, [query["sql"] for query in queries]
