"""Budgets of the most frequent reads: operations and Python calls, which, unlike times, do not depend on the machine.

Budgets should only fall. Lower a budget when you make a read cheaper; explain in the commit if you must raise one.
"""

import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from types import FrameType
from typing import Any, NamedTuple

import pytest
from django.conf import settings

from socialapp.core.cache import redis_client
from socialapp.wsgi import application
from tests.conftest import ALL_CONTEXTS, Person
from tests.query_budgets.counting import Meter, meter
from tests.query_budgets.dataset import empty_index, make_searchable, ok

__all__ = ["meter"]
pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

_PAGE = 20


class Budget(NamedTuple):
    """The maximal cost of a read with warm caches; `cold`: SQL statements with an empty Redis.

    `calls` are calls of Python and C functions, with room for some 200 that depend on which tests ran before in the
    process; `requests` are those to Elasticsearch. All but `redis` are compared only on MariaDB with Elasticsearch:
    SQLite and its index use slightly different queries.
    """

    path: str
    statements: int
    cold: int
    redis: int
    calls: int
    requests: int = 0


BUDGETS = [
    Budget("/v1/feed", statements=2, cold=7, redis=1, calls=1_890),
    Budget("/v1/posts/{post}", statements=2, cold=5, redis=1, calls=1_110),
    Budget("/v1/auth/me", statements=1, cold=2, redis=1, calls=790),
    Budget("/v1/notifications", statements=3, cold=4, redis=1, calls=2_030),
    Budget("/v1/search?type=posts&q=needle", statements=2, cold=6, redis=2, calls=2_930, requests=1),
    Budget("/v1/search?type=users&q=hotread", statements=1, cold=3, redis=1, calls=1_530, requests=1),
]


def test_hot_reads_stay_within_their_budgets(
    register: Callable[..., Person], drain: Callable[[], int], meter: Meter
) -> None:
    empty_index()
    reader, *writers = (register(f"hotread{number}") for number in range(4))
    for writer in writers:
        ok(reader.client.put(f"/v1/profiles/{writer.id}/follow"))
    drain()
    post_id = ""
    for number in range(_PAGE + 5):
        text = f"A needle in the hay, number {number}: " + "some more words of a post " * 4
        post_id = ok(writers[number % len(writers)].client.post("/v1/posts", {"content": text}))["id"]
    ok(reader.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": "like"}))
    drain()
    make_searchable()
    exceeded = []
    for budget in BUDGETS:
        path = budget.path.format(post=post_id)
        _read(reader, path)
        _read(reader, path)
        with meter.reading() as warm:
            answer = _read(reader, path)
        assert answer.status == "200 OK", answer
        found = {**warm.numbers(), "requests": len(warm.index), "calls": _calls(partial(_read, reader, path))}
        redis_client().flushdb()
        with meter.reading() as cold:
            assert _read(reader, path).body == answer.body, f"{path} differs with empty caches"
        found["cold"] = len(cold.statements)
        most = budget._asdict()
        for name in _COMPARED:
            if found[name] > most[name]:
                exceeded.append(f"{path}: {found[name]} {name}, budget {most[name]}\n{warm.details()}")
    assert not exceeded, "\n".join(exceeded)


_COMPARED = ("statements", "cold", "redis", "requests", "calls") if settings.ELASTICSEARCH_URL else ("redis",)


class _Answer(NamedTuple):
    status: str
    body: bytes


def _read(person: Person, path: str) -> _Answer:
    """Sends a GET directly to the WSGI application, without the test client's overhead."""
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "HTTP_AUTHORIZATION": f"Bearer {person.access}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    started: list[str] = []
    response: Any = application(environ, lambda status, headers, error=None: started.append(status))
    body = b"".join(response)
    return _Answer(started[0], body)


def _calls(action: Callable[[], object]) -> int:
    """The number of functions that the action calls in this thread."""
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count
