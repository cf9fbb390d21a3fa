"""Admits requests in one Redis round trip: the token is not revoked, and rate limits are not exceeded.

Rate limits follow draft-ietf-httpapi-ratelimit-headers; a sliding window counts per user and per address, for IPv6
per /64, as one customer has at least that many addresses (RFC 6177).
Without Redis, revocations are fetched from auth, log-in limits fail closed, and other limits fail open.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest

from socialapp.contracts.revocations import Revocations
from socialapp.core.cache import Command, Script, redis_client, redis_errors
from socialapp.core.errors import TooMany, Unauthenticated, Unavailable
from socialapp.core.principal import Principal
from socialapp.rpc.calls import client

log = structlog.get_logger()

REVOKED_KEY = "auth:revoked"
_COMPLETE = "complete"
_REFRESH_SECONDS = 60
# Set once Redis did not respond, until auth was asked after that: what Redis kept lacks what was revoked meanwhile.
_outdated = threading.Event()
FAIL_CLOSED = frozenset({"login", "register"})

# A window slides in thirtieths: admitted requests of the present one and the thirty before count, so that no period
# as long as the window exceeds the quota. Refused requests are not counted.
_PARTS = 30

# KEYS: the revoked set, then one hash per limit. ARGV: members to look for, "|", then the time in milliseconds, then
# quota and window (in seconds) per limit. Answers: is the set complete, is a member in it, have the roles changed, then
# used (over the quota: refused) and milliseconds until the oldest of it is forgotten, per limit.
_ADMIT = Script(
    """
local answer = {redis.call('SISMEMBER', KEYS[1], 'complete'), 0, 0}
local i = 1
while ARGV[i] ~= '|' do
  if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 1 then
    if string.sub(ARGV[i], 1, 6) == 'roles:' then answer[3] = 1 else answer[2] = 1 end
  end
  i = i + 1
end
local now = tonumber(ARGV[i + 1])
i = i + 2
local refused = false
local found = {}
for k = 2, #KEYS do
  local quota, part = tonumber(ARGV[i]), tonumber(ARGV[i + 1]) * 1000 / PARTS
  i = i + 2
  local current = math.floor(now / part)
  local used, oldest = 0, current
  local counts = redis.call('HGETALL', KEYS[k])
  for f = 1, #counts, 2 do
    local at = tonumber(counts[f])
    if at < current - PARTS or at > current + PARTS then
      redis.call('HDEL', KEYS[k], counts[f])
    else
      used = used + tonumber(counts[f + 1])
      if at < oldest then oldest = at end
    end
  end
  if used >= quota then refused = true end
  found[#found + 1] = {k, current, used, math.ceil((oldest + PARTS + 1) * part - now), math.ceil(part * (PARTS + 2))}
end
for _, one in ipairs(found) do
  if not refused and answer[2] == 0 then
    redis.call('HINCRBY', KEYS[one[1]], one[2], 1)
    redis.call('PEXPIRE', KEYS[one[1]], one[5])
  end
  answer[#answer + 1] = one[3] + 1
  answer[#answer + 1] = one[4]
end
return answer
""".replace("PARTS", str(_PARTS))
)


@dataclass(frozen=True, slots=True)
class Limit:
    """The state of one rate limit after this request."""

    name: str
    quota: int
    window: int
    remaining: int
    reset: int

    def policy(self) -> str:
        """Its item in RateLimit-Policy."""
        return f'"{self.name}";q={self.quota};w={self.window}'

    def state(self) -> str:
        """Its item in RateLimit."""
        return f'"{self.name}";r={self.remaining};t={self.reset}'


@dataclass(frozen=True, slots=True)
class Admission:
    """An admitted request: the state of its limits, and whether its token's roles are no longer the account's.

    `answers` are Redis' answers to the commands sent ahead; empty if it was not reached.
    """

    limits: list[Limit]
    has_stale_roles: bool = False
    answers: Sequence[Any] = ()


def client_address(request: HttpRequest) -> str:
    """The address of the client, as seen by the outermost trusted proxy."""
    hops = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    trusted = settings.TRUSTED_PROXIES
    return _normal(hops[-trusted] if trusted and len(hops) >= trusted else request.META.get("REMOTE_ADDR", ""))


@lru_cache(maxsize=4096)
def _normal(candidate: str) -> str:
    """The address in canonical form, without the port that some load balancers add."""
    if candidate.startswith("["):
        candidate = candidate[1:].partition("]")[0]
    elif candidate.count(":") == 1:
        candidate = candidate.partition(":")[0]
    try:
        return str(ip_address(candidate))
    except ValueError:
        return "unknown"


@lru_cache(maxsize=1024)  # needed several times per request
def address_block(address: str) -> str:
    """The unit of counting clients: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found) >> 64 << 64, 64)))


def admit(
    *, principal: Principal | None, address: str, rate: str, subject: str = "", ahead: Sequence[Command] = ()
) -> Admission:
    """Admits a request, or raises 401 (revoked), 429 (a limit) or 503 (a limit that fails closed without Redis).

    `subject` identifies the account of a log-in, for which attempts are counted too, whoever makes them. `ahead` are
    commands that prefetch what an admitted request will need, in the same round trip.
    """
    members = [f"user:{principal.id}", f"session:{principal.session}", f"roles:{principal.id}"] if principal else []
    counters = _counters(principal, address, rate, subject) if settings.RATE_LIMITS else []
    if not members and not counters:
        return Admission([])
    try:
        answer, *answers = _evaluate(members, counters, ahead)
    except redis_errors() as error:
        _outdated.set()
        log.warning("admission.redis_away", error=str(error), rate=rate)
        if rate in FAIL_CLOSED and counters:
            raise Unavailable("log-in limits cannot be checked right now", code="limits_unavailable") from None
        return Admission([], has_stale_roles=_ask_auth(principal))
    is_complete, is_revoked, has_stale_roles = (bool(flag) for flag in answer[:3])
    if principal is not None and is_revoked:
        raise _revoked()
    if not is_complete or _outdated.is_set():
        has_stale_roles = _ask_auth(principal)
    return Admission(_check_limits(counters, answer[3:]), has_stale_roles, answers)


def with_present_roles(principal: Principal) -> Principal:
    """The caller with the account's present roles: those in a token are from when it was issued. One call."""
    return replace(principal, roles=frozenset(client(Revocations).roles(user_id=principal.id)))


@dataclass(frozen=True, slots=True)
class _Counter:
    name: str
    key: str
    quota: int
    window: int


def _counters(principal: Principal | None, address: str, rate: str, subject: str) -> list[_Counter]:
    quota, window = settings.RATES[rate]
    block = address_block(address)
    counters = [_Counter(f"{rate}-address", f"rate:{rate}:a:{block}", quota * settings.RATE_ADDRESS_FACTOR, window)]
    if principal:
        counters.append(_Counter(rate, f"rate:{rate}:u:{principal.id}", quota, window))
    if subject:
        counters.append(_Counter(rate, _subject_key(rate, subject), quota, window))
    return counters


def _subject_key(rate: str, subject: str) -> str:
    return f"rate:{rate}:s:{subject}"


def _evaluate(members: list[str], counters: list[_Counter], ahead: Sequence[Command]) -> list[Any]:
    prefix = settings.REDIS_PREFIX
    keys = [f"{prefix}{REVOKED_KEY}", *(prefix + counter.key for counter in counters)]
    limits = [value for counter in counters for value in (counter.quota, counter.window)]
    arguments: list[str | int] = [*members, "|", int(time.time() * 1000), *limits]
    return _ADMIT.run_with(ahead, keys=keys, arguments=arguments)


def _revoked() -> Unauthenticated:
    return Unauthenticated("this session has ended", code="token_revoked")


def _ask_auth(principal: Principal | None) -> bool:
    """Whether the roles are stale, according to auth; Unauthenticated if the session or the account has ended."""
    if principal is None:
        return False
    members = fetch_revoked()
    if not members.isdisjoint((f"user:{principal.id}", f"session:{principal.session}")):
        raise _revoked()
    return f"roles:{principal.id}" in members


def fetch_revoked() -> set[str]:
    """Fetches the members of the set that requests are checked against from auth, and caches them for a minute."""
    revoked = client(Revocations).recent()
    members = {
        *(f"user:{user}" for user in revoked.users),
        *(f"session:{session}" for session in revoked.sessions),
        *(f"roles:{user}" for user in revoked.role_changes),
    }
    try:
        remember_revoked(sorted(members), complete=True)
        _outdated.clear()
    except redis_errors() as error:
        log.info("admission.revocations_not_kept", error=str(error))
    return members


def remember_revoked(members: Sequence[str], *, complete: bool = False) -> None:
    """Adds "user:<id>", "session:<id>" and "roles:<id>" members to the set that every request is checked against."""
    key = f"{settings.REDIS_PREFIX}{REVOKED_KEY}"
    pipe = redis_client().pipeline(transaction=True)
    if complete:
        pipe.sadd(key, _COMPLETE, *members)
        pipe.expire(key, _REFRESH_SECONDS)
    elif members:
        pipe.sadd(key, *members)
    pipe.execute()


def _check_limits(counters: list[_Counter], answer: list[int]) -> list[Limit]:
    limits = []
    for counter, used, milliseconds in zip(counters, answer[::2], answer[1::2], strict=True):
        remaining = max(counter.quota - used, 0)
        reset = min(max(-(-milliseconds // 1000), 1), counter.window)
        limits.append(Limit(counter.name, counter.quota, counter.window, remaining, reset))
        if used > counter.quota:
            raise LimitExceeded("too many requests; slow down", retry_after=limits[-1].reset, limits=limits)
    return limits


class LimitExceeded(TooMany):
    """429 that also carries the state of the limits for its headers."""

    def __init__(self, detail: str, *, retry_after: int, limits: list[Limit]) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.limits = limits
