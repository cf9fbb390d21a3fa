"""A context that is down takes with it what needs it, and nothing else; nobody ever sees a fault of ours."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil
import pytest
import yaml

from socialapp.calls import OPEN_SECONDS
from tests.scenarios.product import ROOT, Member, Product, eventually
from tests.split.cluster import Cluster, Service, cluster

_DEADLINE = 5.0  # of a call, in seconds


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Nine services on their embedded databases; a busy machine may be slow to answer."""
    with cluster("split9", tmp_path_factory.mktemp("outages"), {"CALL_TIMEOUT": str(_DEADLINE)}) as started:
        yield started


@pytest.fixture(scope="module")
def product(services: Cluster) -> Product:
    """What clients see of them."""
    return services.product()


@contextmanager
def down(service: Service) -> Iterator[None]:
    """The service is stopped, all of it, and comes back afterwards."""
    service.stop()
    try:
        yield
    finally:
        service.start()
        service.wait()
        time.sleep(OPEN_SECONDS)  # so long those who missed it leave it alone


@contextmanager
def hanging(service: Service) -> Iterator[None]:
    """The service takes connections and never answers."""
    assert service.process
    processes = psutil.Process(service.process.pid).children(recursive=True)
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
    eventually(service.is_ready)


def ask(member: Member, method: str, path: str, body: object = None) -> httpx.Response:
    """One request; unlike elsewhere a 503 is an answer, and a proper one."""
    content = None if body is None else httpx.Request("POST", "http://x", json=body).content
    headers = {"Authorization": f"Bearer {member.access}", "Content-Type": "application/json"}
    answer = member.product.http.request(method, member.product.url + path, content=content, headers=headers)
    assert answer.status_code < 500 or answer.status_code == 503, f"{method} {path}: {answer.text}"
    if answer.status_code == 503:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["status"] == 503
    return answer


def statuses(member: Member, paths: list[str]) -> dict[str, int]:
    """What GET answers on each path."""
    return {path: ask(member, "GET", path).status_code for path in paths}


def paths_of(author: Member, post: str, comment: str) -> dict[str, list[str]]:
    """Reads of every context."""
    return {
        "auth": ["/v1/auth/me", f"/v1/users/{author.id}", "/.well-known/jwks.json"],
        "users": [f"/v1/profiles/{author.id}", "/v1/blocks", f"/v1/profiles/{author.id}/followers"],
        "posts": [f"/v1/posts/{post}", "/v1/feed", f"/v1/profiles/{author.id}/posts", "/v1/bookmarks"],
        "comments": [f"/v1/posts/{post}/comments", f"/v1/comments/{comment}"],
        "reactions": [f"/v1/posts/{post}/reactions", f"/v1/comments/{comment}/reactions"],
        "notifications": ["/v1/notifications", "/v1/notifications/unread-count", "/v1/notifications/preferences"],
        "search": ["/v1/search?q=hello&type=posts", "/v1/search/suggest?q=ada"],
        "metrics": ["/v1/metrics/me", f"/v1/posts/{post}/metrics"],
        "moderation": ["/v1/reports"],
    }


@pytest.fixture(scope="module")
def talk(product: Product) -> tuple[Member, str, str]:
    """Somebody with a post, a comment and a reaction to it, all of it arrived everywhere."""
    ada, bob = product.join("ada"), product.join("bob")
    bob.follow(ada)
    post = ada.write("hello world")["id"]
    comment = bob.post(f"/v1/posts/{post}/comments", {"content": "hi"}).json()["id"]
    assert bob.put(f"/v1/posts/{post}/reaction", {"reaction_type": "love"}).status_code == 200
    assert ada.put(f"/v1/comments/{comment}/reaction", {"reaction_type": "like"}).status_code == 200
    everything = [path for paths in paths_of(ada, post, comment).values() for path in paths]
    eventually(lambda: set(statuses(ada, everything).values()) == {200})
    return ada, post, comment


def test_the_schema_describes_all_services(product: Product) -> None:
    found = yaml.safe_load(product.call("GET", "/v1/schema").text)
    expected = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    assert found["paths"] == expected["paths"]
    assert found["components"] == expected["components"]


# Whose reads may fail while a context is down: its own, and of those that cannot answer without asking it.
_NEED = {
    "reactions": set(),
    "comments": {"reactions", "notifications"},
    "notifications": set(),
    "search": set(),
    "metrics": set(),
    "moderation": set(),
    "posts": {"comments", "reactions", "notifications", "search", "metrics"},
    "users": {"posts", "comments", "reactions", "notifications", "search", "metrics"},
}


@pytest.mark.parametrize("name", _NEED)
def test_a_context_that_is_down_takes_only_what_needs_it(
    services: Cluster, talk: tuple[Member, str, str], name: str
) -> None:
    paths = paths_of(*talk)
    with down(services.serving(name)):
        for context, listed in paths.items():
            found = statuses(talk[0], listed)
            if context == name:
                assert set(found.values()) == {503}, found
            elif context not in _NEED[name]:
                assert set(found.values()) == {200}, f"without {name}: {found}"
            else:
                assert set(found.values()) <= {200, 503}, f"without {name}: {found}"
    everything = [path for listed in paths.values() for path in listed]
    eventually(lambda: set(statuses(talk[0], everything).values()) == {200})


def test_without_reactions_posts_and_comments_show_none(services: Cluster, talk: tuple[Member, str, str]) -> None:
    ada, post, comment = talk
    none = {"like": 0, "love": 0, "haha": 0, "sad": 0, "angry": 0}
    with down(services.serving("reactions")):
        assert ada.get(f"/v1/posts/{post}").json()["reactions"] == none
        assert ada.get(f"/v1/comments/{comment}").json()["reactions"] == none
        refused = ask(ada, "PUT", f"/v1/posts/{post}/reaction", {"reaction_type": "sad"})
        assert refused.status_code == 503
    seen = eventually(lambda: (ada.get(f"/v1/posts/{post}").json()["reactions"]["love"] == 1) or None)
    assert seen
    assert ada.get(f"/v1/posts/{post}").json()["my_reaction"] is None, "what was refused was not done"


def test_what_happens_while_search_is_down_is_found_afterwards(
    services: Cluster, talk: tuple[Member, str, str]
) -> None:
    ada = talk[0]
    word = f"meanwhile{ada.id}"
    with down(services.serving("search")):
        post = ada.write(word)["id"]
        assert ask(ada, "GET", f"/v1/search?q={word}&type=posts").status_code == 503

    def found() -> list[str]:
        return [item["item"]["id"] for item in ada.get(f"/v1/search?q={word}&type=posts").json()["results"]]

    eventually(lambda: found() == [post], seconds=120)


def test_what_needs_users_says_when_to_come_back(services: Cluster, talk: tuple[Member, str, str]) -> None:
    ada, post, _ = talk
    with down(services.serving("users")):
        answers = [ask(ada, "POST", "/v1/posts", {"content": "nobody may see it"}), ask(ada, "GET", "/v1/feed")]
        needing = ask(ada, "GET", f"/v1/posts/{post}/comments")
        assert needing.json()["code"] == "users_unavailable", "it names what is missing, however far away"
        assert ada.get("/v1/auth/me").status_code == 200
    assert {answer.status_code for answer in answers} <= {201, 200, 503}
    assert ada.write("and on it goes")["id"]


def test_a_context_that_hangs_costs_a_deadline_once(services: Cluster, talk: tuple[Member, str, str]) -> None:
    ada, post, _ = talk
    with hanging(services.serving("reactions")):

        def seconds(_: int = 0) -> float:
            started = time.monotonic()
            assert ada.get(f"/v1/posts/{post}").status_code == 200
            return time.monotonic() - started

        with ThreadPoolExecutor(5) as threads:
            took = list(threads.map(seconds, range(5)))
        assert max(took) >= _DEADLINE, f"it was waited for: {took}"
        eventually(lambda: seconds() < _DEADLINE / 2)  # after five faults it is not asked any more


def test_without_auth_those_who_are_in_stay_in(services: Cluster, talk: tuple[Member, str, str]) -> None:
    """Until what is known of revocations is too old: then signed-in requests wait for auth, and public ones go on."""
    ada, post, _ = talk
    assert ada.get(f"/v1/posts/{post}").status_code == 200
    with down(services.serving("auth")):
        assert ask(ada, "GET", "/v1/auth/me").status_code == 503
        assert ada.product.call("GET", f"/v1/posts/{post}").status_code == 200
        assert ask(ada, "GET", f"/v1/posts/{post}").status_code in (200, 503)
        _forget_revocations(services)
        refused = ask(ada, "GET", f"/v1/posts/{post}")
        assert (refused.status_code, refused.json()["code"]) == (503, "auth_unavailable")
    assert ada.get(f"/v1/posts/{post}").status_code == 200


def _forget_revocations(services: Cluster) -> None:
    import redis

    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.delete(f"{services.shared['REDIS_PREFIX']}auth:revoked")
