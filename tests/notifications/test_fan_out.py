"""A new post reaches very many followers: each once, page by page, in well under a second."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.notifications.handlers import posts
from apps.notifications.models import Notification
from apps.users.models import Follow, Profile
from socialapp.messaging.models import InboxEntry
from tests.conftest import ALL_CONTEXTS, Person
from tests.notifications.conftest import notifications_of, post
from tests.notifications.events import published

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_every_follower_is_notified_once_in_pages(
    register: Callable[..., Person],
    drain: Callable[[], int],
    follow: Callable[[Person, Person], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posts, "FOLLOWER_BATCH", 2)
    alice, followers = register("alice"), [register(f"follower{n}") for n in range(5)]
    for person in followers:
        follow(person, alice)
    followers[1].client.put(f"/v1/profiles/{alice.id}/mute")
    drain()
    post(alice)
    drain()
    assert [len(notifications_of(person)) for person in followers] == [1, 0, 1, 1, 1]
    assert len(published("new_post_page_told")) == 2
    pages = InboxEntry.objects.using("notifications").filter(handler="notifications.notify_next_followers")
    assert pages.values("event_id").distinct().count() == pages.count() == 2, "each page is handled once"


def test_ten_thousand_followers_are_notified_once_each(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice = register("alice")
    ids = range(10**15, 10**15 + 10_000)
    add_followers(int(alice.id), ids)
    post_id = post(alice)
    drain()
    notified_ids = list(Notification.objects.filter(post_id=post_id).values_list("user_id", flat=True))
    assert (len(notified_ids), set(notified_ids)) == (10_000, set(ids))


def add_followers(author_id: Any, ids: Any) -> None:
    """Active people who follow the author."""
    now = datetime.now(UTC)
    people = [
        Profile(user_id=number, username=f"f{number}", username_key=f"f{number}", created_at=now) for number in ids
    ]
    Profile.objects.bulk_create(people, batch_size=1000)
    follows = [Follow(follower_id=number, following_id=author_id, created_at=now) for number in ids]
    Follow.objects.bulk_create(follows, batch_size=1000)
