"""The gateway in front of the real product: who is refused where, and what passes."""

import time
from collections.abc import Iterator

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed

from tests.gateway.conftest import token
from tests.scenarios.product import Product
from tests.split.cluster import cluster


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """All contexts in one service, behind the gateway."""
    with cluster("split1", tmp_path_factory.mktemp("real"), {}) as started:
        yield started.product()


def test_a_forged_token_gets_past_the_gateway_and_no_further(product: Product) -> None:
    ada = product.join("ada")
    claims = jwt.decode(ada.access, options={"verify_signature": False})
    header, payload, signature = ada.access.split(".")
    forged = [
        token(**{name: value for name, value in claims.items() if name != "exp"}),
        f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        jwt.encode(claims, None, algorithm="none") + "x",
    ]
    for value in forged:
        answer = product.call("GET", "/v1/auth/me", token=value)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="socialapp"'
    assert ada.get("/v1/auth/me").status_code == 200


def test_gateway_and_application_refuse_in_the_same_words(product: Product) -> None:
    through = product.call("GET", "/v1/auth/me", token="no token")
    passed = product.call("GET", "/v1/auth/me", token=token())
    assert (through.status_code, through.json().keys()) == (passed.status_code, passed.json().keys())
    assert through.headers["Content-Type"] == passed.headers["Content-Type"]
    expired = product.call("GET", "/v1/auth/me", token=token(seconds=-60))
    assert (expired.status_code, expired.json()["code"]) == (401, "token_expired")


def test_reading_needs_no_token_and_writing_does(product: Product) -> None:
    ada = product.join("ada")
    post = ada.write("for everybody")
    seen = product.call("GET", f"/v1/posts/{post['id']}")
    assert seen.json()["content"] == "for everybody"
    refused = product.call("POST", "/v1/posts", {"content": "from nobody"})
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


def test_links_and_request_ids_are_those_of_the_gateway(product: Product) -> None:
    ada = product.join("ada")
    for number in range(3):
        ada.write(f"post {number}")
    answer = ada.get(f"/v1/profiles/{ada.id}/posts?limit=2", X_Request_ID="from-the-test")
    assert answer.json()["next"].startswith(f"{product.url}/v1/profiles/{ada.id}/posts?")
    assert answer.headers.get_list("X-Request-ID") == ["from-the-test"]
    assert len(httpx.get(answer.json()["next"], timeout=30).json()["results"]) == 1


def test_who_lies_about_an_address_is_counted_by_the_real_one(product: Product) -> None:
    answer = httpx.get(f"{product.url}/v1/hashtags/trending", headers={"X-Forwarded-For": "1.2.3.4"}, timeout=30)
    assert answer.status_code == 200
    assert httpx.get(f"{product.url}/internal/users/Users/profiles", timeout=30).status_code == 404
    assert httpx.get(f"{product.url}/metrics", timeout=30).status_code == 404


def test_large_posts_keep_their_etag_through_compression(product: Product) -> None:
    ada = product.join("ada")
    post = ada.write("long " * 900)
    first = ada.get(f"/v1/posts/{post['id']}")
    assert first.headers["Content-Encoding"] == "gzip"
    tag = first.headers["ETag"]
    assert ada.get(f"/v1/posts/{post['id']}", If_None_Match=tag).status_code == 304
    assert ada.patch(f"/v1/posts/{post['id']}", {"content": "short"}, If_Match=tag).status_code == 200
    assert ada.patch(f"/v1/posts/{post['id']}", {"content": "again"}, If_Match=tag).status_code == 412


def test_sockets_pass_and_bad_tokens_are_closed_by_the_application(product: Product) -> None:
    ada, bob = product.join("ada"), product.join("bob")
    bob.follow(ada)
    with bob.socket() as socket:
        ada.write("hello")
        assert socket.next("notification")["notification"]["kind"] == "new_post"
    bob.access = token(exp=int(time.time()) - 60)
    with pytest.raises(ConnectionClosed) as closed, bob.socket():
        pass
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_pages_of_people_pass_too(product: Product) -> None:
    for path in ("/", "/v1/docs", "/v1/schema", "/admin/login/", "/static/admin/css/base.css", "/health/ready"):
        answer = product.call("GET", path)
        assert answer.status_code == 200, path
        assert answer.headers.get_list("X-Content-Type-Options") in (["nosniff"], []), path
