"""The fast path responds exactly as Django does: the same status, headers and body."""

import json
import re
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from prometheus_client import REGISTRY

from apps.auth import queries
from socialapp.core.cache import redis_client
from socialapp.wsgi import application
from tests.conftest import ALL_CONTEXTS, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

Answer = tuple[str, list[tuple[str, str]], bytes]
_HOT = ("/v1/feed", "/v1/posts/{post}", "/v1/auth/me", "/v1/notifications", "/v1/search?q=well&type=posts")


def _ask(application: Any, environ: dict[str, Any], sent: bytes) -> Answer:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    stream = BytesIO(sent)
    response = application({**environ, "wsgi.input": stream}, lambda *head: started.append(head[:2]))
    assert not stream.read(), "the body was not read to its end"
    body = b"".join(response)
    if hasattr(response, "close"):  # which only Django's responses have
        response.close()
    return started[0][0], sorted(started[0][1]), body


def _environ(path: str, **environ: Any) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_X_REQUEST_ID": "one-of-ours",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        **environ,
    }


def _both(path: str, *, body: bytes = b"", is_hot: bool = True, **environ: Any) -> Answer:
    """The response, which must be the same on both paths; `is_hot`: whether the fast path serves it."""
    sent = _environ(path, **environ)
    if body:
        sent |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": environ.get("CONTENT_TYPE", "application/json")}
    served = application._fast_path.answer({**sent, "wsgi.input": BytesIO(body)})
    assert (served is not None) == is_hot, f"{path} {environ}"
    fast = _ask(application, sent, body)
    assert _without_ids(fast) == _without_ids(_ask(application._ordinary, sent, body))
    return fast


def _without_ids(answer: Answer) -> Answer:
    """The answer without what differs between two new objects: ids, times, and the entity tag made from them."""
    status, headers, body = answer
    if status != "201 Created":
        return answer
    hidden = [(name, "…" if name in ("Location", "ETag") else value) for name, value in headers]
    return status, hidden, re.sub(rb'"[0-9]{15,}"|"20[0-9T:.-]+Z"', b'"..."', body)


@pytest.fixture
def reader(register: Callable[..., Person], drain: Callable[[], int]) -> Person:
    reader, writer = register("reader"), register("writer")
    reader.client.put(f"/v1/profiles/{writer.id}/follow")
    for number in range(3):
        writer.client.post("/v1/posts", {"content": f"a well in the square, number {number}"})
    drain()
    return reader


def test_fast_path_and_django_return_the_same(reader: Person) -> None:
    bearer: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {reader.access}"}
    post = reader.client.get("/v1/feed").json()["results"][0]["id"]
    counted = {"method": "GET", "route": "v1/auth/me", "status": "200"}
    before = REGISTRY.get_sample_value("socialapp_http_requests_total", counted) or 0
    tags = {}
    for path in (path.format(post=post) for path in _HOT):
        status, headers, _ = _both(path, **bearer)
        assert status == "200 OK"
        tags[path] = dict(headers).get("ETag")
    assert REGISTRY.get_sample_value("socialapp_http_requests_total", counted) == before + 3
    for path, etag in tags.items():
        if etag:
            assert _both(path, **bearer, HTTP_IF_NONE_MATCH=etag)[0] == "304 Not Modified"
            assert _both(path, **bearer, HTTP_IF_NONE_MATCH=f'W/{etag}, "other"')[0] == "304 Not Modified"
            assert _both(path, **bearer, HTTP_IF_MATCH='"99-0123456789abcdef"')[0] == "412 Precondition Failed"
            assert _both(path, **bearer, HTTP_IF_MATCH="99")[0] == "400 Bad Request"
    assert _both("/v1/feed?limit=1", **bearer)[0] == "200 OK"
    assert _both("/v1/feed?limit=none", **bearer)[0] == "400 Bad Request"
    assert _both("/v1/search?q=", **bearer)[0] == "422 Unprocessable Entity"
    assert _both("/v1/posts/1", **bearer)[0] == "404 Not Found"
    assert _both("/v1/auth/me", **bearer, HTTP_X_FORWARDED_PROTO="https", HTTP_HOST="localhost:8443")[0] == "200 OK"
    assert _both("/v1/auth/me", **bearer, HTTP_ACCEPT="text/html", HTTP_ACCEPT_ENCODING="gzip")[0] == "200 OK"


def test_fast_path_and_django_refuse_the_same(reader: Person, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, settings.ACCESS_TOKEN_SECONDS = settings.ACCESS_TOKEN_SECONDS, -60
    renewed = reader.client.post("/v1/auth/refresh", {"refresh": reader.refresh}).json()
    expired, settings.ACCESS_TOKEN_SECONDS = renewed["access"], seconds
    for sent in ("", "Bearer", "Bearer x", f"Basic {reader.access}", f"Bearer {reader.access}x", f"Bearer {expired}"):
        assert _both("/v1/posts/1", HTTP_AUTHORIZATION=sent)[0] == "401 Unauthorized"
    bearer: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {reader.access}"}
    assert _both("/v1/feed", **bearer, HTTP_HOST="elsewhere.example", is_hot=False)[0] == "400 Bad Request"
    with monkeypatch.context() as patched:
        patched.setattr(queries, "account", lambda user_id: 1 // 0)
        assert _both("/v1/auth/me", **bearer)[0] == "500 Internal Server Error"
    settings.RATE_LIMITS, settings.RATES = True, {**settings.RATES, "read": (0, 1)}
    assert _both("/v1/feed", **bearer)[0] == "429 Too Many Requests"
    settings.RATE_LIMITS = False
    assert reader.client.post("/v1/auth/logout", {"refresh": renewed["refresh"]}).status_code == 204
    redis_client().flushdb()
    assert _both("/v1/feed", **bearer)[0] == "401 Unauthorized"


def test_fast_path_and_django_treat_writes_the_same(reader: Person, settings: Any) -> None:
    bearer: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {reader.access}"}
    post = reader.client.get("/v1/feed").json()["results"][0]["id"]
    put: dict[str, Any] = {**bearer, "REQUEST_METHOD": "PUT", "path": f"/v1/posts/{post}/reaction"}
    love = b'{"reaction_type": "love"}'
    assert _both(**put, body=love)[0] == "200 OK"
    assert _both(**put, body=love, HTTP_ORIGIN=settings.ALLOWED_ORIGINS[0])[0] == "200 OK"
    assert _both(**put, body=b'{"reaction_type": "adore"}')[0] == "422 Unprocessable Entity"
    assert _both(**put, body=b'{"reaction_type": "love", "reaction_type": "love"}')[0] == "400 Bad Request"
    assert _both(**put, body=b"\xff")[0] == "400 Bad Request"
    assert _both(**{**put, "path": "/v1/posts/1/reaction"}, body=love)[0] == "404 Not Found"
    assert _both(**{**put, "HTTP_AUTHORIZATION": "Bearer x"}, body=love)[0] == "401 Unauthorized"
    create: dict[str, Any] = {**bearer, "REQUEST_METHOD": "POST", "path": "/v1/posts"}
    said = b'{"content": "in the square"}'
    assert _both(**create, body=said)[0] == "201 Created"
    assert _both(**create, body=b'{"content": ""}')[0] == "422 Unprocessable Entity"
    once: dict[str, Any] = {**create, "HTTP_IDEMPOTENCY_KEY": "one-key"}
    assert _both(**once, body=said) == _both(**once, body=said)
    assert _both(**once, body=b'{"content": "something else"}')[0] == "422 Unprocessable Entity"


def test_cookies_are_read_in_linear_time() -> None:
    escaped = 'device="' + '\\"' * 32_000 + '"; oauth_browser=one-of-ours'
    sent = _environ("/v1/auth/refresh", REQUEST_METHOD="POST", CONTENT_TYPE="application/json", CONTENT_LENGTH="2")
    began = time.process_time()
    status, _, body = _ask(application, {**sent, "HTTP_COOKIE": escaped}, b"{}")
    assert time.process_time() - began < 1
    assert (status, json.loads(body)["errors"][0]["code"]) == ("422 Unprocessable Entity", "required")


@pytest.mark.parametrize("path", ["/v1/auth/refresh", "/auth/reset-password"])
def test_a_content_type_is_read_in_linear_time(path: str) -> None:
    endless = 'multipart/form-data; boundary="' + ";" * 64_000 + '"'
    began = time.process_time()
    status, _, _ = _ask(
        application, _environ(path, REQUEST_METHOD="POST", CONTENT_TYPE=endless, CONTENT_LENGTH="2"), b"{}"
    )
    assert time.process_time() - began < 1
    assert status in ("400 Bad Request", "415 Unsupported Media Type")


def test_unusual_bodies_do_not_take_the_fast_path(reader: Person, settings: Any) -> None:
    bearer: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {reader.access}", "REQUEST_METHOD": "POST"}
    said = b'{"content": "in the square"}'
    for environ, status in (
        ({"CONTENT_TYPE": "application/json; charset=utf-8"}, "201 Created"),
        ({"CONTENT_TYPE": "text/plain"}, "415 Unsupported Media Type"),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, "415 Unsupported Media Type"),
        ({"HTTP_ORIGIN": "https://elsewhere.example"}, "201 Created"),
    ):
        assert _both("/v1/posts", **bearer, **environ, body=said, is_hot=False)[0] == status
    assert _both("/v1/posts", **bearer, is_hot=False)[0] == "422 Unprocessable Entity"
    large = b'{"content": "' + b"a" * settings.MAX_BODY_BYTES + b'"}'
    assert _both("/v1/posts", **bearer, body=large, is_hot=False)[0] == "413 Request Entity Too Large"


def test_other_requests_do_not_take_the_fast_path(reader: Person) -> None:
    bearer: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {reader.access}"}
    assert _both("/v1/auth/me", **bearer, REQUEST_METHOD="HEAD", is_hot=False)[0] == "200 OK"
    assert _both("/v1/auth/me", **bearer, REQUEST_METHOD="OPTIONS", is_hot=False)[0] == "204 No Content"
    assert _both("/v1/auth/me", **bearer, REQUEST_METHOD="POST", is_hot=False)[0] == "405 Method Not Allowed"
    assert _both("/v1/auth/me", **bearer, HTTP_ORIGIN="https://app.example", is_hot=False)[0] == "200 OK"
    assert _both("/v1/auth/me/", **bearer, is_hot=False)[0] == "200 OK"
    assert _both("/v1/auth/me", is_hot=False)[0] == "401 Unauthorized"
    assert _both("/v1/posts/18446744073709551616", **bearer, is_hot=False)[0] == "404 Not Found"
    assert _both("/v1/nothing", **bearer, is_hot=False)[0] == "404 Not Found"


_ODD_TYPES = [
    "application/json; charset=base64",
    "application/json; charset=utf-16",
    "application/json; charset=idna",
    "application/json; charset=undefined",
    "application/json; charset*=utf-8''%00",
    "application/json; profile*=nope''x",
    "application/json; profile*=idna''%c3",
    "application/json; profile*=%00''x",
]


@pytest.mark.parametrize("content_type", _ODD_TYPES)
@pytest.mark.parametrize("with_token", [True, False])
def test_parameters_of_a_content_type_change_nothing(reader: Person, content_type: str, with_token: bool) -> None:
    """Neither how the query is decoded nor how the body is."""
    token = {"HTTP_AUTHORIZATION": f"Bearer {reader.access}"} if with_token else {}
    asked = _environ("/v1/notifications?limit=%31" if with_token else "/v1/explore?limit=%31", **token)
    plain = _ask(application, dict(asked), b"")
    assert (plain[0], len(json.loads(plain[2])["results"])) == ("200 OK", 1)
    assert _ask(application, {**asked, "CONTENT_TYPE": content_type}, b"") == plain
    said = b'{"content": "caf\xc3\xa9"}'
    write = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(said))}
    status, _, body = _ask(application, _environ("/v1/posts", **token, **write), said)
    assert status == ("201 Created" if with_token else "401 Unauthorized")
    assert not with_token or json.loads(body)["content"] == "café"


def test_many_parameters_in_a_query_are_refused_whatever_the_content_type(reader: Person) -> None:
    asked = _environ("/v1/explore?" + "a=1&" * 2000, CONTENT_TYPE="application/json; charset=utf-8")
    assert _ask(application, asked, b"")[0] == "400 Bad Request"


def test_a_form_is_read_whatever_else_its_content_type_says(reader: Person) -> None:
    form = (
        b'--=x y\r\nContent-Disposition: form-data; name="description"\r\n\r\ncaf\xc3\xa9\r\n'
        b'--=x y\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nno picture\r\n--=x y--\r\n'
    )
    for kind in (
        'multipart/form-data; charset=base64; Boundary="=x y"',
        "multipart/form-data;boundary=\"=x y\";a*=b''c",
    ):
        sent = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(form))}
        asked = _environ("/v1/media", HTTP_AUTHORIZATION=f"Bearer {reader.access}", **sent)
        status, _, body = _ask(application, asked, form)
        assert (status, json.loads(body)["errors"][0]["code"]) == ("422 Unprocessable Entity", "media_unsupported")
