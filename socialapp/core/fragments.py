"""Fragments: what one context says about one id, kept in Redis for seconds, so that lists need not ask that context.

A context names a fragment in its contract and calls `forget` where it changes what the fragment says; whoever shows
it names how it is loaded, and `read` does the rest. Redis decides nothing: a fragment is for counts and for what people
did themselves, never for who may see what, nor for anything that erasure must take out of sight at once.

Whoever finds none leaves a lease, asks the context, and fills only what still holds the lease: what was asked before a
change never outlives that change. Should a `forget` be lost, the fragment is wrong for `FRAGMENT_SECONDS` at most.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
import redis
import structlog
from django.conf import settings

from socialapp.core.cache import Command, Script, round_trip
from socialapp.core.db import after_commit
from socialapp.core.errors import Unavailable
from socialapp.core.replicas import up_to_date

log = structlog.get_logger()

_LEASE_SECONDS = 5
_LEASED = b"?"  # no JSON begins so

# KEYS: fragments. ARGV: the lease, seconds, then what each key is to hold. Leaves alone what was forgotten meanwhile.
_FILL = Script("""
for index, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then redis.call('SET', key, ARGV[index + 2], 'EX', ARGV[2]) end
end
""")


def keys_of(fragment: str, *, ids: Iterable[int]) -> list[str]:
    """Where Redis holds the fragment of each of the ids."""
    prefix = f"{settings.REDIS_PREFIX}fragment:{fragment}:"
    return [f"{prefix}{about}" for about in ids]


def forget(fragment: str, *, ids: Iterable[int], context: str) -> None:
    """Has the fragment of the ids asked for again once the open transaction on `context` has committed."""
    keys = keys_of(fragment, ids=sorted(set(ids)))
    if keys and settings.FRAGMENT_SECONDS:
        after_commit(context, callback=partial(_forget, keys))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fragment of some ids, in JSON and never null: `load` says it where Redis does not, else it is `default`."""

    fragment: str
    ids: Sequence[int]
    load: Callable[[list[int]], Mapping[int, Any]]
    default: Any


def read(*wanted: Wanted, along: Sequence[Command] = ()) -> list[dict[int, Any]]:
    """What is said about the ids of each of the `wanted`. One round trip when all of it is there.

    `along` are commands that are sent with it, whose answers nobody waits for.

    Without Redis everything is loaded; what its context cannot say at the moment (Unavailable) is the default.
    """
    keys = [key for one in wanted for key in keys_of(one.fragment, ids=one.ids)]
    said = iter(_fetch(keys, along))
    found = [dict(zip(one.ids, said, strict=False)) for one in wanted]
    return [
        _complete(one, values) if None in values.values() else values for one, values in zip(wanted, found, strict=True)
    ]


def _fetch(keys: list[str], along: Sequence[Command]) -> list[Any]:
    """What Redis holds under each key, None where it holds nothing or a lease."""
    is_on = bool(keys and settings.FRAGMENT_SECONDS)
    if not (is_on or along):
        return [None] * len(keys)
    try:
        *_, values = round_trip(*along, *([("MGET", *keys)] if is_on else []))
    except redis.RedisError as error:
        log.warning("fragments.redis_away", error=str(error))
        return [None] * len(keys)
    if not is_on:
        return [None] * len(keys)
    texts = [b"null" if value is None or value[:1] == _LEASED else value for value in values]
    found: list[Any] = orjson.loads(b"[" + b",".join(texts) + b"]")  # at once: there are dozens
    return found


def _complete(one: Wanted, values: dict[int, Any]) -> dict[int, Any]:
    """With what its context says about the ids that Redis holds nothing about."""
    missing = [about for about, value in values.items() if value is None]
    lease, leased = _lease(keys_of(one.fragment, ids=missing))
    try:
        with up_to_date():  # what a replica lacks would be missing for as long as the fragment lives
            loaded = one.load(missing)
    except Unavailable as error:
        log.warning("fragments.missing", fragment=one.fragment, error=str(error))
        return values | dict.fromkeys(missing, one.default)
    said = {about: loaded.get(about, one.default) for about in missing}
    keys = dict(zip(keys_of(one.fragment, ids=missing), missing, strict=True))
    _fill(lease, values={key: said[about] for key, about in keys.items() if key in leased})
    return values | said


def _lease(keys: list[str]) -> tuple[str, set[str]]:
    """A new lease, and the keys that now hold it: those that were empty."""
    lease = f"?{secrets.token_hex(8)}"
    if not settings.FRAGMENT_SECONDS:
        return lease, set()
    try:
        answers = round_trip(*(("SET", key, lease, "NX", "EX", _LEASE_SECONDS) for key in keys))
    except redis.RedisError:
        return lease, set()
    return lease, {key for key, answer in zip(keys, answers, strict=True) if answer}


def _fill(lease: str, *, values: Mapping[str, Any]) -> None:
    if not values:
        return
    try:
        _FILL.run(keys=[*values], arguments=[lease, settings.FRAGMENT_SECONDS, *map(orjson.dumps, values.values())])
    except redis.RedisError as error:
        log.info("fragments.not_filled", error=str(error))


def _forget(keys: Sequence[str]) -> None:
    try:
        round_trip(("DEL", *keys))
    except redis.RedisError as error:
        log.warning("fragments.not_forgotten", error=str(error))
