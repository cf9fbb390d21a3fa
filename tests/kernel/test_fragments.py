"""Fragments in Redis are never older than a change, never block one, and are optional."""

from collections.abc import Callable
from typing import Any

import pytest

from socialapp.contracts.reactions import OWN_REACTIONS
from socialapp.core import fragments
from socialapp.core.cache import redis_client, round_trip
from socialapp.core.fragments import Source, Wanted, forget, keys_of
from tests.conftest import ALL_CONTEXTS, Person
from tests.scenarios.product import eventually

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

_HEIGHTS = "heights"


def _read(load: Callable[[list[int]], dict[int, Any]]) -> dict[int, Any]:
    return fragments.read(Source([Wanted(_HEIGHTS, [1, 2], 0)], lambda ids: [load(ids)]))[0]


def test_a_fragment_is_cached_until_it_is_invalidated(settings: Any) -> None:
    asked: list[list[int]] = []

    def load(ids: list[int]) -> dict[int, int]:
        asked.append(ids)
        return {1: 10 * len(asked)}

    assert (_read(load), _read(load), asked) == ({1: 10, 2: 0}, {1: 10, 2: 0}, [[1, 2]])
    forget(_HEIGHTS, ids=[1], context="posts")
    assert (_read(load), asked[1:]) == ({1: 20, 2: 0}, [[1]])
    assert 0 < redis_client().ttl(keys_of(_HEIGHTS, ids=[1])[0]) <= settings.FRAGMENT_SECONDS


def test_a_fragment_loaded_before_a_change_is_not_cached() -> None:
    def load_while_it_changes(ids: list[int]) -> dict[int, int]:
        forget(_HEIGHTS, ids=[1], context="posts")
        return dict.fromkeys(ids, 10)

    assert _read(load_while_it_changes) == {1: 10, 2: 10}
    assert _read(lambda ids: dict.fromkeys(ids, 20)) == {1: 20, 2: 10}


def test_of_two_concurrent_loads_the_first_is_cached() -> None:
    def load_slowly(ids: list[int]) -> dict[int, int]:
        assert _read(lambda missing: dict.fromkeys(missing, 20)) == {1: 20, 2: 20}
        return dict.fromkeys(ids, 10)

    assert _read(load_slowly) == {1: 10, 2: 10}
    assert _read(lambda ids: {}) == {1: 10, 2: 10}


def test_fragments_of_the_first_items_come_with_the_list_and_others_are_fetched() -> None:
    key, own = "some-list", keys_of("own", ids=[3])
    redis_client().rpush(key, "7", "8:5", "9", "=1")
    redis_client().mset(dict.fromkeys(keys_of(_HEIGHTS, ids=[7, 9]), 10) | {own[0]: 30})
    command = fragments.held_of_list_command(key, entries=2, fragments=[_HEIGHTS], keys=own)
    held = fragments.held_of_list(round_trip(command)[0], fragments=[_HEIGHTS], keys=own)
    assert held == dict(zip([*keys_of(_HEIGHTS, ids=[7, 8]), *own], [b"10", None, b"30"], strict=True))
    redis_client().delete(*keys_of(_HEIGHTS, ids=[7]))  # only `held` has it now: Redis must not be asked again
    source = Source([Wanted(_HEIGHTS, [7, 8, 9], 0)], lambda ids: [{8: 20} if ids == [8] else {}])
    assert fragments.read(source, held=held) == [{7: 10, 8: 20, 9: 10}]


def test_without_redis_or_time_left_fragments_are_loaded(settings: Any) -> None:
    settings.FRAGMENT_SECONDS = 0
    assert (_read(lambda ids: {1: 1}), _read(lambda ids: {1: 2})) == ({1: 1, 2: 0}, {1: 2, 2: 0})
    settings.FRAGMENT_SECONDS = 30
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert (_read(lambda ids: {1: 1}), _read(lambda ids: {1: 2})) == ({1: 1, 2: 0}, {1: 2, 2: 0})


def test_counts_are_right_at_once_and_lost_invalidations_do_not_widen_visibility(
    register: Callable[..., Person], drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = register("ada"), register("bob")
    post = ada.client.post("/v1/posts", {"content": "hello"}).json()["id"]
    drain()

    def seen(person: Person) -> tuple[int, int, str | None]:
        body = person.client.get(f"/v1/posts/{post}").json()
        return body["reactions"]["like"], body["comments_count"], body["my_reaction"]

    assert (seen(bob), seen(ada)) == ((0, 0, None), (0, 0, None))
    assert bob.client.put(f"/v1/posts/{post}/reaction", {"reaction_type": "like"}).status_code == 200
    assert bob.client.post(f"/v1/posts/{post}/comments", {"content": "well said"}).status_code == 201
    assert (seen(bob), seen(ada)) == ((1, 1, "like"), (1, 1, None))
    assert bob.client.delete(f"/v1/posts/{post}/reaction").status_code in (200, 204)
    assert seen(bob) == (0, 1, None)
    # as if the process had ended
    monkeypatch.setattr(fragments, "send_after_commit", lambda *commands, **options: None)
    assert bob.client.put(f"/v1/posts/{post}/reaction", {"reaction_type": "love"}).status_code == 200
    redis_client().delete(*keys_of(OWN_REACTIONS, ids=[int(bob.id)]))  # as if it had expired
    assert bob.client.get(f"/v1/posts/{post}").json()["my_reaction"] == "love"
    assert ada.client.put(f"/v1/profiles/{bob.id}/block").status_code in (200, 204)
    assert bob.client.get(f"/v1/posts/{post}").status_code == 404


def test_who_reacts_while_redis_is_unreachable_sees_it_soon_after_its_return(
    register: Callable[..., Person], redis_down: Callable[[bool], None]
) -> None:
    ada = register("ada")
    path = f"/v1/posts/{ada.client.post('/v1/posts', {'content': 'hello'}).json()['id']}"

    def mine() -> Any:
        return ada.client.get(path).json()["my_reaction"]

    assert mine() is None
    redis_down(True)
    assert ada.client.put(f"{path}/reaction", {"reaction_type": "love"}).status_code == 200
    assert mine() == "love"
    redis_down(False)
    eventually(lambda: mine() == "love")


def test_a_lost_deletion_is_repeated_only_until_the_fragment_has_expired(settings: Any, redis_down: Any) -> None:
    settings.FRAGMENT_SECONDS = 0.5 - fragments._LEASE_SECONDS
    redis_down(True)
    forget(_HEIGHTS, ids=[1], context="posts")
    assert fragments._deleting._pending.keys() == set(keys_of(_HEIGHTS, ids=[1]))
    eventually(lambda: fragments._deleting._thread is None)
    assert fragments._deleting._pending == {}
