"""Lists of comments: orders, pages that neither skip nor repeat, and a constant number of queries."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.comments.models import Comment
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import OutboxEvent
from tests.comments.factories import comment_on, write_post
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@contextmanager
def all_queries() -> Iterator[list[CaptureQueriesContext]]:
    """Captures the queries on every database."""
    with ExitStack() as stack:
        yield [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in ALL_CONTEXTS]


def page_ids(answer: Any) -> list[str]:
    """The ids on a page."""
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def local(url: str) -> str:
    """The path of an absolute link."""
    return url.removeprefix("http://testserver")


def test_orders(register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    post = write_post(alice)
    one, two, three = (comment_on(alice, post, text)["id"] for text in ("one", "two", "three"))
    for person, comment in ((bob, two), (carol, two), (bob, one)):
        assert person.client.put(f"/v1/comments/{comment}/reaction", {"reaction_type": "like"}).status_code == 200
    drain()
    path = f"/v1/posts/{post}/comments"
    assert page_ids(anonymous.get(path)) == [one, two, three]
    assert page_ids(anonymous.get(f"{path}?sort=oldest")) == [one, two, three]
    assert page_ids(anonymous.get(f"{path}?sort=newest")) == [three, two, one]
    assert page_ids(anonymous.get(f"{path}?sort=top")) == [two, one, three]
    bob.client.put(f"/v1/comments/{two}/reaction", {"reaction_type": "love"})
    carol.client.delete(f"/v1/comments/{two}/reaction")
    bob.client.delete(f"/v1/comments/{two}/reaction")
    drain()
    assert page_ids(anonymous.get(f"{path}?sort=top")) == [one, three, two]
    refused = anonymous.get(f"{path}?sort=best")
    assert (refused.status_code, refused.json()["code"]) == (400, "sort_invalid")


@pytest.mark.parametrize("sort", ["oldest", "newest", "top"])
def test_pages_neither_skip_nor_repeat_while_others_comment(
    register: Callable[..., Person], drain: Callable[[], int], sort: str
) -> None:
    alice = register("alice")
    post = write_post(alice)
    ids = [comment_on(alice, post, str(number))["id"] for number in range(7)]
    for comment in ids[::3]:
        alice.client.put(f"/v1/comments/{comment}/reaction", {"reaction_type": "haha"})
    drain()
    expected = page_ids(alice.client.get(f"/v1/posts/{post}/comments?sort={sort}"))
    seen: list[str] = []
    url: str | None = f"/v1/posts/{post}/comments?sort={sort}&limit=2"
    last = None
    while url:
        answer = alice.client.get(local(url))
        seen += page_ids(answer)
        last = answer.json()
        url = last["next"]
        if len(seen) < 7:
            comment_on(alice, post, "meanwhile")
    assert [comment for comment in seen if comment in ids] == expected
    assert len(seen) == len(set(seen))
    assert last is not None
    back = alice.client.get(local(last["previous"]))
    assert page_ids(back) == seen[-len(page_ids(back)) - len(last["results"]) : -len(last["results"])]


def test_bad_cursors_and_limits_are_400(register: Callable[..., Person], anonymous: JsonClient) -> None:
    post = write_post(register("alice"))
    for query in ("cursor=x", "cursor=WyJuIiwxLDJd", "limit=0", "limit=x"):
        assert anonymous.get(f"/v1/posts/{post}/comments?{query}").status_code == 400


def test_a_page_costs_the_same_whatever_its_size(register: Callable[..., Person]) -> None:
    people = [register(f"person{number}") for number in range(5)]
    post = write_post(people[0])
    roots = [comment_on(people[number % 5], post)["id"] for number in range(50)]
    for number, root in enumerate(roots[:25]):
        comment_on(people[number % 5], post, parent=root)
        people[number % 5].client.put(f"/v1/comments/{root}/reaction", {"reaction_type": "sad"})

    def cost(limit: int) -> list[int]:
        with all_queries() as captured:
            answer = people[1].client.get(f"/v1/posts/{post}/comments?limit={limit}")
        assert len(answer.json()["results"]) == limit
        return [len(queries) for queries in captured]

    cost(1)
    assert cost(1) == cost(50)


def test_the_score_is_right_whatever_arrives_late_or_twice(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    comment = comment_on(alice, write_post(alice))["id"]
    path = f"/v1/comments/{comment}/reaction"
    for person, kind in ((bob, "like"), (bob, "love"), (alice, "sad")):
        assert person.client.put(path, {"reaction_type": kind}).status_code == 200
    assert bob.client.delete(path).status_code == 200
    rows = OutboxEvent.objects.using("reactions").order_by("-id")
    backwards = [decode(row.envelope) for row in rows]
    for envelope in backwards:
        deliver("comments", envelopes=[envelope])
    deliver("comments", envelopes=backwards)
    drain()
    assert Comment.objects.get(id=comment).score == 1
    assert alice.client.delete(f"/v1/comments/{comment}").status_code == 204
    deliver("comments", envelopes=backwards)
    assert not Comment.objects.filter(id=comment).exists(), "a late reaction brings nothing back"
