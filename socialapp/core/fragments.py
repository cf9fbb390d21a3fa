"""Fragments: what one context says about one id, kept in Redis for seconds, so that lists need not ask that context.

A context names a fragment in its contract and calls `forget` where it changes what the fragment says; whoever shows
it names how it is loaded, several of one context with one call, and `read` does the rest. Redis decides nothing: a
fragment is for counts and for what people did themselves, never for who may see what, nor for anything that erasure
must take out of sight at once.

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


# KEYS: a list whose entries begin with ids, then fragments of other ids. ARGV: how many entries to look at, then what
# the keys of fragments begin with. Answers these ids, and what the fragments hold: by beginning, then those of KEYS.
_HELD_OF_LIST = Script("""
local ids, keys = {}, {}
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, ARGV[1] - 1)) do
  ids[#ids + 1] = string.match(entry, '^%d+')
end
for prefix = 2, #ARGV do
  for _, id in ipairs(ids) do keys[#keys + 1] = ARGV[prefix] .. id end
end
for own = 2, #KEYS do keys[#keys + 1] = KEYS[own] end
return {table.concat(ids, ','), redis.call('MGET', unpack(keys))}
""")

Held = Mapping[str, bytes | None]
NOTHING_HELD: Held = {}


def keys_of(fragment: str, *, ids: Iterable[int | str]) -> list[str]:
    """Where Redis holds the fragment of each of the ids."""
    prefix = _prefix(fragment)
    return [f"{prefix}{about}" for about in ids]


def held_command(keys: Sequence[str]) -> Command:
    """What asks for fragments before they are read; the answer is for `held_of`."""
    return ("MGET", *keys)


def held_of(keys: Sequence[str], *, answer: Sequence[bytes | None]) -> Held:
    """What Redis has answered to `held_command`, for `read`."""
    return dict(zip(keys, answer, strict=True))


def held_of_list_command(list_key: str, *, entries: int, fragments: Sequence[str], keys: Sequence[str]) -> Command:
    """What asks for the fragments of the ids at the head of a list in Redis, and of `keys`, of which there is one."""
    return _HELD_OF_LIST.command(keys=[list_key, *keys], arguments=[entries, *map(_prefix, fragments)])


def held_of_list(answer: tuple[bytes, list[bytes | None]], *, fragments: Sequence[str], keys: Sequence[str]) -> Held:
    """What Redis has answered to `held_of_list_command`, for `read`."""
    ids = answer[0].decode().split(",") if answer[0] else []
    of_list = [key for fragment in fragments for key in keys_of(fragment, ids=ids)]
    return held_of([*of_list, *keys], answer=answer[1])


def forget(fragment: str, *, ids: Iterable[int], context: str) -> None:
    """Has the fragment of the ids asked for again once the open transaction on `context` has committed."""
    keys = keys_of(fragment, ids=sorted(set(ids)))
    if keys and settings.FRAGMENT_SECONDS:
        after_commit(context, callback=partial(_forget, keys))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fragment of some ids, in JSON and never null; it is `default` for an id about which nothing is said."""

    fragment: str
    ids: Sequence[int]
    default: Any


@dataclass(frozen=True, slots=True)
class Source:
    """Fragments of one context. `load` takes the ids for which Redis lacks each of them, and says what they are."""

    wanted: Sequence[Wanted]
    load: Callable[..., Sequence[Mapping[int, Any]]]


def read(*sources: Source, held: Held = NOTHING_HELD) -> list[dict[int, Any]]:
    """What is said about the ids of each fragment of the sources. One round trip when all of it is there; none for what
    is `held`, which Redis answered a moment ago.

    Without Redis everything is loaded; what its context cannot say at the moment (Unavailable) is the default.
    """
    keys = [key for source in sources for one in source.wanted for key in keys_of(one.fragment, ids=one.ids)]
    said = iter(_fetch(keys, held))
    found = [[dict(zip(one.ids, said, strict=False)) for one in source.wanted] for source in sources]
    lacking = [
        (source, some)
        for source, some in zip(sources, found, strict=True)
        if any(None in values.values() for values in some)
    ]
    if lacking:
        _complete(lacking)
    return [values for some in found for values in some]


def _fetch(keys: list[str], held: Held) -> list[Any]:
    """What Redis holds under each key, None where it holds nothing or a lease."""
    if not settings.FRAGMENT_SECONDS:
        return [None] * len(keys)
    if unasked := [key for key in keys if key not in held]:
        held = {**held, **_ask(unasked)}
    values = [held[key] for key in keys]
    texts = [b"null" if value is None or value[:1] == _LEASED else value for value in values]
    found: list[Any] = orjson.loads(b"[" + b",".join(texts) + b"]")  # at once: there are dozens
    return found


def _ask(keys: list[str]) -> Held:
    try:
        return held_of(keys, answer=round_trip(held_command(keys))[0])
    except redis.RedisError as error:
        log.warning("fragments.redis_away", error=str(error))
        return dict.fromkeys(keys)


def _complete(lacking: Sequence[tuple[Source, Sequence[dict[int, Any]]]]) -> None:
    """Adds what contexts say about the ids that Redis holds nothing about, and leaves it in Redis. Two round trips."""
    lease, leased = _lease(
        [
            key
            for source, found in lacking
            for one, values in zip(source.wanted, found, strict=True)
            for key in keys_of(one.fragment, ids=_missing(values))
        ]
    )
    loaded: dict[str, Any] = {}
    for source, found in lacking:
        missing = [_missing(values) for values in found]
        said = _load(source, missing)
        for number, one in enumerate(source.wanted):
            ids = missing[number]
            found[number].update(
                (about, said[number].get(about, one.default) if said else one.default) for about in ids
            )
            if said:
                loaded |= zip(keys_of(one.fragment, ids=ids), (found[number][about] for about in ids), strict=True)
    _fill(lease, values={key: value for key, value in loaded.items() if key in leased})


def _missing(values: Mapping[int, Any]) -> list[int]:
    return [about for about, value in values.items() if value is None]


def _load(source: Source, missing: Sequence[list[int]]) -> Sequence[Mapping[int, Any]] | None:
    """What the context says about the missing ids of each of its fragments; None while it is unavailable."""
    try:
        with up_to_date():  # what a replica lacks would be missing until the fragment expires
            return source.load(*missing)
    except Unavailable as error:
        log.warning("fragments.missing", fragments=[one.fragment for one in source.wanted], error=str(error))
        return None


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


def _prefix(fragment: str) -> str:
    return f"{settings.REDIS_PREFIX}fragment:{fragment}:"


def _forget(keys: Sequence[str]) -> None:
    try:
        round_trip(("DEL", *keys))
    except redis.RedisError as error:
        log.warning("fragments.not_forgotten", error=str(error))
