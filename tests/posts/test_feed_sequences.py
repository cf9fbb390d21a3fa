"""The home feed after random actions: equal to plain rules over sets, whatever Redis holds, loses or refuses."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from socialapp.core.cache import redis_client
from tests.conftest import ALL_CONTEXTS, Person, deliver_outbox
from tests.posts.conftest import shown

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


class ExpectedFeeds:
    """What everybody should see, by plain rules over sets."""

    def __init__(self) -> None:
        self.posts: dict[int, tuple[int, bool]] = {}
        self.reposts: set[tuple[int, int]] = set()
        self.follows: set[tuple[int, int]] = set()
        self.blocks: set[tuple[int, int]] = set()
        self.mutes: set[tuple[int, int]] = set()
        self.closed: set[int] = set()

    def feed(self, viewer: int) -> list[tuple[str, str | None]]:
        """(post id, reposter) of the viewer's feed, newest first."""
        lines: list[tuple[str, str | None]] = []
        for post_id, (author, is_private) in sorted(self.posts.items(), reverse=True):
            let_in = author == viewer or (viewer, author) in self.follows
            if self._apart(viewer, author) or (viewer, author) in self.mutes:
                continue
            if let_in:
                lines.append((str(post_id), None))
            elif not is_private and author not in self.closed:
                reposters = [
                    user
                    for user, reposted in self.reposts
                    if reposted == post_id
                    and (viewer, user) in self.follows
                    and (viewer, user) not in self.mutes
                    and not self._apart(viewer, user)
                ]
                if reposters:
                    lines.append((str(post_id), str(min(reposters))))
        return lines

    def _apart(self, one: int, other: int) -> bool:
        return (one, other) in self.blocks or (other, one) in self.blocks


class RandomActions:
    """Random choices of people, made in the product and in the model."""

    def __init__(self, people: Any, chance: Any) -> None:
        self.expected = ExpectedFeeds()
        self.people = people
        self.chance = chance
        self.ids = [int(person.id) for person in people]

    def act(self) -> Any:
        """Takes one; the index of who took it."""
        me, you = self.chance.sample(range(len(self.people)), 2)
        choices = [self.post] * 5 + [self.repost] * 3 + [self.follow] * 4
        choices += [self.unfollow, self.delete, self.block, self.unblock, self.mute, self.unmute, self.unrepost]
        choices += [self.change, self.change, self.close]
        self.actor, self.other, self.client = self.ids[me], self.ids[you], self.people[me].client
        self.other_client = self.people[you].client
        self.chance.choice(choices)()
        return me

    def own_post(self) -> Any:
        own = [post_id for post_id, (author, _) in self.expected.posts.items() if author == self.actor]
        return self.chance.choice(own) if own else None

    def post(self) -> None:
        is_private = self.chance.random() < 0.3
        answer = self.client.post("/v1/posts", {"content": "x", "is_private": is_private})
        self.expected.posts[int(answer.json()["id"])] = (self.actor, is_private)

    def repost(self) -> None:
        for post_id in self.chance.sample(list(self.expected.posts), min(1, len(self.expected.posts))):
            if self.client.put(f"/v1/posts/{post_id}/repost").status_code == 200:
                self.expected.reposts.add((self.actor, post_id))

    def unrepost(self) -> None:
        for post_id in [reposted for user, reposted in self.expected.reposts if user == self.actor]:
            self.client.delete(f"/v1/posts/{post_id}/repost")
            self.expected.reposts.discard((self.actor, post_id))

    def follow(self) -> None:
        answer = self.client.put(f"/v1/profiles/{self.other}/follow")
        if answer.status_code == 200:
            if answer.json()["requested"]:
                assert self.other_client.post(f"/v1/follow-requests/{self.actor}/accept").status_code == 200
            self.expected.follows.add((self.actor, self.other))

    def unfollow(self) -> None:
        self.client.delete(f"/v1/profiles/{self.other}/follow")
        self.expected.follows.discard((self.actor, self.other))

    def delete(self) -> None:
        if post_id := self.own_post():
            assert self.client.delete(f"/v1/posts/{post_id}").status_code == 204
            del self.expected.posts[post_id]

    def change(self) -> None:
        if post_id := self.own_post():
            is_private = self.chance.random() < 0.5
            assert self.client.patch(f"/v1/posts/{post_id}", {"is_private": is_private}).status_code == 200
            self.expected.posts[post_id] = (self.actor, is_private)

    def block(self) -> None:
        if self.chance.random() < 0.4:
            answer = self.client.put(f"/v1/profiles/{self.other}/block")
            if (self.other, self.actor) in self.expected.blocks:
                assert answer.status_code == 404, "whom one cannot see one cannot block"
                return
            assert answer.status_code == 200
            self.expected.blocks.add((self.actor, self.other))
            self.expected.follows -= {(self.actor, self.other), (self.other, self.actor)}

    def unblock(self) -> None:
        self.client.delete(f"/v1/profiles/{self.other}/block")
        self.expected.blocks.discard((self.actor, self.other))

    def mute(self) -> None:
        if self.client.put(f"/v1/profiles/{self.other}/mute").status_code == 200:
            self.expected.mutes.add((self.actor, self.other))

    def unmute(self) -> None:
        if self.client.delete(f"/v1/profiles/{self.other}/mute").status_code == 200:
            self.expected.mutes.discard((self.actor, self.other))

    def close(self) -> None:
        if self.chance.random() < 0.3:
            self.client.patch("/v1/profiles/me", {"is_private": True})
            self.expected.closed.add(self.actor)


@pytest.mark.parametrize(
    ("seed", "caches"), [(0, "on"), (1, "tiny"), (2, "untold"), (3, "tiny"), (4, "untold")], indirect=["caches"]
)
@pytest.mark.usefixtures("caches")
def test_the_feed_equals_the_rules_after_anything(register: Callable[..., Person], seed: Any, redis_down: Any) -> None:
    chance = random.Random(seed)
    actions = RandomActions([register(f"person{number}") for number in range(5)], chance)
    for _ in range(90):
        redis_down(chance.random() < 0.1)  # and back with what it held before
        me = actions.act()
        redis_down(False)
        if chance.random() < 0.1:
            redis_client().flushdb()
        if chance.random() < 0.5:
            deliver_outbox()
        if chance.random() < 0.3:
            # What is not delivered yet may be missing, but nobody sees what they may not.
            allowed = {post_id for post_id, _ in actions.expected.feed(actions.ids[me])}
            assert {post_id for post_id, _ in shown(actions.people[me])} <= allowed
    deliver_outbox()
    for state in ("as it is", "down", "back", "flushed"):
        redis_down(state == "down")
        if state == "flushed":
            redis_client().flushdb()
        for person, user_id in zip(actions.people, actions.ids, strict=True):
            assert shown(person, limit=chance.choice([1, 3, 100])) == actions.expected.feed(user_id), state
