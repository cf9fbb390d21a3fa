"""A page of fifty costs as many statements and round trips as a page of one: on every list that the API has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from socialapp.core.cache import redis_client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.query_budgets.counting import Cost, Meter, meter
from tests.query_budgets.dataset import Dataset, build, make_searchable

__all__ = ["meter"]
pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@dataclass(frozen=True)
class Listed:
    """How a list is asked for in the dataset: path and query, by whom, and the pages that are compared."""

    ask: Callable[[Dataset], str]
    by: str = "reader"
    least: int = 1
    most: int = 50


@dataclass(frozen=True)
class Listing:
    """A list route as the schema has it."""

    path: str
    takes_ids: bool
    is_public: bool


# Every list of the API. What takes ids is given 1 and 50 of them; all else is asked with limit=1 and limit=50.
LISTS: dict[str, list[Listed]] = {
    "/v1/appeals": [Listed(lambda dataset: "/v1/appeals", by="scolded")],
    "/v1/auth/sessions": [Listed(lambda dataset: "/v1/auth/sessions")],
    "/v1/blocks": [Listed(lambda dataset: "/v1/blocks", by="hermit")],
    "/v1/bookmarks": [Listed(lambda dataset: "/v1/bookmarks")],
    "/v1/comments/{comment_id}/reactions": [Listed(lambda dataset: f"/v1/comments/{dataset.comment_id}/reactions")],
    "/v1/comments/{comment_id}/replies": [Listed(lambda dataset: f"/v1/comments/{dataset.comment_id}/replies")],
    "/v1/feed": [Listed(lambda dataset: "/v1/feed")],
    "/v1/follow-requests": [Listed(lambda dataset: "/v1/follow-requests", by="shy")],
    "/v1/hashtags/{tag}/posts": [Listed(lambda dataset: "/v1/hashtags/market/posts")],
    "/v1/hashtags/trending": [Listed(lambda dataset: "/v1/hashtags/trending")],
    "/v1/moderation/actions": [Listed(lambda dataset: "/v1/moderation/actions", by="scolded")],
    "/v1/mutes": [Listed(lambda dataset: "/v1/mutes", by="sleeper")],
    "/v1/notifications": [
        Listed(lambda dataset: "/v1/notifications", by="newcomer"),
        # One call for each kind of target on the page: compared are pages that have every kind.
        Listed(lambda dataset: "/v1/notifications?unread=true", least=10),
    ],
    "/v1/posts": [Listed(lambda dataset: "/v1/posts")],
    "/v1/posts/{post_id}/comments": [
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/comments?sort=oldest"),
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/comments?sort=newest"),
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/comments?sort=top"),
    ],
    "/v1/posts/{post_id}/history": [Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/history")],
    "/v1/posts/{post_id}/reactions": [
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/reactions"),
        Listed(lambda dataset: f"/v1/posts/{dataset.post_id}/reactions?type=like"),
    ],
    "/v1/profiles": [Listed(lambda dataset: "/v1/profiles")],
    "/v1/profiles/{profile_id}/posts": [Listed(lambda dataset: f"/v1/profiles/{dataset.author.id}/posts")],
    "/v1/profiles/{user_id}/followers": [Listed(lambda dataset: f"/v1/profiles/{dataset.reader.id}/followers")],
    "/v1/profiles/{user_id}/following": [Listed(lambda dataset: f"/v1/profiles/{dataset.reader.id}/following")],
    "/v1/profiles/suggestions": [Listed(lambda dataset: "/v1/profiles/suggestions", by="newcomer")],
    "/v1/push-subscriptions": [Listed(lambda dataset: "/v1/push-subscriptions", most=20)],
    "/v1/relationships": [Listed(lambda dataset: "/v1/relationships")],
    "/v1/reports": [Listed(lambda dataset: "/v1/reports")],
    "/v1/search": [
        Listed(lambda dataset: "/v1/search?q=crowd&type=users"),
        Listed(lambda dataset: "/v1/search?q=needle&type=posts"),
        Listed(lambda dataset: "/v1/search?q=market&type=hashtags"),
        Listed(lambda dataset: "/v1/search?q=needle"),
    ],
    "/v1/search/suggest": [
        Listed(lambda dataset: "/v1/search/suggest?q=crowd", most=20),
        Listed(lambda dataset: "/v1/search/suggest?q=market", most=20),
    ],
}


def test_a_page_of_fifty_costs_what_a_page_of_one_costs(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient, meter: Meter
) -> None:
    listings = {listing.path: listing for listing in _listings()}
    assert listings.keys() == LISTS.keys(), "a list of the API is not measured here, or no longer exists"
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
                        grown.append(_told(f"{large} by {viewer}, {state} Redis", one, many))
    assert not grown, "\n".join(grown)


def _listings() -> Iterator[Listing]:
    """Every GET of the schema whose answer has `results`."""
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
    """The same list asked for as few and for as many as are compared."""
    path = way.ask(dataset)
    if listing.takes_ids:
        ids = dataset.crowd_posts if path == "/v1/posts" else [person.id for person in dataset.crowd]
        return f"{path}?ids={ids[0]}", f"{path}?ids={','.join(ids[: way.most])}"
    joint = "&" if "?" in path else "?"
    return f"{path}{joint}limit={way.least}", f"{path}{joint}limit={way.most}"


def _cost(meter: Meter, client: JsonClient, url: str, *, warm: str, state: str, expected: int) -> Cost:
    """What `url` costs, after it was asked once: with all that was then cached, or with nothing left in Redis."""
    client.get(warm)
    client.get(url)
    if state == "empty":
        redis_client().flushdb()
    with meter.reading() as cost:
        answer = client.get(url)
    assert answer.status_code == 200, (url, answer.content)
    assert len(answer.json()["results"]) == expected, (url, answer.content)
    return cost


def _told(what: str, one: Cost, many: Cost) -> str:
    numbers = f"{one.numbers()} for few, {many.numbers()} for many"
    return f"{what}: {numbers}\n  few\n{one.details()}\n  many\n{many.details()}"
