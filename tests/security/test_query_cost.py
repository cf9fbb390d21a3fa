"""No reader can cause much more load than usual: a route's most expensive request costs at most ten ordinary ones.

Parameters come from the schema, values from a generator that searches for expensive ones: it keeps and mutates the most
expensive. The seed is fixed, so that every run finds the same.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as configured

from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.query_budgets import dataset
from tests.security.routes import Operation, operations

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

MOST_TIMES = 10
FLOOR_SECONDS = 0.02 if configured.ELASTICSEARCH_URL else 0.004  # cheaper requests count as this expensive
ROUNDS = 25
# Pieces of queries: words of every long text, phrases, groups, filters, and characters that folding expands.
PIECES = [
    "a", "b", "aa", '"a b"', '"a a a a a a a a"', "-b", "OR", "(", ")", "#market", "from:reader", "before:2030-01-01",
    "has:media", "min_reactions:0", "lang:en", "a*", "ﷺ", "東京", "🎉", "“a a”", "crowd", "needle", "\u0301", "x" * 60,
    "@crowd01", "1,000", "-\"a a\"", "İ",
]  # fmt: skip


def test_the_most_expensive_request_costs_at_most_ten_ordinary_ones(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "CROWD", 6)
    people = dataset.build(register, drain)
    for number in range(30):
        text = " ".join(["a", "b", "needle"][: 1 + number % 3] * 1000)[:5000]
        dataset.ok(people.author.client.post("/v1/posts", {"content": text}))
    drain()
    dataset.make_searchable()
    ids = {
        "post_id": people.post_id, "comment_id": people.comment_id, "user_id": people.reader.id, "tag": "market",
        "profile_id": people.author.id, "username": people.reader.username, "provider": "google",
    }  # fmt: skip
    chance = random.Random(9)
    dear = []
    for operation in operations():
        if operation.method != "GET" or not operation.is_public or "export" in operation.path:
            continue
        path = operation.path
        for name in [part.partition("}")[0] for part in path.split("{")[1:]]:
            path = path.replace(f"{{{name}}}", ids.get(name, "12345"))
        ordinary = _ordinary(path, operation, people)
        usual = max(seconds(anonymous, ordinary), FLOOR_SECONDS)
        for url in _dear_requests(path, operation, people, chance, anonymous):
            if seconds(anonymous, url) > MOST_TIMES * usual:
                dear += _still_dear(anonymous, url, ordinary)
    assert not dear, "\n".join(dear)


def _still_dear(client: JsonClient, url: str, ordinary: str) -> list[str]:
    """A line about the request if it is too expensive compared again and again: other work may have delayed it."""
    times = min(seconds(client, url) / max(seconds(client, ordinary), FLOOR_SECONDS) for _ in range(5))
    return [f"{times:.0f} times the ordinary request: {url[:300]}"] if times > MOST_TIMES else []


def seconds(client: JsonClient, url: str) -> float:
    """The cost of the request, best of three: in CPU time, or in elapsed time where another server does the work."""
    clock = time.perf_counter if configured.ELASTICSEARCH_URL else time.thread_time
    times = []
    for _ in range(3):
        started = clock()
        answer = client.get(url)
        times.append(clock() - started)
        assert answer.status_code < 500, (url, answer.content)
        if times[-1] < FLOOR_SECONDS:
            break
    return min(times)


def _names(operation: Operation) -> set[str]:
    return {parameter["name"] for parameter in operation.spec.get("parameters", []) if parameter["in"] == "query"}


def _ordinary(path: str, operation: Operation, people: dataset.Dataset) -> str:
    names = _names(operation)
    if "q" in names:
        return f"{path}?q=needle"
    if "ids" in names:
        return f"{path}?ids={','.join(_known_ids(path, people)[:6])}"
    return path


def _known_ids(path: str, people: dataset.Dataset) -> list[str]:
    return [*people.author_posts, *people.crowd_posts] if "posts" in path else [one.id for one in people.crowd]


def _dear_requests(
    path: str, operation: Operation, people: dataset.Dataset, chance: random.Random, client: JsonClient
) -> Iterator[str]:
    """Potentially expensive URLs: longest and largest of each parameter, all choices, and for `q` the worst found."""
    names = _names(operation)
    found: list[str] = [""]
    for parameter in operation.spec.get("parameters", []):
        schema: dict[str, Any] = parameter.get("schema", {})
        choices = [str(one) for one in schema.get("enum", [])]
        values = {"limit": ["100"], "cursor": ["WyJuIiwxXQ", "WyJwIiw5MjIzMzcyMDM2ODU0Nzc1ODA3XQ"]}
        if parameter["name"] == "ids":
            many = _known_ids(path, people) * 50
            values["ids"] = [",".join(dict.fromkeys([*many, *map(str, range(1, 101))]))[:2000].rsplit(",", 1)[0]]
        for value in values.get(parameter["name"], choices if parameter["in"] == "query" else []):
            found += [f"{one}&{parameter['name']}={value}" for one in found[:4]]
    if "q" not in names:
        yield from (f"{path}?{one.lstrip('&')}" for one in found if one)
        return
    best: list[tuple[float, list[str]]] = [(0.0, ["a"])]
    for _ in range(ROUNDS):
        pieces = list(chance.choice(best)[1])
        for _ in range(chance.randint(1, 8)):
            pieces.insert(chance.randint(0, len(pieces)), chance.choice(PIECES))
        ending = chance.choice([one for one in found if "cursor" not in one])
        url = f"{path}?q={quote(' '.join(pieces)[:500])}{ending}"
        best = sorted([*best, (seconds(client, url), pieces)], reverse=True)[:6]
        yield url
