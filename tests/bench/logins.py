"""Log-ins: cost compared with the password hash, whether timing reveals accounts, and reads during a log-in storm.

A process that serves only auth handles them; attempts are counted, but the limits are too high to be reached.
"""

import os
import random
import statistics
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import django
import httpx

from socialapp.core.contexts import CONTEXTS
from tests.bench.bench_setup import PASSWORD, BenchSetup
from tests.scenarios.product import eventually, free_port

_LOGINS = 200
_LOGINS_A_SECOND = 50
_UNREACHED = str(10**9)


def logins(setup: BenchSetup, *, seconds: float) -> dict[str, Any]:
    """CPU of a log-in relative to its hash, milliseconds of rejections, and the feed's p99 with and without a storm."""
    url = _start_auth(setup)
    with httpx.Client(base_url=url, timeout=60) as http:
        _log_in(http, "person1")
        found = {"cost": _cost(setup, http), "refusals": _refusals(http)}
    found["storm"] = _storm(setup, url, seconds=seconds)
    setup.stop("auth")
    return found


def _start_auth(setup: BenchSetup) -> str:
    """Starts a web process for auth only, on the databases of the running product; returns its URL."""
    port = free_port()
    others = {f"{name.upper()}_URL": f"http://127.0.0.1:{setup.ports['web']}" for name in CONTEXTS if name != "auth"}
    limits = {"RATE_LIMITS": "on", "RATE_LOGIN": _UNREACHED, "RATE_LOGIN_TOTAL": _UNREACHED}
    command = [sys.executable, "manage.py", "serve", "web"]
    setup.start("auth", command, SERVICES="auth", WEB_PORT=str(port), WEB_WORKERS="1", **others, **limits)
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: _answers(url), seconds=120)
    return url


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _log_in(http: httpx.Client, login: str, password: str = PASSWORD) -> int:
    return http.post("/v1/auth/login", json={"login": login, "password": password}).status_code


def _cost(setup: BenchSetup, http: httpx.Client) -> dict[str, float]:
    """CPU milliseconds per log-in and per hash. The goal is a ratio of 1.1."""
    meter = setup.meter("auth")
    before = meter.read()
    for number in range(_LOGINS):
        assert _log_in(http, f"person{1 + number % 10}") == 200
    spent = {name: seconds * 1000 / _LOGINS for name, seconds in meter.since(before).items()}
    hashing = _hash_ms()
    return {
        "hash_ms": round(hashing, 2),
        "login_ms": round(spent["auth"], 2),
        "mariadb_ms": round(spent["mariadb"], 2),
        "redis_ms": round(spent["redis"], 2),
        "ratio": round(spent["auth"] / hashing, 2),
    }


def _hash_ms() -> float:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-the-bench")
    django.setup()
    from django.contrib.auth.hashers import check_password, make_password

    encoded = make_password(PASSWORD)
    started = time.process_time()
    for _ in range(_LOGINS):
        check_password(PASSWORD, encoded)
    return (time.process_time() - started) * 1000 / _LOGINS


def _refusals(http: httpx.Client) -> dict[str, float]:
    """Median milliseconds of the two rejections that must be indistinguishable. The goal is at most 5 % apart."""
    taken: dict[str, list[float]] = {"wrong": [], "unknown": []}
    for number in range(_LOGINS):
        names = {"wrong": f"person{1 + number % 10}", "unknown": f"nobody{1 + number % 10}"}
        for kind in random.sample(list(names), 2):
            started = time.perf_counter()
            assert _log_in(http, names[kind], "incorrect horse battery") == 401
            taken[kind].append((time.perf_counter() - started) * 1000)
    wrong, unknown = statistics.median(taken["wrong"]), statistics.median(taken["unknown"])
    return {
        "wrong_ms": round(wrong, 2),
        "unknown_ms": round(unknown, 2),
        "percent_apart": round(abs(unknown / wrong - 1) * 100, 1),
    }


def _storm(setup: BenchSetup, url: str, *, seconds: float) -> dict[str, float]:
    """The feed's p99 before and during a storm of log-ins. The goal is at most 1.5 times as much."""
    quiet = _feed_p99(setup, seconds)
    # In a separate process with low priority, as the clients would be on other machines.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=os.nice, initargs=(10,)) as pool:
        answered = pool.submit(_keep_logging_in, url, seconds + 3)
        time.sleep(2)
        busy = _feed_p99(setup, seconds)
    return {
        "logins_a_second": round(answered.result(), 1),
        "feed_p99_quiet_ms": round(quiet, 1),
        "feed_p99_storm_ms": round(busy, 1),
        "ratio": round(busy / quiet, 2),
    }


def _feed_p99(setup: BenchSetup, seconds: float) -> float:
    taken = []
    headers = {"Authorization": f"Bearer {setup.access}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{setup.ports['gateway']}", headers=headers, timeout=30) as http:
        http.get("/v1/feed")
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            started = time.perf_counter()
            http.get("/v1/feed").raise_for_status()
            taken.append((time.perf_counter() - started) * 1000)
            time.sleep(0.01)
    return statistics.quantiles(taken, n=100)[98]


def _keep_logging_in(url: str, seconds: float) -> float:
    """Logs in at a steady rate over 32 connections; returns the number of responses per second."""
    started = time.monotonic()
    sent: list[Future[int]] = []
    with httpx.Client(base_url=url, timeout=60) as http, ThreadPoolExecutor(32) as pool:
        while time.monotonic() < started + seconds:
            sent.append(pool.submit(_log_in, http, f"person{1 + len(sent) % 10}"))
            time.sleep(max(started + len(sent) / _LOGINS_A_SECOND - time.monotonic(), 0))
        lasted = time.monotonic() - started
        answered = sum(one.done() for one in sent)
        for one in sent:
            one.cancel()
    assert all(one.result() == 200 for one in sent if not one.cancelled())
    return answered / lasted
