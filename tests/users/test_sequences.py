"""After random actions of people rows, counts and events agree with a small model."""

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from apps.users import actions
from apps.users.models import Block, Follow, FollowCount, FollowRequest, Profile
from apps.users.queries import counts_of
from socialapp.core.errors import Conflict, NotFound
from socialapp.core.ids import new_id
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS
from tests.users.events import published

PEOPLE = 4
who = st.integers(0, PEOPLE - 1)
Pair = tuple[int, int]


class Relations(RuleBasedStateMachine):
    """The model: who is private, who is banned, and three sets of pairs."""

    @initialize()
    def begin(self) -> None:
        for model in (Follow, FollowRequest, Block, FollowCount, Profile):
            model.objects.all().delete()
        OutboxEvent.objects.using("users").all().delete()
        self.ids = [new_id() for _ in range(PEOPLE)]
        for number, user_id in enumerate(self.ids):
            actions.make_profile(user_id=user_id, username=f"p{number}", full_name="", created_at=timezone.now())
        self.private: set[int] = set()
        self.banned: set[int] = set()
        self.follows: set[Pair] = set()
        self.requests: set[Pair] = set()
        self.blocks: set[Pair] = set()

    def _sees(self, one: int, other: int) -> bool:
        return other not in self.banned and (other, one) not in self.blocks

    @rule(one=who, other=who)
    def follow(self, one: int, other: int) -> None:
        if one == other:
            return
        pair = (one, other)
        if one in self.banned or not self._sees(one, other):
            with pytest.raises(NotFound):
                actions.follow(follower_id=self.ids[one], target_id=self.ids[other])
        elif pair in self.blocks:
            with pytest.raises(Conflict):
                actions.follow(follower_id=self.ids[one], target_id=self.ids[other])
        else:
            actions.follow(follower_id=self.ids[one], target_id=self.ids[other])
            if pair not in self.follows:
                (self.requests if other in self.private else self.follows).add(pair)

    @rule(one=who, other=who)
    def unfollow(self, one: int, other: int) -> None:
        if one == other:
            return
        pair = (one, other)
        if pair in self.follows | self.requests or self._sees(one, other):
            actions.unfollow(follower_id=self.ids[one], target_id=self.ids[other])
            self.follows.discard(pair)
            self.requests.discard(pair)
        else:
            with pytest.raises(NotFound):
                actions.unfollow(follower_id=self.ids[one], target_id=self.ids[other])

    @rule(one=who, other=who)
    def accept(self, one: int, other: int) -> None:
        pair = (other, one)
        if pair in self.follows:
            actions.accept_request(target_id=self.ids[one], requester_id=self.ids[other])
        elif pair in self.requests and not {one, other} & self.banned:
            actions.accept_request(target_id=self.ids[one], requester_id=self.ids[other])
            self.requests.discard(pair)
            self.follows.add(pair)
        else:
            with pytest.raises(NotFound):
                actions.accept_request(target_id=self.ids[one], requester_id=self.ids[other])

    @rule(one=who, other=who)
    def reject(self, one: int, other: int) -> None:
        if (other, one) in self.requests:
            actions.reject_request(target_id=self.ids[one], requester_id=self.ids[other])
            self.requests.discard((other, one))
        else:
            with pytest.raises(NotFound):
                actions.reject_request(target_id=self.ids[one], requester_id=self.ids[other])

    @rule(one=who, other=who)
    def block(self, one: int, other: int) -> None:
        if one == other:
            return
        if one in self.banned or not self._sees(one, other):
            with pytest.raises(NotFound):
                actions.block(blocker_id=self.ids[one], blocked_id=self.ids[other])
            return
        actions.block(blocker_id=self.ids[one], blocked_id=self.ids[other])
        both = {(one, other), (other, one)}
        self.follows -= both
        self.requests -= both
        self.blocks.add((one, other))

    @rule(one=who, other=who)
    def unblock(self, one: int, other: int) -> None:
        if one == other:
            return
        if (one, other) in self.blocks or self._sees(one, other):
            actions.unblock(blocker_id=self.ids[one], blocked_id=self.ids[other])
            self.blocks.discard((one, other))
        else:
            with pytest.raises(NotFound):
                actions.unblock(blocker_id=self.ids[one], blocked_id=self.ids[other])

    @rule(one=who, is_private=st.booleans())
    def set_privacy(self, one: int, is_private: bool) -> None:
        changes = {"is_private": is_private}
        if one in self.banned:
            with pytest.raises(NotFound):
                actions.update_profile(user_id=self.ids[one], changes=changes, expected_versions=None)
            return
        actions.update_profile(user_id=self.ids[one], changes=changes, expected_versions=None)
        if is_private:
            self.private.add(one)
        elif one in self.private:
            self.private.discard(one)
            let_in = {pair for pair in self.requests if pair[1] == one}
            self.requests -= let_in
            self.follows |= let_in

    @rule(one=who, banned=st.booleans())
    def sanction(self, one: int, banned: bool) -> None:
        kind = "ban" if banned else "unban"
        actions.sanction_profile(user_id=self.ids[one], kind=kind, at=timezone.now())
        (self.banned.add if banned else self.banned.discard)(one)

    def _pairs(self, rows: "list[tuple[int, int]]") -> set[Pair]:
        found = [(self.ids.index(one), self.ids.index(other)) for one, other in rows]
        assert len(found) == len(set(found))
        return set(found)

    @invariant()
    def rows_are_the_model(self) -> None:
        assert self._pairs(list(Follow.objects.values_list("follower_id", "following_id"))) == self.follows
        assert self._pairs(list(FollowRequest.objects.values_list("requester_id", "target_id"))) == self.requests
        assert self._pairs(list(Block.objects.values_list("blocker_id", "blocked_id"))) == self.blocks

    @invariant()
    def counts_are_the_rows(self) -> None:
        counts = counts_of(self.ids)
        for number, user_id in enumerate(self.ids):
            followers = sum(other == number for _, other in self.follows)
            following = sum(one == number for one, _ in self.follows)
            assert counts.get(user_id, (0, 0)) == (followers, following)

    @invariant()
    def events_match_the_model(self) -> None:
        pairs_by_type: dict[str, list[Pair]] = {
            name: [(event[one], event[other]) for event in published(name)]
            for name, one, other in (
                ("followed", "follower_id", "following_id"),
                ("unfollowed", "follower_id", "following_id"),
                ("blocked", "blocker_id", "blocked_id"),
                ("unblocked", "blocker_id", "blocked_id"),
            )
        }
        for made, ended, rows in (("followed", "unfollowed", self.follows), ("blocked", "unblocked", self.blocks)):
            for one in range(PEOPLE):
                for other in range(PEOPLE):
                    pair = (self.ids[one], self.ids[other])
                    assert pairs_by_type[made].count(pair) - pairs_by_type[ended].count(pair) == ((one, other) in rows)


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_any_sequence_keeps_rows_counts_and_events_together() -> None:
    run_state_machine_as_test(
        Relations,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
