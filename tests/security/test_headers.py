"""Headers of every response for browsers and caches, and requests that are refused before they are processed."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from apps.posts.actions import flush_views
from socialapp.core.errors import Unauthenticated
from socialapp.http.problems import challenge
from socialapp.runtime.supervisor import _for_people
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.security.routes import Operation, operations

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

CHANGES: dict[str, dict[str, Any]] = {
    "/v1/auth/me": {"email": "alice@example.org"},
    "/v1/comments/{comment_id}": {"content": "changed"},
    "/v1/media/{media_id}": {"description": "changed"},
    "/v1/notifications/preferences": {"digest": "daily"},
    "/v1/notifications/schedule": {"digest_hour": 9},
    "/v1/posts/{post_id}": {"content": "changed"},
    "/v1/profiles/me": {"bio": "changed"},
}
NOT_EDITED = ("/v1/auth/sessions", "/v1/auth/totp")  # deleting them ends something, whatever was read before
PAGES = ("/", "/v1/docs", "/admin/login/")


def filled(operation: Operation) -> str:
    """A path with ids that nothing has."""
    return re.sub(r"{\w+}", "1", operation.path)


def ask(client: JsonClient, operation: Operation, **headers: str) -> Any:
    body: Any = None if operation.method in ("GET", "DELETE") else {}
    return client.request(operation.method, filled(operation), body, **headers)


def test_every_operation_has_cache_headers(register: Callable[..., Person], anonymous: JsonClient) -> None:
    """No cache shares a response to a token, and none stores secret, personal or refused ones."""
    alice = register("alice")
    for operation in operations():
        for client in (anonymous, alice.client):
            answer = ask(client, operation)
            stored, varies = answer.headers.get("Cache-Control", ""), answer.headers.get("Vary", "").lower()
            assert answer.status_code < 500, (operation.name, answer.content)
            assert "authorization" in varies or stored.startswith("public"), (operation.name, varies)
            assert "origin" in varies, operation.name
            if operation.method != "GET" or answer.status_code >= 400:
                assert stored == "no-store", (operation.name, answer.status_code, stored)
            elif client is alice.client:
                assert stored in ("no-store", "private, no-cache") or stored.startswith("public"), operation.name


@pytest.mark.parametrize("path", ["/v1/auth/me", "/v1/notifications", "/v1/auth/sessions", "/v1/feed", "/v1/blocks"])
def test_personal_responses_are_not_cached(register: Callable[..., Person], path: str) -> None:
    answer = register("alice").client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def test_a_304_has_the_headers_of_the_200(register: Callable[..., Person]) -> None:
    alice = register("alice")
    path = f"/v1/profiles/{alice.id}"
    full = alice.client.get(path)
    again = alice.client.get(path, If_None_Match=f'"other", W/{full.headers["ETag"]}')
    assert again.status_code == 304
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers[name] == full.headers[name]
    assert alice.client.get(path, If_None_Match="*").status_code == 304
    assert alice.client.get(path, If_None_Match='"other"').status_code == 200


def test_every_editable_object_has_an_etag_and_honors_if_match(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    """Everything that is read and changed at one path has an ETag, and is not changed if `If-Match` names another."""
    alice = register("alice")
    post_id = alice.client.post("/v1/posts", {"content": "x"}).json()["id"]
    drain()
    upload = alice.client.post("/v1/media/uploads", {"content_type": "image/png", "size": 9}).json()
    comment_id = alice.client.post(f"/v1/posts/{post_id}/comments", {"content": "x"}).json()["id"]
    ids = {"post_id": post_id, "comment_id": comment_id, "media_id": upload["id"]}
    bodies = {"/v1/auth/me": {"password": "correct horse battery"}}
    by_path: dict[str, set[str]] = {}
    for operation in operations():
        by_path.setdefault(operation.path, set()).add(operation.method)
    compared = set()
    for path, methods in sorted(by_path.items()):
        if "GET" not in methods or path in NOT_EDITED:
            continue
        for method in sorted(methods & {"PATCH", "DELETE"}):
            filled_path = path.format_map(ids)
            before = alice.client.get(filled_path)
            assert "ETag" in before.headers, path
            body = bodies.get(path) if method == "DELETE" else CHANGES[path]
            for tag in ('"999-0123456789abcdef"', f"W/{before.headers['ETag']}"):
                answer = alice.client.request(method, filled_path, body, If_Match=tag)
                assert (answer.status_code, answer.json()["code"]) == (412, "stale"), (method, path, answer.content)
            assert alice.client.get(filled_path).headers["ETag"] == before.headers["ETag"], (method, path)
            compared.add(path)
    assert compared == {*CHANGES}


def test_options_lists_methods_and_has_no_effect(anonymous: JsonClient) -> None:
    allowed: dict[str, set[str]] = {}
    for operation in operations():
        allowed.setdefault(filled(operation), set()).add(operation.method)
    for path, methods in allowed.items():
        answer = anonymous.request("OPTIONS", path)
        assert answer.status_code == 204, (path, answer.status_code)
        assert answer.content == b""
        found = set(answer.headers["Allow"].split(", "))
        assert found == methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()), path


@pytest.mark.parametrize("has_token", [False, True])
def test_an_unsupported_method_returns_405_with_allow(
    register: Callable[..., Person], anonymous: JsonClient, has_token: bool
) -> None:
    client = register("alice").client if has_token else anonymous
    by_path: dict[str, set[str]] = {}
    for operation in operations():
        by_path.setdefault(filled(operation), set()).add(operation.method)
    for path, methods in by_path.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - methods:
            answer = client.request(method, path, None if method in ("GET", "DELETE") else {})
            assert answer.status_code == 405, (method, path, answer.status_code)
            assert methods <= set(answer.headers["Allow"].split(", ")), (method, path)
            assert answer.headers["Content-Type"] == "application/problem+json"


def test_created_objects_have_a_location_and_an_etag(register: Callable[..., Person], anonymous: JsonClient) -> None:
    """A 201 contains the location, also when repeated, and its ETag works in If-Match."""
    alice = register("alice")
    key = {"Idempotency_Key": "once"}
    made = alice.client.post("/v1/posts", {"content": "hello"}, **key)
    again = alice.client.post("/v1/posts", {"content": "hello"}, **key)
    post_path = f"/v1/posts/{made.json()['id']}"
    for answer in (made, again):
        assert (answer.status_code, answer.headers["Location"]) == (201, post_path)
        assert answer.headers["ETag"] == alice.client.get(post_path).headers["ETag"]
    comment = alice.client.post(f"{post_path}/comments", {"content": "hello"})
    assert comment.headers["Location"] == f"/v1/comments/{comment.json()['id']}"
    edited = alice.client.patch(post_path, {"content": "edited"}, If_Match=made.headers["ETag"])
    assert edited.status_code == 200
    assert alice.client.patch(post_path, {"content": "x"}, If_Match=made.headers["ETag"]).status_code == 412
    body = {"email": "bob@example.org", "username": "bob", "password": "correct horse battery"}
    bob = anonymous.post("/v1/auth/register", body)
    assert bob.headers["Location"] == f"/v1/users/{bob.json()['user']['id']}"
    assert anonymous.post("/v1/auth/register", body).headers.get("Location") is None


def test_head_returns_the_headers_of_get_without_side_effects(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = alice.client.post("/v1/posts", {"content": "hello"}).json()["id"]
    for path in (f"/v1/posts/{post_id}", f"/v1/profiles/{alice.id}", "/v1/feed", "/v1/notifications"):
        got, head = bob.client.get(path), bob.client.request("HEAD", path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers.get("ETag") == got.headers.get("ETag")


def test_head_does_not_count_as_a_view_of_a_post(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob = register("alice"), register("bob")
    post_id = alice.client.post("/v1/posts", {"content": "hello"}).json()["id"]
    drain()
    for _ in range(3):
        assert bob.client.request("HEAD", f"/v1/posts/{post_id}").status_code == 200
    assert flush_views() == 0
    assert bob.client.get(f"/v1/posts/{post_id}").status_code == 200
    assert flush_views() == 1


@pytest.mark.parametrize("spaces", [1, 2, 9])
def test_several_spaces_are_allowed_before_the_token(register: Callable[..., Person], spaces: int) -> None:
    alice = register("alice")
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = JsonClient().get("/v1/auth/me", Authorization=f"{scheme}{' ' * spaces}{alice.access}")
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer a b", "Bearer\ta", "Basic YTpi", "a.b.c", "Bearer a,b"]
)
def test_an_invalid_token_is_challenged(anonymous: JsonClient, header: str) -> None:
    answer = anonymous.get("/v1/posts?ids=1", Authorization=header)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="socialapp", error="invalid_token"')


def test_a_missing_token_is_challenged_without_an_error(anonymous: JsonClient) -> None:
    answer = anonymous.get("/v1/auth/me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="socialapp"')


def test_a_challenge_is_one_header_value() -> None:
    text = challenge(Unauthenticated("the access token has expired", code="token_expired"))
    assert text == 'Bearer realm="socialapp", error="invalid_token", error_description="the access token has expired"'


@pytest.mark.parametrize("path", ["/v1/posts?ids=1", "/v1/auth/me", "/v1/nothing", "/nothing", *PAGES])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "a b", "@", "[::2]"])
def test_an_unknown_host_is_400_everywhere(anonymous: JsonClient, settings: Any, path: str, host: str) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
    answer = anonymous.get(path, Host=host)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "evil" not in answer.content.decode()
    assert anonymous.get("/v1/posts?ids=1", Host="localhost:8000").status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_a_strict_content_security_policy(anonymous: JsonClient, path: str) -> None:
    answer = anonymous.get(path, Accept="text/html")
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    for name in ("script-src", "style-src"):
        sources = policy[name].split()
        assert sources[0] == "'self'"
        assert all(source.startswith(("'nonce-", "'sha256-")) for source in sources[1:]), policy[name]
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer", "strict-origin-when-cross-origin")
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_nothing_inline_that_the_policy_forbids(anonymous: JsonClient, path: str) -> None:
    answer = anonymous.get(path, Accept="text/html")
    page, policy = answer.content.decode(), answer.headers["Content-Security-Policy"]
    for attributes, body in re.findall(r"<(?:script|style)\b([^>]*)>([^<]*)<", page):
        if "src=" not in attributes and body.strip():
            nonce = re.search(r'nonce="([^"]+)"', attributes)
            assert "'sha256-" in policy or (nonce and nonce[1] in policy)
    assert not re.search(r"\son\w+=|\sstyle=|href=.javascript:", page)


@pytest.mark.parametrize("path", ["/v1/posts?ids=1", "/v1/nothing", "/health/live", "/.well-known/jwks.json"])
def test_the_policy_of_data_allows_no_loading(anonymous: JsonClient, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "text", ["x\n22:22:22 web      GET /v1 200", "\x1b[2J", "a\rb", "\u202egnp", "\u2028", "\x9b2J"]
)
def test_log_lines_for_people_cannot_be_forged(text: str) -> None:
    request = {"event": "request", "method": "GET", "path": text, "status": 404, "milliseconds": 1.0}
    for entry in (request, {"event": text}, {"event": "x", "path": text}, {"event": "x", "level": text}):
        line = _for_people("web", entry)
        assert line.isprintable(), line
    traced = _for_people("web", {"event": "x", "exception": f"Error: {text}"})
    assert all(line.startswith("    ") and line.isprintable() for line in traced.split("\n")[1:])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOOGLE_AUTHORIZE_URL", "http://provider.example/authorize"),
        ("GITHUB_TOKEN_URL", "provider.example"),
        ("FACEBOOK_USER_URL", "https://"),
    ],
)
def test_an_insecure_login_provider_is_refused_at_startup(name: str, value: str) -> None:
    found = load_settings(**{name: value})
    assert found.returncode != 0
    assert f"{name} must be an https URL" in found.stderr


def test_an_insecure_login_provider_on_localhost_is_allowed() -> None:
    assert load_settings(GOOGLE_AUTHORIZE_URL="http://127.0.0.1:9/a").returncode == 0


def load_settings(**changes: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "import socialapp.settings"]
    return subprocess.run(command, env={**os.environ, **changes}, capture_output=True, text=True, check=False)
