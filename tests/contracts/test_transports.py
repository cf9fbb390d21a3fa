"""Every method of every contract returns the same in process and over HTTP."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import httpx
import pytest
import time_machine

from apps.auth.models import User
from apps.metrics.actions import roll_up
from apps.moderation.actions import set_instance_rule
from apps.moderation.models import Block, WordRule
from apps.posts.models import Media, Post
from socialapp.contracts.bulk import KINDS, Population
from socialapp.contracts.drift import DriftPage
from socialapp.contracts.messaging import EventRef
from socialapp.contracts.moderation import ContentRemoved
from socialapp.contracts.registry import CONTRACTS
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import atomic
from socialapp.core.errors import Problem
from socialapp.core.json import to_json
from socialapp.messaging.publish import publish
from socialapp.rpc import calls
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

UNKNOWN = 12345
REQUEST = "a-request-of-ada"


def contexts_of(name: str) -> list[str]:
    """The contexts that implement a contract."""
    return [context for context in CONTEXTS if (context, name) in calls._implementations]


CALLS = [
    (context, contract, method)
    for contract, declared in sorted(CONTRACTS.items())
    for method, function in vars(declared).items()
    if hasattr(function, "__call_kind__")
    for context in contexts_of(contract)
]


@dataclass
class World:
    """Data of all kinds: ada's posts, bob's comment and reaction, and follows, mutes and blocks."""

    ada: int
    bob: int
    eve: int
    post: int
    private: int
    comment: int
    removed_post: int
    removed_comment: int
    picture: int

    def arguments(self, context: str, contract: str, parameter: str) -> list[Any]:
        """Values for a parameter; a method is called with each of them."""
        people, posts = [self.ada, self.bob, self.eve, UNKNOWN], [self.post, self.private, UNKNOWN]
        kind = next((kind for kind, holders in KINDS.items() if context in holders), "user")
        of_records = {"user": people, "post": posts, "comment": [self.comment]}.get(kind, [])
        named: dict[str, list[Any]] = {
            "viewer_id": [None, self.bob, self.eve],
            "user_id": [self.ada, UNKNOWN],
            "muted_id": [self.eve],
            "post_id": [self.post, self.private, UNKNOWN],
            "media_id": [None, UNKNOWN],
            "media_ids": [[self.picture, UNKNOWN], []],
            "ids": [of_records if contract == "BulkTransfer" else people, []],
            "user_ids": [people, []],
            "pairs": [[(actor, person) for actor in people for person in people], []],
            "author_ids": [people, []],
            "people_ids": [people, []],
            "post_ids": [[*posts, self.removed_post], []],
            "comment_id": [None, self.comment, UNKNOWN],
            "comment_ids": [[self.comment, self.removed_comment, UNKNOWN], []],
            "target_type": ["post"],
            "target_ids": [posts, []],
            "moderator_id": [self.ada],  # about herself: rejected, so that nothing changes
            "target_id": [self.removed_post],
            "author_id": [self.ada, None],
            "tag": ["welt", ""],
            "reason": ["spam"],
            "action_id": [UNKNOWN],
            "text": ["please"],
            "email_domain": ["example.org"],
            "address": ["192.0.2.7"],
            "discovering": [False, True],
            "moment": [datetime.now(UTC)],
            "usernames": [["ada", "BOB", "nobody", "Zoë & Co?"]],
            "after": [""] if contract in ("BulkTransfer", "DriftChecks") else [0],
            "repair": [False],
            "limit": [2, 100],
            "days": [3],
            "hours": [3],
            "span": ["day", "month"],
            "is_profile": [False, True],
            "is_held": [False, True],
            "full_name": ["Ada"],
            "bio": [""],
            "is_private": [False],
            "is_discoverable": [True, False],
            "deactivated_at": [None],
            "at": [datetime.now(UTC)],
            "known": [None, ["0" * 64]],
            "withheld_ids": [[], [self.comment]],
            "offset": [0],
            "shown_at": [None, datetime(2026, 11, 1, tzinfo=UTC)],
            "kind": [kind],
            "records": [[{"id": "12", "no": "such record"}], []],
            "request_id": [REQUEST, "unknown"],
            "population": [Population(people=1, posts=1, comments=1, reactions=1, until_ms=1, password_hash="")],
            "events": [[EventRef(id=1, type="auth.user_registered.v1"), EventRef(id=2, type="no.such.thing.v1")]],
        }
        return named[parameter]


@pytest.fixture
def world(register: Callable[..., Person], drain: Callable[[], int]) -> World:
    """The world, with all events delivered."""
    ada, bob, eve = register("ada"), register("bob"), register("eve")
    for path in (f"/v1/profiles/{ada.id}/follow", f"/v1/profiles/{eve.id}/mute"):
        assert bob.client.put(path).status_code == 200
    assert ada.client.put(f"/v1/profiles/{eve.id}/block").status_code == 200
    User.objects.filter(id=int(ada.id)).update(email_verified=True)
    written = {"content": 'Grüße, @bob! #welt 🧮 " & ? =', "is_private": False}
    post = ada.client.post("/v1/posts", written, X_Request_ID=REQUEST).json()["id"]
    private = ada.client.post("/v1/posts", {"content": "among us", "is_private": True}).json()["id"]
    assert bob.client.put(f"/v1/posts/{post}/repost").status_code == 200
    comment = bob.client.post(f"/v1/posts/{post}/comments", {"content": "Ja"}).json()["id"]
    assert bob.client.put(f"/v1/posts/{post}/reaction", {"reaction_type": "love"}).status_code == 200
    picture = _picture(ada, shown_in=Media.Place.POST, post_id=int(post))
    _picture(bob, shown_in=Media.Place.COMMENT, post_id=int(post), comment_id=int(comment))
    assert ada.client.patch(f"/v1/posts/{private}", {"content": "among friends"}).status_code == 200
    Post.objects.filter(id=int(post)).update(media=[picture.shown()])
    removed = {
        "post": ada.client.post("/v1/posts", {"content": "buy this"}).json()["id"],
        "comment": bob.client.post(f"/v1/posts/{post}/comments", {"content": "and that"}).json()["id"],
    }
    WordRule.objects.create(pattern="please", action=WordRule.Effect.REJECT)
    Block.objects.create(kind=Block.Kind.EMAIL_DOMAIN, value="example.org")
    set_instance_rule(moderator_id=1, number=1, text="Be kind: “no” — ever.")
    with atomic("moderation"):
        for number, (kind, key) in enumerate(removed.items()):
            author_id = int(ada.id if kind == "post" else bob.id)
            publish(
                ContentRemoved(
                    target_type=kind, target_id=int(key), author_id=author_id, action_id=number, reason="spam"
                )
            )
    assert eve.client.get("/v1/feed").json()["results"] == []  # puts the feed into Redis
    drain()
    roll_up(older_than=timedelta(0))
    drain()
    removed_ids = (removed["post"], removed["comment"])
    return World(*map(int, (ada.id, bob.id, eve.id, post, private, comment, *removed_ids, picture.id)))


def _picture(owner: Person, **shown: Any) -> Media:
    return Media.objects.create(
        user_id=int(owner.id),
        status=Media.Status.READY,
        size=1000,
        content_hash="cd" * 32,
        files={
            size: {"digest": "ab" * 16, "extension": "webp", "width": 40, "height": 30} for size in ("large", "small")
        },
        created_at=datetime.now(UTC),
        **shown,
    )


@pytest.fixture
def over_http(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Sends all further calls as HTTP requests to this process."""
    from socialapp.wsgi import application

    def switch() -> None:
        calls._client.cache_clear()
        monkeypatch.setattr(calls, "serves", lambda name: False)
        http = httpx.Client(transport=httpx.WSGITransport(app=application), base_url="http://127.0.0.1")
        monkeypatch.setattr(calls, "_http_client", lambda: http)

    with pytest.MonkeyPatch.context() as urls:
        from django.conf import settings

        urls.setattr(settings, "SERVICE_URLS", dict.fromkeys(CONTEXTS, "http://127.0.0.1"))
        urls.setattr(settings, "CALL_TIMEOUT", 60.0)  # a busy machine must not look like an outage
        yield switch
    calls._client.cache_clear()


def outcome(call: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """The result of a call, or the problem that it raises.

    Where a check of feeds goes on is a cursor of Redis' SCAN, which changes with any other key.
    """
    try:
        result = call(**arguments)
        if isinstance(result, DriftPage) and result.next:
            return replace(result, next=result.next.partition(":")[0])
        return result
    except Problem as problem:
        return type(problem), problem.code, problem.detail, problem.errors, problem.retry_after


def combinations(world: World, context: str, contract: str, method: str) -> Iterator[dict[str, Any]]:
    """Arguments for a method: the first value of each parameter, then each other value in turn."""
    function = getattr(CONTRACTS[contract], method)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    types = calls.argument_types(CONTRACTS[contract], method=method)
    tables: list[Any] = client(CONTRACTS["DataExport"], context=context).tables() if "table" in names else []
    values = {
        name: [*tables, "no_such_table"] if name == "table" else world.arguments(context, contract, name)
        for name in names
    }
    values = {
        name: [option for option in options if option is not None or type(None) in get_args(types[name])]
        for name, options in values.items()
    }
    first = {name: options[0] for name, options in values.items()}
    yield first
    for name, options in values.items():
        for option in options[1:]:
            yield {**first, name: option}


# Methods whose second call returns something else, or changes what others return.
_CHANGING = {
    ("Posts", "release_from_comment"),
    ("PopulationTables", "fill"),
    *(("Users", name) for name in ("hide", "deactivate", "is_private_since", "fill_profile", "follow_by_name")),
}


def test_all_contracts_are_tested() -> None:
    assert {contract for _, contract, _ in CALLS} == CONTRACTS.keys()
    assert len(CALLS) > 40


def test_results_are_the_same_over_both_transports(world: World, over_http: Callable[[], None], settings: Any) -> None:
    """Data classes are compared with `==`, API objects as rendered by the API."""
    settings.POPULAR_FOLLOWERS = 0
    settings.FRAGMENT_SECONDS = 0  # otherwise the second calls find fragments that the first ones cached
    asked = [
        (context, contract, method, arguments)
        for context, contract, method in CALLS
        for arguments in combinations(world, context, contract, method)
        if (contract, method) not in _CHANGING
    ]
    with time_machine.travel(datetime.now(UTC).replace(minute=30)):  # figures name the hour, which must not change
        local = [outcome(_method(*call[:3]), call[3]) for call in asked]
        over_http()
        remote = [outcome(_method(*call[:3]), call[3]) for call in asked]
    for call, here, there in zip(asked, local, remote, strict=True):
        assert type(here) is type(there), call
        if isinstance(here, list) and here and isinstance(here[0], dict):
            assert to_json(here) == to_json(there), call
        else:
            assert here == there, call
    empty = {(contract, method) for (_, contract, method, _), here in zip(asked, local, strict=True) if not here}
    full = {(contract, method) for (_, contract, method, _), here in zip(asked, local, strict=True) if here}
    assert empty <= full, "for each method, at least one result must not be empty"


def test_a_write_has_the_same_effect_over_http(world: World, over_http: Callable[[], None]) -> None:
    over_http()
    users: Any = client(CONTRACTS["Users"])
    assert [card.id for card in users.profiles(ids=[world.eve])] == [world.eve]
    users.hide(user_id=world.eve)
    assert users.profiles(ids=[world.eve]) == []


def test_long_lists_can_be_passed(world: World, over_http: Callable[[], None]) -> None:
    """They exceed the limit of a URL's length, so they are sent in the body."""
    over_http()
    ids = [*range(2**62, 2**62 + 5000), world.ada]
    users: Any = client(CONTRACTS["Users"])
    assert [card.id for card in users.profiles(ids=ids)] == [world.ada]


def _method(context: str, contract: str, method: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(client(CONTRACTS[contract], context=context), method)
    return found
