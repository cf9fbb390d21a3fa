"""Counts equal rows, after concurrent and sequential changes in any order, and at constant cost."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import close_old_connections, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.reactions import actions, queries, tasks
from apps.reactions.access import Target
from apps.reactions.models import Reaction, ReactionCount
from apps.reactions.service import ReactionsService
from socialapp.contracts.reactions import ReactionCounts
from socialapp.core.db import is_tidb
from socialapp.core.errors import NotFound
from socialapp.core.ids import new_id
from socialapp.lifecycle.models import Tombstone
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, Person
from tests.reactions.factories import published, react, write_comment, write_post

TYPES = queries.REACTION_TYPES
THREADS = 8


@pytest.fixture
def server_database() -> None:
    """SQLite's test database lives in memory, where a second writer is refused instead of made to wait."""
    if connections["reactions"].vendor == "sqlite":
        pytest.skip("needs a database server")


def in_parallel(*jobs: Callable[[], Any]) -> None:
    """Runs the jobs at once, each with connections of its own; a refusal because the target is gone is fine."""

    def run(job: Callable[[], Any]) -> None:
        try:
            job()
        except NotFound:
            pass
        finally:
            close_old_connections()
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, jobs))


def a_target(target_type: str = "post") -> Target:
    """A target as another context described it."""
    target_id = new_id()
    return Target(target_type, target_id, 5, target_id if target_type == "post" else 6)


def assert_exact(target: Target) -> None:
    """The stored counts equal the rows, and no slot is negative."""
    assert queries.suspect_counts(target_type=target.type, target_ids=[target.id]) == []
    assert not ReactionCount.objects.filter(count__lt=0).exists()


@pytest.mark.usefixtures("server_database")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_one_persons_reactions_at_once_are_one_row() -> None:
    target, user_id = a_target(), new_id()
    in_parallel(
        *(
            lambda kind=TYPES[number % 5]: actions.set_reaction(user_id=user_id, target=target, reaction_type=kind)
            for number in range(25)
        )
    )
    assert Reaction.objects.count() == 1
    assert_exact(target)
    assert sum(ReactionCount.objects.values_list("count", flat=True)) == 1
    changes = published("reactions.reaction_set.v1")
    assert sum(change["previous"] is None for change in changes) == 1
    assert all(change["previous"] != change["reaction_type"] for change in changes)


@pytest.mark.usefixtures("server_database")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_many_peoples_reactions_at_once_are_all_counted() -> None:
    target = a_target("comment")
    people = [new_id() + (number << 16) for number in range(40)]
    in_parallel(
        *(lambda user=user: actions.set_reaction(user_id=user, target=target, reaction_type="like") for user in people)
    )
    assert queries.summaries(viewer_id=None, target_type="comment", target_ids=[target.id])[0].counts.like == 40
    in_parallel(
        *(lambda user=user: actions.set_reaction(user_id=user, target=target, reaction_type="sad") for user in people),
        *(
            lambda user=user: actions.remove_reaction(user_id=user, target_type=target.type, target_id=target.id)
            for user in people[::2]
        ),
        *(lambda user=user: actions.set_reaction(user_id=user, target=target, reaction_type="love") for user in people),
    )
    assert_exact(target)
    assert len(published("reactions.reaction_set.v1")) - len(published("reactions.reaction_removed.v1")) >= 20


@pytest.mark.usefixtures("server_database")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_no_concurrent_reaction_survives_the_deletion_of_its_target_or_author() -> None:
    for _ in range(4):
        target, erased = a_target(), new_id()
        people = [erased, *(new_id() for _ in range(6))]
        reacting = [
            lambda user=user: actions.set_reaction(user_id=user, target=target, reaction_type="like")  # noqa: B023
            for user in people
        ]
        in_parallel(
            *reacting[:4],
            lambda: begin_removal("reactions", kind="post", subject_id=target.id),  # noqa: B023
            *reacting[4:],
        )
        _on_tidb_look_again()
        assert not Reaction.objects.filter(post_id=target.id).exists()
        assert not ReactionCount.objects.filter(target_id=target.id).exists()
        others = [a_target() for _ in range(8)]
        reacting = [
            lambda other=other: actions.set_reaction(user_id=erased, target=other, reaction_type="sad")  # noqa: B023
            for other in others
        ]
        in_parallel(
            *reacting[:4],
            lambda: begin_removal("reactions", kind="user", subject_id=erased, erasure_id=1),  # noqa: B023
            *reacting[4:],
        )
        _on_tidb_look_again()
        assert not Reaction.objects.filter(user_id=erased).exists()
        for other in others:
            assert_exact(other)


def _on_tidb_look_again() -> None:
    """TiDB does not wait for rows that others are about to add: one may stay until the periodic check."""
    if is_tidb("reactions"):
        tasks.check_counts()


STEP = st.tuples(
    st.sampled_from(["set", "set", "set", "remove", "forget", "erase"]),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 4),
)


@pytest.mark.django_db(databases=ALL_CONTEXTS)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=5, max_size=30))
def test_counts_always_equal_rows(steps: list[tuple[str, int, int, int]]) -> None:
    for table in (Reaction, ReactionCount):
        table.objects.all().delete()
    OutboxEvent.objects.using("reactions").all().delete()
    Tombstone.objects.using("reactions").all().delete()
    targets = [
        Target("post", 11, 1, 11),
        Target("post", 12, 1, 12),
        Target("comment", 13, 1, 11),
        Target("comment", 14, 2, 12),
    ]
    users = [(number << 16) + 21 for number in range(4)]
    expected: dict[tuple[int, int], str] = {}
    gone: set[int] = set()
    for kind, target_number, user_number, type_number in steps:
        target, user_id = targets[target_number], users[user_number]
        if kind == "set" and {target.id, user_id} & gone:
            with pytest.raises(NotFound):
                actions.set_reaction(user_id=user_id, target=target, reaction_type="like")
        elif kind == "set":
            actions.set_reaction(user_id=user_id, target=target, reaction_type=TYPES[type_number])
            expected[(target.id, user_id)] = TYPES[type_number]
        elif kind == "remove":
            actions.remove_reaction(user_id=user_id, target_type=target.type, target_id=target.id)
            expected.pop((target.id, user_id), None)
        elif type_number == 0:
            subject_id = target.id if kind == "forget" else user_id
            begin_removal("reactions", kind=target.type if kind == "forget" else "user", subject_id=subject_id)
            gone.add(subject_id)
            expected = {key: value for key, value in expected.items() if subject_id not in key}
    stored = {(row.target_id, row.user_id): row.reaction_type for row in Reaction.objects.all()}
    assert stored == expected
    for target in targets:
        [*found] = queries.summaries(viewer_id=None, target_type=target.type, target_ids=[target.id])
        kinds = [value for (target_id, _), value in expected.items() if target_id == target.id]
        assert [summary.counts for summary in found] == (
            [ReactionCounts(**{kind: kinds.count(kind) for kind in kinds})] if kinds else []
        )


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_summaries_cost_one_query_for_any_page() -> None:
    viewer, targets = new_id(), [a_target() for _ in range(50)]
    for target in targets[:40]:
        actions.set_reaction(user_id=viewer, target=target, reaction_type="like")
        actions.set_reaction(user_id=new_id(), target=target, reaction_type="haha")
    ids = [target.id for target in targets]
    for wanted, viewer_id in ((ids[:1], viewer), (ids, viewer), (ids, None)):
        with CaptureQueriesContext(connections["reactions"]) as captured:
            found = ReactionsService().summaries(viewer_id=viewer_id, target_type="post", target_ids=wanted)
        assert len(captured) == 1
        assert {summary.target_id for summary in found} == set(wanted) & set(ids[:40])
        assert all(summary.counts == ReactionCounts(like=1, haha=1) for summary in found)
        assert all(summary.mine == ("like" if viewer_id else None) for summary in found)
    assert ReactionsService().summaries(viewer_id=viewer, target_type="comment", target_ids=ids) == []


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_a_list_costs_the_same_whatever_its_size(register: Callable[..., Person]) -> None:
    people = [register(f"person{number}") for number in range(8)]
    post = write_post(people[0])
    for person in people:
        react(person, post)

    def cost(limit: int) -> list[int]:
        with ExitStack() as stack:
            captured = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in ALL_CONTEXTS]
            answer = people[1].client.get(f"{post}/reactions?limit={limit}")
            assert len(answer.json()["results"]) == limit
            return [len(found) for found in captured]

    cost(1)
    assert cost(1) == cost(8)


def verify(**options: Any) -> dict[str, Any]:
    """What `verify --context reactions --json` says."""
    out = StringIO()
    with suppress(SystemExit):
        call_command("verify", context=["reactions"], as_json=True, stdout=out, **options)
    return dict(json.loads(out.getvalue())["contexts"][0])


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_drift_in_counts_is_found_and_repaired(register: Callable[..., Person]) -> None:
    alice = register("alice")
    post = write_post(alice)
    comment = write_comment(alice, post)
    react(alice, post, "like")
    react(alice, comment, "sad")
    assert verify() == {"context": "reactions", "compared": 2, "in_flight": 0, "drifts": []}
    ReactionCount.objects.filter(target_type="post").update(count=7)
    ReactionCount.objects.filter(target_type="comment").delete()
    assert len(verify()["drifts"]) == 2
    assert alice.client.get(post).json()["reactions"]["like"] == 7, "verify without --repair changes nothing"
    drifts = verify(repair=True)["drifts"]
    assert [(drift["projection"], drift["held"], drift["actual"]) for drift in drifts] == [
        ("like on post", "7", "1"),
        ("sad on comment", "0", "1"),
    ]
    assert verify()["drifts"] == []
    assert alice.client.get(post).json()["reactions"]["like"] == 1
    assert alice.client.get(comment).json()["reactions"]["sad"] == 1
    ReactionCount.objects.filter(target_type="post", count=1).update(count=3)
    tasks.check_counts()
    assert alice.client.get(post).json()["reactions"]["like"] == 1
