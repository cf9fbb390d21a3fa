"""Mistaken or malicious requests: each gets a problem, never a server error."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from socialapp.http.models import IdempotencyKey
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

DEEP = b'{"content": "x", "y": ' + b"[" * 300 + b"]" * 300 + b"}"


def problem(answer: Any) -> tuple[int, str]:
    """The status and code of a problem response."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "errors"}
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


@pytest.mark.parametrize("body", [b'{"content": "x", "y": 1' + b"0" * 40 + b"}", b'{"content": 1e999}', DEEP])
def test_a_malformed_body_is_refused_the_same_with_an_idempotency_key(
    register: Callable[..., Person], body: Any
) -> None:
    alice = register("alice")
    without = alice.client.post("/v1/posts", body)
    with_key = alice.client.post("/v1/posts", body, Idempotency_Key="k")
    assert problem(without) == problem(with_key) == (422, "invalid")
    assert not IdempotencyKey.objects.using("posts").exists()


def test_a_body_nested_too_deeply_is_malformed(register: Callable[..., Person]) -> None:
    alice = register("alice")
    body = b'{"content": "x", "y": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    for headers in ({}, {"Idempotency_Key": "k"}):
        assert problem(alice.client.post("/v1/posts", body, **headers)) == (400, "malformed_json")


def test_no_depth_of_a_body_is_a_server_error(register: Callable[..., Person]) -> None:
    alice = register("alice")
    post = alice.client.post("/v1/posts", {"content": "x"}).json()["id"]
    path = f"/v1/posts/{post}/reaction"  # of the fast path, which has fewer frames on the stack
    for depth in range(800, 1000):
        nested = b"[" * depth + b"]" * depth
        answer = alice.client.put(path, b'{"reaction_type": ' + nested + b"}")
        assert problem(answer) in ((400, "malformed_json"), (422, "invalid")), depth


MARKS = "a" + "\u0315" * 30_000 + "\u0300" * 30_000  # normalization sorts them, in quadratic time


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/auth/login", {"login": "alice", "password": MARKS}),
        ("/v1/auth/login", {"login": MARKS, "password": "x"}),
        ("/v1/auth/register", {"username": "alice", "email": f"{MARKS}@example.org", "password": MARKS}),
        ("/v1/auth/password/reset", {"key": "1-x", "password": MARKS}),
        ("/v1/auth/password/forgot", {"email": MARKS}),
    ],
)
def test_a_text_that_is_too_long_is_refused_before_it_is_normalized(
    anonymous: JsonClient, path: str, fields: dict[str, str]
) -> None:
    began = time.process_time()
    answer = anonymous.post(path, fields)
    assert time.process_time() - began < 1
    assert problem(answer) == (422, "invalid")
    assert {error["code"] for error in answer.json()["errors"]} == {"max_length"}


def test_pages_and_lists_normalize_no_long_texts_either(anonymous: JsonClient) -> None:
    began = time.process_time()
    forms = Client()
    assert forms.post("/auth/reset-password", {"key": "1-x", "password": MARKS}).status_code == 422
    assert forms.post("/admin/login/", {"username": "alice", "password": MARKS}).status_code == 200
    assert forms.post("/admin/login/", {"username": MARKS, "password": "x"}).status_code == 200
    for path in ("/v1/hashtags/{}/posts", "/v1/profiles/by-username/{}", "/v1/search?q={}", "/v1/search/suggest?q={}"):
        assert anonymous.get(path.format(quote(MARKS[20_000:40_000]))).status_code in (200, 404, 422), path
    assert time.process_time() - began < 2


def test_the_items_of_a_list_that_is_too_long_are_not_looked_at(anonymous: JsonClient) -> None:
    answer = anonymous.post("/v1/posts/views", {"ids": ["x"] * 200_000})
    assert problem(answer) == (422, "invalid")
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("ids", "max_length")]


def test_of_many_unknown_fields_some_are_named(anonymous: JsonClient) -> None:
    fields = {f"unknown-{number:06}": 1 for number in range(20_000)}
    answer = anonymous.post("/v1/auth/login", {"login": "a", "password": "b", **fields})
    assert problem(answer) == (422, "invalid")
    named = [error["field"] for error in answer.json()["errors"]]
    assert named == [f"unknown-{number:06}" for number in range(20)]


def test_different_numbers_of_any_size_are_different_bodies_under_one_key(register: Callable[..., Person]) -> None:
    alice = register("alice")
    assert alice.client.post("/v1/posts", {"content": "x"}, Idempotency_Key="k").status_code == 201
    again = alice.client.post("/v1/posts", b'{"content": 1' + b"0" * 40 + b"}", Idempotency_Key="k")
    assert problem(again) in {(422, "idempotency_key_reused"), (422, "invalid")}


@pytest.mark.parametrize("text", ["\u200b", "\u202e \u2060", "\ufeff \u00ad", "\u3000\u2028"])
def test_an_invisible_text_is_blank(register: Callable[..., Person], text: str) -> None:
    alice = register("alice")
    answer = alice.client.post("/v1/posts", {"content": text})
    assert problem(answer) == (422, "invalid")
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("content", "blank")]
    named = alice.client.patch("/v1/profiles/me", {"full_name": text})
    if text.strip():
        assert [(error["field"], error["code"]) for error in named.json()["errors"]] == [("full_name", "blank")]
    else:
        assert named.json()["full_name"] == "", "white space alone is no name, like an empty field"
    family = "\U0001f469\u200d\U0001f467"
    assert alice.client.post("/v1/posts", {"content": family}).json()["content"] == family


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP, identity"])
def test_a_compressed_body_is_not_read_as_a_plain_one(anonymous: JsonClient, encoding: str) -> None:
    answer = anonymous.post("/v1/auth/login", {"login": "a", "password": "b"}, Content_Encoding=encoding)
    assert problem(answer) == (415, "unsupported_type")
    plain = anonymous.post("/v1/auth/login", {"login": "a", "password": "b"}, Content_Encoding="identity")
    assert problem(plain) == (401, "invalid_credentials")


@pytest.mark.parametrize("path", ["/health/live", "/.well-known/jwks.json", "/v1/hashtags/trending", "/v1/schema"])
def test_a_trailing_slash_changes_nothing(anonymous: JsonClient, path: str) -> None:
    plain, slash = anonymous.get(path), anonymous.get(f"{path}/")
    assert (plain.status_code, slash.status_code) == (200, 200)
    assert plain.content == slash.content


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize(
    "path", ["/", "/health/live", "/health/ready", "/metrics", "/v1/schema", "/v1/docs", "/.well-known/jwks.json"]
)
def test_a_method_that_is_not_allowed_is_a_problem_that_lists_those_allowed(method: str, path: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert problem(answer) == (405, "method_not_allowed")
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/posts", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/v1/feed", {"GET", "HEAD", "OPTIONS"}),
        ("/v1/posts/5", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
        ("/v1/auth/me", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
        ("/health/live", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_options_needs_no_log_in(anonymous: JsonClient, path: str, methods: set[str]) -> None:
    answer = anonymous.request("OPTIONS", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["Allow"].split(", ")) == methods


def test_the_admin_site_is_found_without_a_trailing_slash(anonymous: JsonClient) -> None:
    answer = anonymous.get("/admin")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_the_schema_is_served_as_json_which_is_valid_yaml(anonymous: JsonClient) -> None:
    answer = anonymous.get("/v1/schema")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    document = json.loads(answer.content)
    assert document["openapi"].startswith("3.1")
    assert "/v1/posts" in document["paths"]


def test_if_match_may_list_several_etags(register: Callable[..., Person]) -> None:
    alice = register("alice")
    path = f"/v1/posts/{alice.client.post('/v1/posts', {'content': 'one'}).json()['id']}"
    first = alice.client.get(path).headers["ETag"]
    second = alice.client.patch(path, {"content": "two"}, If_Match=f'"other", {first}').headers["ETag"]
    stale = alice.client.patch(path, {"content": "three"}, If_Match=f'{first},W/"x"')
    assert problem(stale) == (412, "stale")
    assert alice.client.patch(path, {"content": "three"}, If_Match=f"{first} , {second}").status_code == 200


@pytest.mark.parametrize("tag", ["1-0123456789abcdef", '"', '"a" "b"', ","])
def test_an_if_match_without_a_valid_etag_is_malformed(register: Callable[..., Person], tag: str) -> None:
    alice = register("alice")
    path = f"/v1/posts/{alice.client.post('/v1/posts', {'content': 'one'}).json()['id']}"
    assert problem(alice.client.patch(path, {"content": "two"}, If_Match=tag)) == (400, "if_match_invalid")
    assert alice.client.get(path).json()["content"] == "one"


@pytest.mark.parametrize("version", ["7", "999999999", "9" * 19, "9" * 40])
def test_any_version_other_than_the_current_one_is_stale(register: Callable[..., Person], version: Any) -> None:
    alice = register("alice")
    path = f"/v1/posts/{alice.client.post('/v1/posts', {'content': 'one'}).json()['id']}"
    for where in (path, "/v1/profiles/me", "/v1/auth/me", "/v1/notifications/preferences"):
        assert problem(alice.client.patch(where, {}, If_Match=f'"{version}-0123456789abcdef"')) == (412, "stale"), where
