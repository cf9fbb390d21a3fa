"""Fragments: data of one context about one id, cached in Redis for seconds, so that lists need not call that context.

A context names a fragment in its contract and calls `forget` where it changes the data; readers declare how it is
loaded, several fragments of one context in one call, and use `read`. Redis decides nothing: fragments are for counts
and people's own activity, never for visibility, nor for anything that an erasure must hide immediately.

On a miss, the reader writes a lease, calls the context, and fills only keys that still have its lease: data read
before a change never outlives that change. A `forget` that does not reach Redis is repeated once it is back; if the
process ends before that, the fragment is wrong for at most `FRAGMENT_SECONDS`.
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
from socialapp.core.errors import Unavailable
from socialapp.core.hints import send_after_commit
from socialapp.core.replicas import up_to_date
from socialapp.core.resending import Resender

log = structlog.get_logger()

_LEASE_SECONDS = 5
_LEASED = b"?"  # no JSON begins so
_deleting = Resender(lambda keys: round_trip(("DEL", *keys)), name="fragments")

# KEYS: fragments. ARGV: the lease, seconds, then the value of each key. Skips keys invalidated meanwhile.
_FILL = Script("""
for index, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then redis.call('SET', key, ARGV[index + 2], 'EX', ARGV[2]) end
end
""")


# KEYS: a list whose entries begin with ids, then fragments of other ids. ARGV: how many entries to read, then the
# prefixes of fragments' keys. Returns these ids, and the values of the fragments: by prefix, then those of KEYS.
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
    """The Redis keys of the fragment for the ids."""
    prefix = _prefix(fragment)
    return [f"{prefix}{about}" for about in ids]


def held_command(keys: Sequence[str]) -> Command:
    """The command that prefetches fragments; its answer is for `held_of`."""
    return ("MGET", *keys)


def held_of(keys: Sequence[str], *, answer: Sequence[bytes | None]) -> Held:
    """The cached values in Redis' answer to `held_command`, for `read`."""
    return dict(zip(keys, answer, strict=True))


def held_of_list_command(list_key: str, *, entries: int, fragments: Sequence[str], keys: Sequence[str]) -> Command:
    """The command that prefetches fragments of the first ids in a Redis list, and of `keys`, of which there is one."""
    return _HELD_OF_LIST.command(keys=[list_key, *keys], arguments=[entries, *map(_prefix, fragments)])


def held_of_list(answer: tuple[bytes, list[bytes | None]], *, fragments: Sequence[str], keys: Sequence[str]) -> Held:
    """The cached values in Redis' answer to `held_of_list_command`, for `read`."""
    ids = answer[0].decode().split(",") if answer[0] else []
    of_list = [key for fragment in fragments for key in keys_of(fragment, ids=ids)]
    return held_of([*of_list, *keys], answer=answer[1])


def forget(fragment: str, *, ids: Iterable[int], context: str) -> None:
    """Invalidates the fragment of the ids once the open transaction on `context` has committed."""
    keys = keys_of(fragment, ids=sorted(set(ids)))
    if keys and settings.FRAGMENT_SECONDS:
        seconds = settings.FRAGMENT_SECONDS + _LEASE_SECONDS
        send_after_commit(context, ("DEL", *keys), if_lost=partial(_deleting.send_later, keys, seconds=seconds))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fragment of some ids, in JSON and never null; `default` for ids without data."""

    fragment: str
    ids: Sequence[int]
    default: Any


@dataclass(frozen=True, slots=True)
class Source:
    """Fragments of one context. `load` takes the ids missing for each of them, and returns their data."""

    wanted: Sequence[Wanted]
    load: Callable[..., Sequence[Mapping[int, Any]]]


def read(*sources: Source, held: Held = NOTHING_HELD) -> list[dict[int, Any]]:
    """The data of each of the sources' fragments, by id. One round trip if all of it is cached; none for what is in
    `held`, which was prefetched.

    Without Redis everything is loaded; if the context is unavailable, the default is used.
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
    """The cached value of each key, None for a missing one or a lease."""
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
    """Adds the data of missing ids from their contexts, and caches it. Two round trips."""
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
    """The context's data of the missing ids for each of its fragments; None while it is unavailable."""
    try:
        with up_to_date():  # data missing on a replica would be missing until the fragment expires
            return source.load(*missing)
    except Unavailable as error:
        log.warning("fragments.missing", fragments=[one.fragment for one in source.wanted], error=str(error))
        return None


def _lease(keys: list[str]) -> tuple[str, set[str]]:
    """A new lease, and the keys that now have it: those that were empty."""
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
