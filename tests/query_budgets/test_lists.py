"""On every list of the API, a page of fifty takes as many statements and round trips as a page of one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from socialapp.core.cache import redis_client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.query_budgets.counting import Cost, Meter, meter
from tests.query_budgets.dataset import Dataset, build, make_searchable
from tests.query_budgets.listings import LISTS, Listed

__all__ = ["meter"]
pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@dataclass(frozen=True)
class Listing:
    """A list route in the schema."""

    path: str
    takes_ids: bool
    is_public: bool


def test_a_page_of_fifty_costs_as_much_as_a_page_of_one(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient, meter: Meter
) -> None:
    listings = {listing.path: listing for listing in _listings()}
    assert listings.keys() == LISTS.keys(), "LISTS must contain exactly the lists of the API"
    dataset = build(register, drain)
    make_searchable()
    grown = []
    for path, ways in LISTS.items():
        for way in ways:
            viewers = {way.by: getattr(dataset, way.by).client}
            if listings[path].is_public:
                viewers["anonymous"] = anonymous
            small, large = _urls(dataset, listings[path], way)
            for viewer, client in viewers.items():
                for state in ("warm", "empty"):
                    one = _cost(meter, client, small, warm=large, state=state, expected=way.least)
                    many = _cost(meter, client, large, warm=large, state=state, expected=way.most)
                    if one.numbers() != many.numbers():
                        grown.append(_described(f"{large} by {viewer}, {state} Redis", one, many))
    assert not grown, "\n".join(grown)


def _listings() -> Iterator[Listing]:
    """Every GET in the schema whose response has `results`."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for path, operations in schema["paths"].items():
        if "get" not in operations:
            continue
        operation = operations["get"]
        if "results" not in _properties(schema, operation["responses"].get("200", {})):
            continue
        names = {parameter["name"] for parameter in operation["parameters"]}
        yield Listing(path, "ids" in names, {} in operation["security"])


def _properties(schema: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    body = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        body = schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = body.get("properties", {})
    return found


def _urls(dataset: Dataset, listing: Listing, way: Listed) -> tuple[str, str]:
    """The URLs of the list's smaller and larger page."""
    path = way.ask(dataset)
    if listing.takes_ids:
        known = {"/v1/posts": dataset.crowd_posts, "/v1/comments": dataset.crowd_comments}
        ids = known.get(path) or [person.id for person in dataset.crowd]
        return f"{path}?ids={ids[0]}", f"{path}?ids={','.join(ids[: way.most])}"
    joint = "&" if "?" in path else "?"
    return f"{path}{joint}limit={way.least}", f"{path}{joint}limit={way.most}"


def _cost(meter: Meter, client: JsonClient, url: str, *, warm: str, state: str, expected: int) -> Cost:
    """The cost of `url` after a first request, with warm caches or with an empty Redis."""
    client.get(warm)
    client.get(url)
    if state == "empty":
        redis_client().flushdb()
    with meter.reading() as cost:
        answer = client.get(url)
    assert answer.status_code == 200, (url, answer.content)
    assert len(answer.json()["results"]) == expected, (url, answer.content)
    return cost


def _described(what: str, one: Cost, many: Cost) -> str:
    numbers = f"{one.numbers()} for few, {many.numbers()} for many"
    return f"{what}: {numbers}\n  few\n{one.details()}\n  many\n{many.details()}"
