"""Home feeds in Redis: one list per user, filled by fan-out, which may vanish at any time.

The newest entry is at the head: `<post id>` or, for a repost, `<post id>:<reposter id>`. The last element is a
header that describes the list: `=<following version>:<epoch>:<floor>:<popular ids>`, complete for all posts with ids
greater than the floor; or, while the list is being built, `?<token of the builder>`. The builder creates the list
before it queries the database: a post committed after that is pushed into the list, and one committed before is found
in the database. If that guarantee breaks, because a push failed or Redis lost data, the epoch is raised, which
invalidates all lists built before.
"""

import secrets
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from django.conf import settings

from socialapp.core.cache import Command, Script, redis_client, round_trip

CAP = 800
_FEED_SECONDS = 7 * 86_400
_BUILDING_SECONDS = 10
_EPOCH_SECONDS = 5
_NOBODY = frozenset[int]()
DIRECT = 0  # in place of a reposter: the post is in the feed because of its author

# KEYS: the feed. ARGV: the builder's token, seconds. Returns 1 if the caller shall build.
_BEGIN = Script("""
local last = redis.call('LINDEX', KEYS[1], -1)
if last and string.sub(last, 1, 1) == '?' then return 0 end
redis.call('DEL', KEYS[1])
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
""")

# KEYS: the feed. ARGV: the builder's token, seconds, then entries and the new last element.
_FINISH = Script("""
if redis.call('LINDEX', KEYS[1], -1) ~= ARGV[1] then return 0 end
redis.call('RPOP', KEYS[1])
for first = 3, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
""")

# KEYS: feeds; those that do not exist are skipped. ARGV: the cap, how far a list may exceed it, entries.
# Trimmed entries raise the floor; ids are compared as strings, as Lua's numbers lack the precision.
_PUSH = Script("""
local cap, slack = tonumber(ARGV[1]), tonumber(ARGV[2])
local function greater(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
local function push(key, entry)
  if not redis.call('LPOS', key, entry, 'MAXLEN', 100) then
    local length = redis.call('LPUSHX', key, entry)
    if length > cap + slack then
      local last = redis.call('RPOP', key)
      local head, floor, tail = string.match(last, '^(=%d+:%d+:)(%d+)(:.*)$')
      if head then
        for _, dropped in ipairs(redis.call('RPOP', key, length - 1 - cap)) do
          local id = string.match(dropped, '^%d+')
          if greater(id, floor) then floor = id end
        end
        last = head .. floor .. tail
      end
      redis.call('RPUSH', key, last)
    end
  end
end
for i = 1, #KEYS do
  for j = 3, #ARGV do push(KEYS[i], ARGV[j]) end
end
""")

# KEYS: feeds. ARGV: a post, how many of the newest entries to search. Returns the indexes (from 1) of the feeds that
# exist and have the post in none of those entries, neither by its author nor by a reposter.
_LACK = Script("""
local reposted = ARGV[1] .. ':'
local function has(key)
  if redis.call('EXISTS', key) == 0 or redis.call('LPOS', key, ARGV[1], 'MAXLEN', ARGV[2]) then return true end
  for _, entry in ipairs(redis.call('LRANGE', key, 0, ARGV[2] - 1)) do
    if string.sub(entry, 1, #reposted) == reposted then return true end
  end
  return false
end
local lacking = {}
for i = 1, #KEYS do
  if not has(KEYS[i]) then lacking[#lacking + 1] = i end
end
return lacking
""")

# KEYS: the epoch. ARGV: a number, seconds. A stale reader must not overwrite a newer epoch.
_ANNOUNCE = Script("""
if tonumber(redis.call('GET', KEYS[1]) or '0') <= tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
""")
_SLACK = 64
_KEYS_A_CALL = 500
_NEWEST = 100


@dataclass(frozen=True, slots=True)
class CachedFeed:
    """A feed from Redis: what it was built from, and the posts for which it is complete, by ascending id.

    `reposters`: the reposters of a post according to the list; most posts are in it only because of their author.
    """

    following_version: int
    epoch: int
    floor: int
    popular_ids: tuple[int, ...]
    post_ids: Sequence[int]
    reposters: Mapping[int, frozenset[int]]

    def reposter_ids(self, post_id: int) -> frozenset[int]:
        """The users who reposted the post."""
        return self.reposters.get(post_id, _NOBODY)


def entry_of(*, post_id: int, reposter_id: int = DIRECT) -> str:
    """An entry as the list stores it."""
    return f"{post_id}:{reposter_id}" if reposter_id else str(post_id)


class StoredFeed(NamedTuple):
    """What Redis holds: the feed, if complete, and the epoch, if cached."""

    feed: CachedFeed | None
    epoch: int | None


def feed_commands(user_id: int) -> Sequence[Command]:
    """The Redis commands that fetch a user's feed; their answers are for `load_feed`."""
    return ("LRANGE", feed_key(user_id), 0, -1), ("GET", _epoch_key())


def load_feed(user_id: int, *, answers: Sequence[Any] = ()) -> StoredFeed:
    """A user's feed. One round trip, none if the answers to `feed_commands` were prefetched.

    Raises one of `redis_errors()` if Redis is unavailable.
    """
    elements, epoch = answers or round_trip(*feed_commands(user_id))
    return StoredFeed(_parse(elements), int(epoch) if epoch is not None else None)


def begin_feed(user_id: int) -> str | None:
    """Creates the list that is to be filled; returns the builder's token, or None while somebody else builds it."""
    mark = f"?{secrets.token_hex(8)}"
    return mark if _BEGIN.run(keys=[feed_key(user_id)], arguments=[mark, _BUILDING_SECONDS]) else None


def finish_feed(*, user_id: int, mark: str, feed: CachedFeed) -> None:
    """Fills the list beneath entries pushed meanwhile; does nothing if the list is no longer the one begun."""
    entries = [
        entry_of(post_id=post_id, reposter_id=source)
        for post_id in reversed(feed.post_ids)
        for source in sorted(feed.reposter_ids(post_id)) or [DIRECT]
    ]
    popular = ",".join(map(str, feed.popular_ids))
    last = f"={feed.following_version}:{feed.epoch}:{feed.floor}:{popular}"
    _FINISH.run(keys=[feed_key(user_id)], arguments=[mark, _FEED_SECONDS, *entries, last])


def push_entries(*, user_ids: Sequence[int], entries: Sequence[str]) -> None:
    """Adds entries to those of the feeds that exist. Idempotent. One round trip per 500 feeds."""
    for start in range(0, len(user_ids), _KEYS_A_CALL):
        keys = [feed_key(user_id) for user_id in user_ids[start : start + _KEYS_A_CALL]]
        _PUSH.run(keys=keys, arguments=[CAP, _SLACK, *entries])


def feeds_lacking(*, user_ids: Sequence[int], post_id: int) -> list[int]:
    """The users whose cached feeds lack the post among their newest entries; a feed that is not cached lacks nothing,
    as the database answers for it. One round trip per 500 feeds."""
    lacking: list[int] = []
    for start in range(0, len(user_ids), _KEYS_A_CALL):
        some = user_ids[start : start + _KEYS_A_CALL]
        found = _LACK.run(keys=[feed_key(user_id) for user_id in some], arguments=[post_id, _NEWEST])
        lacking += [some[place - 1] for place in found]
    return lacking


def cached_feeds(cursor: int, *, count: int) -> tuple[list[int], int | None]:
    """The users with cached feeds, a batch at a time, and the next cursor, None at the end. Source: Redis' SCAN."""
    cursor, keys = redis_client().scan(cursor, match=_key_pattern(), count=count)
    start = len(_key_pattern()) - 1
    return [int(key[start:]) for key in keys], cursor or None


def forget_feed(user_id: int) -> None:
    """Removes a feed."""
    redis_client().delete(feed_key(user_id))


def announce_epoch(epoch: int) -> None:
    """Publishes an epoch to readers, who rebuild every feed of an earlier one."""
    # Cached for seconds only: if the announcement of a newer one is lost, readers soon query the database again.
    _ANNOUNCE.run(keys=[_epoch_key()], arguments=[epoch, _EPOCH_SECONDS])


def process_of_redis() -> str:
    """Identifies the Redis process: a restarted one may have loaded lists from an earlier time."""
    return str(redis_client().info("server")["run_id"])


def _parse(elements: Sequence[bytes]) -> CachedFeed | None:
    *entries, last_element = elements or [b"?"]
    last = last_element.decode()
    if not last.startswith("="):
        return None
    version, epoch, floor, popular = last[1:].split(":")
    # Hundreds of entries a reading: read at once, as JSON, a reposter as a negative number behind the post; the floor,
    # which is none, cuts those off.
    numbers = orjson.loads(b"[%b]" % b",".join(entries).replace(b":", b",-"))
    reposters: dict[int, frozenset[int]] = {}
    for place in [place for place, number in enumerate(numbers) if number < 0]:
        reposters[numbers[place - 1]] = reposters.get(numbers[place - 1], _NOBODY) | {-numbers[place]}
    post_ids = sorted(dict.fromkeys(numbers))
    above = post_ids[bisect_right(post_ids, int(floor)) :]
    popular_ids = tuple(int(user_id) for user_id in popular.split(",") if user_id)
    return CachedFeed(int(version), int(epoch), int(floor), popular_ids, above, reposters)


def feed_key(user_id: int) -> str:
    """The key of a user's list, newest entry first; each entry begins with the id of a post."""
    return f"{settings.REDIS_PREFIX}feed:{user_id}"


def _key_pattern() -> str:
    return f"{settings.REDIS_PREFIX}feed:*"


def _epoch_key() -> str:
    return f"{settings.REDIS_PREFIX}feed-epoch"
