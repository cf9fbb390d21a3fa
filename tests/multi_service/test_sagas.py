"""Processes across all nine services finish once a service that was killed in the middle is back."""

import io
import zipfile
from collections.abc import Callable

import pytest

from socialapp.core.contexts import CONTEXTS
from tests.multi_service.cluster import Cluster
from tests.scenarios.product import PASSWORD, Member, Product, eventually

pytestmark = pytest.mark.parametrize("services", ["split9"], indirect=True)

_SECONDS = 240.0  # failed events are retried after growing pauses


@pytest.fixture
def talk(product: Product) -> tuple[Member, Member, str]:
    """Ada has written a post; bob follows her, has commented on it and reacted to it, and search finds everything."""
    ada, bob = product.join("ada"), product.join("bob")
    bob.follow(ada)
    post = ada.write(f"hello zz{ada.id}")["id"]
    assert bob.post(f"/v1/posts/{post}/comments", {"content": "stay!"}).status_code == 201
    assert bob.put(f"/v1/posts/{post}/reaction", {"reaction_type": "love"}).status_code == 200
    assert ada.post(f"/v1/posts/{post}/comments", {"content": "I will"}).status_code == 201
    eventually(lambda: found(bob, ada))
    eventually(lambda: post in bob.feed_ids())
    return ada, bob, post


def found(seeker: Member, author: Member) -> list[str]:
    """The author's posts that search finds."""
    return [item["item"]["id"] for item in seeker.get(f"/v1/search?q=zz{author.id}&type=posts").json()["results"]]


def erased(product: Product, erasure: str) -> set[str]:
    """The contexts that have confirmed their part of the erasure."""
    state = product.call("GET", f"/v1/auth/erasures/{erasure}").json()
    return {context["name"] for context in state["contexts"] if context["erased_at"]}


@pytest.mark.parametrize("missing", ["users", "comments"])
def test_erasure_finishes_in_every_service(
    services: Cluster, product: Product, talk: tuple[Member, Member, str], missing: str
) -> None:
    ada, bob, post = talk
    with services.serving(missing).killed():
        answer = ada.delete("/v1/auth/me", {"password": PASSWORD})
        assert answer.status_code == 202
        assert ada.get("/v1/auth/me").status_code == 401
        erasure = answer.json()["erasure_id"]
        eventually(lambda: erased(product, erasure) == CONTEXTS.keys() - {missing}, seconds=_SECONDS)
    eventually(lambda: erased(product, erasure) == CONTEXTS.keys(), seconds=_SECONDS)
    for path in (f"/v1/posts/{post}", f"/v1/profiles/{ada.id}"):
        eventually(lambda path=path: bob.get(path).status_code == 404)  # type: ignore[misc]
    eventually(lambda: found(bob, ada) == [])
    verified = product.manage("erasure", "verify", erasure, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def decide(services: Cluster, decision: str) -> None:
    """A moderator's decision; the admin site calls the same."""
    code = f"from apps.moderation.actions import *; from apps.moderation.queries.cases import Target; {decision}"
    done = services.serving("moderation").manage("shell", "-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["posts", "search"])
def test_a_removed_post_is_hidden_in_every_service(
    services: Cluster, talk: tuple[Member, Member, str], missing: str
) -> None:
    ada, bob, post = talk
    with services.serving(missing).killed():
        target = f"Target('post', {post}, {ada.id})"
        decide(services, f"remove_content(moderator_id=1, target={target}, decision=Decision(reason='spam'))")
    kinds: Callable[[], list[str]] = lambda: [item["kind"] for item in ada.all_of("/v1/notifications")]  # noqa: E731
    eventually(lambda: "moderation" in kinds(), seconds=_SECONDS)
    for path in (f"/v1/posts/{post}", f"/v1/posts/{post}/comments", f"/v1/posts/{post}/reactions"):
        eventually(lambda path=path: bob.get(path).status_code == 404, seconds=_SECONDS)  # type: ignore[misc]
    eventually(lambda: found(bob, ada) == [] and bob.feed_ids() == [], seconds=_SECONDS)
    eventually(lambda: bob.get(f"/v1/profiles/{ada.id}").json()["posts_count"] == 0, seconds=_SECONDS)


@pytest.mark.parametrize("missing", ["users", "posts"])
def test_a_banned_user_is_logged_out_and_hidden(
    services: Cluster, product: Product, talk: tuple[Member, Member, str], missing: str
) -> None:
    ada, bob, post = talk
    with services.serving(missing).killed():
        decide(services, f"ban_user(moderator_id=1, user_id={ada.id}, reason='spam')")
    login = {"login": ada.username, "password": PASSWORD}
    eventually(lambda: product.call("POST", "/v1/auth/login", login).status_code == 403, seconds=_SECONDS)
    assert product.call("POST", "/v1/auth/login", login).json()["code"] == "account_banned"
    eventually(lambda: ada.get("/v1/auth/me").status_code == 401, seconds=_SECONDS)
    for path in (f"/v1/profiles/{ada.id}", f"/v1/posts/{post}"):
        eventually(lambda path=path: bob.get(path).status_code == 404, seconds=_SECONDS)  # type: ignore[misc]
    eventually(lambda: found(bob, ada) == [] and bob.feed_ids() == [], seconds=_SECONDS)


def test_an_export_is_completed_once_all_services_are_available(
    services: Cluster, product: Product, talk: tuple[Member, Member, str]
) -> None:
    ada, _, post = talk
    log = services.serving("auth").folder / "service.log"
    failed_before = log.read_text().count("auth.export_failed")
    with services.serving("comments").killed():
        assert ada.post("/v1/auth/confirm", {"password": PASSWORD}).status_code == 200
        asked = ada.post("/v1/auth/me/export")
        assert asked.status_code == 202
        eventually(lambda: log.read_text().count("auth.export_failed") > failed_before, seconds=_SECONDS)
    state = f"/v1/auth/exports/{asked.json()['id']}"
    link = eventually(lambda: ada.get(state).json()["url"], seconds=_SECONDS)
    content = product.http.get(link).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    assert post in held["posts/posts.jsonl"]
    assert "I will" in held["comments/comments.jsonl"]
    assert "stay!" not in "".join(held.values())
