"""Bad input gets the documented error, never a 5xx, and writes nothing."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.scenarios.product import Member, Product

HUGE = "9" * 40
WRONG_IDS = ["0", "1", str(2**63 - 1), str(2**63), HUGE, "-1", "abc", "1.5", "%00", "١٢٣"]
ROUTES = [
    "/v1/posts/{}", "/v1/posts/{}/history", "/v1/posts/{}/comments", "/v1/posts/{}/reactions", "/v1/comments/{}",
    "/v1/comments/{}/replies", "/v1/comments/{}/reactions", "/v1/profiles/{}", "/v1/profiles/{}/posts",
    "/v1/profiles/{}/followers", "/v1/profiles/{}/relationship", "/v1/users/{}", "/v1/posts/{}/metrics",
    "/v1/auth/erasures/{}",
]  # fmt: skip
LISTS = [
    "/v1/feed", "/v1/bookmarks", "/v1/notifications", "/v1/blocks", "/v1/mutes", "/v1/follow-requests", "/v1/reports",
    "/v1/profiles/suggestions", "/v1/hashtags/trending", "/v1/hashtags/x/posts", "/v1/search?q=a&type=posts",
    "/v1/search?q=a&type=users", "/v1/auth/sessions",
]  # fmt: skip


@pytest.fixture(scope="module")
def ada(product: Product) -> Member:
    return product.join("ada")


@pytest.mark.parametrize("route", ROUTES)
def test_invalid_ids_get_404(ada: Member, route: str) -> None:
    for wrong in WRONG_IDS:
        answer = ada.get(route.format(wrong))
        assert answer.status_code == 404, f"{route} {wrong}"
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("route", LISTS)
def test_invalid_cursors_and_limits_get_400(ada: Member, route: str) -> None:
    join = "&" if "?" in route else "?"
    for wrong in ("x", "-1", HUGE, "null", "W10", "%F0%9F%98%80", "WyJuIiwieCJd"):
        answer = ada.get(f"{route}{join}cursor={wrong}")
        assert answer.status_code == 400, f"{route} cursor {wrong}: {answer.text}"
    for wrong in ("0", "-1", "x", "1.5", HUGE):
        assert ada.get(f"{route}{join}limit={wrong}").status_code == 400
    many = ada.get(f"{route}{join}limit=1000000")
    assert many.status_code == 200
    assert len(many.json()["results"]) <= 100


CONTENTS: list[Any] = [
    None, 1, True, [], {}, ["x"], "", "   ", "\u0000", "a\u0007b", "\ud800", "x" * 5001,
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS, ids=repr)
def test_invalid_content_is_rejected(ada: Member, content: object) -> None:
    before = len(ada.all_of(f"/v1/profiles/{ada.id}/posts"))
    answer = ada.post("/v1/posts", {"content": content})
    if content == "\ud800":
        assert answer.status_code == 400, "an unpaired surrogate is invalid JSON"
    else:
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == ["content"]
    assert len(ada.all_of(f"/v1/profiles/{ada.id}/posts")) == before


@pytest.mark.parametrize(
    "content", ["😀" * 5000, "שלום עולם", "\u202eevil", "a\n\tb", "<script>alert(1)</script>", "'; --"]
)
def test_unusual_content_is_stored_unchanged(ada: Member, content: str) -> None:
    post = ada.write(content)
    assert ada.get(f"/v1/posts/{post['id']}").json()["content"] == content
    assert ada.delete(f"/v1/posts/{post['id']}").status_code == 204


@pytest.mark.parametrize("smuggled", ["author_id", "user_id", "is_staff", "roles", "id", "created_at"])
def test_unknown_fields_are_rejected(product: Product, ada: Member, smuggled: str) -> None:
    answer = ada.post("/v1/posts", {"content": "mine", smuggled: "1"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": smuggled, "code": "unknown_field", "detail": "This field is not part of the request."}
    ]
    refused = product.call(
        "POST",
        "/v1/auth/register",
        {"email": "m@example.org", "password": "correct horse battery", "username": "mallory_x", smuggled: True},
    )
    assert refused.status_code == 422
    assert product.call("GET", "/v1/profiles/by-username/mallory_x").status_code == 404


def raw(product: Product, ada: Member, body: bytes, content_type: str = "application/json") -> tuple[int, str]:
    answer = product.http.post(
        f"{product.url}/v1/posts",
        content=body,
        headers={"Content-Type": content_type, "Authorization": f"Bearer {ada.access}"},
    )
    return answer.status_code, answer.headers["Content-Type"]


def test_malformed_bodies_are_rejected_with_a_problem(product: Product, ada: Member) -> None:
    problem = "application/problem+json"
    for body in (
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"content": NaN}',
        b'{"content":"a","content":"b"}',
        b"[" * 9000,
    ):
        assert raw(product, ada, body) == (400, problem), body[:30]
    assert raw(product, ada, b"") == (422, problem), "an empty body lacks the required fields"
    assert raw(product, ada, b"content=x", "application/x-www-form-urlencoded") == (415, problem)
    large = json.dumps({"content": "x" * 10_000_000}).encode()
    assert raw(product, ada, large) == (413, problem)


def test_invalid_tokens_get_401(product: Product) -> None:
    for token in ("x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "é" * 10, "x" * 5000):
        # On a new connection, as the gateway closes connections after rejecting a body.
        sent = {b"Authorization": f"Bearer {token}".encode()}
        answer = httpx.get(f"{product.url}/v1/feed", headers=sent, timeout=60)
        assert answer.status_code == 401, token[:20]
    answer = product.call("GET", "/v1/feed")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="socialapp"')


def test_content_of_others_cannot_be_changed(product: Product, ada: Member) -> None:
    bob = product.join("bob")
    post = ada.write("mine")
    comment = ada.post(f"/v1/posts/{post['id']}/comments", {"content": "also mine"}).json()
    assert bob.patch(f"/v1/posts/{post['id']}", {"content": "his"}).status_code == 403
    assert bob.delete(f"/v1/posts/{post['id']}").status_code == 403
    assert bob.patch(f"/v1/comments/{comment['id']}", {"content": "his"}).status_code == 403
    assert bob.delete(f"/v1/comments/{comment['id']}").status_code == 403
    assert bob.get(f"/v1/posts/{post['id']}/metrics").status_code == 403
    assert ada.get(f"/v1/posts/{post['id']}").json()["content"] == "mine"


def test_repeated_writes_are_idempotent(product: Product, ada: Member) -> None:
    bob = product.join("bob")
    for _ in range(2):
        assert bob.put(f"/v1/profiles/{ada.id}/follow").json()["following"] is True
    assert bob.get(f"/v1/profiles/{bob.id}").json()["following_count"] == 1
    for _ in range(2):
        assert bob.delete(f"/v1/profiles/{ada.id}/follow").json()["following"] is False
    post = ada.write("twice")
    for _ in range(2):
        answer = bob.put(f"/v1/posts/{post['id']}/reaction", {"reaction_type": "like"})
        assert answer.json()["reactions"]["like"] == 1
    assert ada.delete(f"/v1/posts/{post['id']}").status_code == 204
    assert ada.delete(f"/v1/posts/{post['id']}").status_code == 404


def test_internal_and_unknown_paths_get_404(product: Product) -> None:
    for path in ("/metrics", "/internal/users/Users/profiles?ids=[1]", "/nothing", "/v1/nothing", "/v1"):
        answer = product.http.get(product.url + path)
        assert answer.status_code == 404, path


def test_every_response_has_a_request_id(product: Product) -> None:
    assert product.call("GET", "/v1/nothing", X_Request_ID="mine-1").headers["X-Request-ID"] == "mine-1"
    made = product.call("GET", "/v1/hashtags/trending", X_Request_ID="not\tallowed").headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f-]{32,36}", made), "generated by the application or a gateway"
