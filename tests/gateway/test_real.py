"""The gateway in front of the real product: which of them rejects what, and what passes."""

import time
from collections.abc import Iterator

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed

from tests.gateway.conftest import stranger, token
from tests.multi_service.cluster import Cluster, cluster
from tests.scenarios.pictures import see_pictures
from tests.scenarios.product import Product


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """All contexts in one service, behind the gateway."""
    with cluster("split1", tmp_path_factory.mktemp("real"), {}) as started:
        yield started


@pytest.fixture(scope="module")
def product(services: Cluster) -> Product:
    """The product as clients see it."""
    return services.product()


def test_the_application_rejects_a_forged_token_that_passes_the_gateway(product: Product, services: Cluster) -> None:
    ada = product.join("ada")
    claims = jwt.decode(ada.access, options={"verify_signature": False})
    own = jwt.get_unverified_header(ada.access)
    header, payload, signature = ada.access.split(".")

    def signed(changes: dict[str, object], **more: str) -> str:
        return jwt.encode({**claims, **changes}, services.key.replace("\\n", "\n"), "RS256", headers={**own, **more})

    forged = [
        signed({"nbf": time.time() + 4}),  # before the others: the gateway leaves 5 s to the application
        token(**claims),
        jwt.encode(claims, stranger(), algorithm="RS256", headers=own),
        f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        signed({"aud": "another product"}),
        signed({"iss": "somebody else"}),
        signed({}, kid="unknown"),
    ]
    for value in forged:
        answer = product.call("GET", "/v1/auth/me", token=value)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
        challenge = 'Bearer realm="socialapp", error="invalid_token"'
        assert answer.headers["WWW-Authenticate"].startswith(challenge)
        assert "X-Frame-Options" in answer.headers, "the response is the application's"
    just_now = product.call("GET", "/v1/auth/me", token=signed({"exp": int(time.time()) - 1}))
    assert (just_now.status_code, just_now.json()["code"]) == (401, "token_expired")
    assert product.call("GET", "/v1/auth/me", token=signed({"jti": "another"})).status_code == 200
    assert ada.get("/v1/auth/me").status_code == 200


def test_links_never_contain_a_spoofed_host(product: Product, services: Cluster) -> None:
    ada = product.join("ada")
    for number in range(3):
        ada.write(f"post {number}")
    path = f"/v1/profiles/{ada.id}/posts?limit=2"
    for start in (
        f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n",
        f"GET {path} HTTP/1.1\r\nHost: evil.example:80\r\nX-Forwarded-Host: 127.0.0.1\r\n",
        f"GET http://evil.example{path} HTTP/1.1\r\nHost: evil.example\r\n",
        f"GET {path} HTTP/1.0\r\n",
    ):
        answer = services.gateway.exchange(f"{start}Connection: close\r\n\r\n".encode())
        assert answer.startswith("HTTP/1.1 400"), answer
        assert '"malformed"' in answer
    good = f"GET http://evil.example{path} HTTP/1.1\r\nHost: 127.0.0.1:{services.gateway.port}\r\n"
    answer = services.gateway.exchange(f"{good}Connection: close\r\n\r\n".encode())
    assert answer.startswith("HTTP/1.1 200"), answer
    assert "evil.example" not in answer


def test_gateway_and_application_reject_tokens_with_the_same_response(product: Product) -> None:
    through = product.call("GET", "/v1/auth/me", token="no token")
    passed = product.call("GET", "/v1/auth/me", token=token())
    assert (through.status_code, through.json().keys()) == (passed.status_code, passed.json().keys())
    assert through.headers["Content-Type"] == passed.headers["Content-Type"]
    expired = product.call("GET", "/v1/auth/me", token=token(seconds=-60))
    assert (expired.status_code, expired.json()["code"]) == (401, "token_expired")


def test_writing_requires_a_token_and_reading_does_not(product: Product) -> None:
    ada = product.join("ada")
    post = ada.write("for everybody")
    seen = product.call("GET", f"/v1/posts/{post['id']}")
    assert seen.json()["content"] == "for everybody"
    refused = product.call("POST", "/v1/posts", {"content": "from nobody"})
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


def test_links_and_request_ids_come_from_the_gateway(product: Product) -> None:
    ada = product.join("ada")
    for number in range(3):
        ada.write(f"post {number}")
    answer = ada.get(f"/v1/profiles/{ada.id}/posts?limit=2", X_Request_ID="from-the-test")
    assert answer.json()["next"].startswith(f"{product.url}/v1/profiles/{ada.id}/posts?")
    assert answer.headers.get_list("X-Request-ID") == ["from-the-test"]
    assert len(httpx.get(answer.json()["next"], timeout=30).json()["results"]) == 1


def test_spoofed_addresses_are_ignored_and_internal_paths_get_404(product: Product) -> None:
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


def test_sockets_work_and_the_application_closes_those_with_bad_tokens(product: Product) -> None:
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


def test_pages_for_browsers_work_too(product: Product) -> None:
    for path in ("/", "/v1/docs", "/v1/schema", "/admin/login/", "/static/admin/css/base.css", "/health/ready"):
        answer = product.call("GET", path)
        assert answer.status_code == 200, path
        assert answer.headers.get_list("X-Content-Type-Options") in (["nosniff"], []), path


def test_the_gateway_sends_media_with_headers_and_ranges(product: Product) -> None:
    """The same checks as for the embedded gateway: content types, policy, ranges and visibility."""
    see_pictures(product)
