"""Rotating the signing keys logs nobody out."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.auth.actions.keys import forget_loaded_keys
from apps.auth.models import SigningKey
from socialapp.http.tokens import forget_rotated_keys
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_loaded_keys()
    forget_rotated_keys()
    yield
    forget_loaded_keys()
    forget_rotated_keys()


def keys(*arguments: Any) -> Any:
    out = io.StringIO()
    call_command("keys", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def kid_of(token: Any) -> Any:
    return jwt.get_unverified_header(token)["kid"]


def test_a_new_key_is_published_before_it_signs_and_old_tokens_stay_valid(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    (made,) = keys("rotate")
    forget_loaded_keys()
    assert made["state"] == "next"
    published = {key["kid"] for key in anonymous.get("/.well-known/jwks.json").json()["keys"]}
    assert published == {made["kid"], kid_of(alice.access)}
    renewed = anonymous.post("/v1/auth/refresh", {"refresh": alice.refresh}).json()
    assert kid_of(renewed["access"]) == kid_of(alice.access), "not yet"
    SigningKey.objects.update(signs_from=timezone.now())
    forget_loaded_keys()
    renewed = anonymous.post("/v1/auth/refresh", {"refresh": renewed["refresh"]}).json()
    assert kid_of(renewed["access"]) == made["kid"]
    for token in (renewed["access"], alice.access):
        assert JsonClient(token).get("/v1/auth/me").status_code == 200
    assert [key["state"] for key in keys("list")] == ["signing", "verifying"]


def test_the_private_key_is_stored_encrypted(register: Callable[..., Person]) -> None:
    keys("rotate", "--now")
    assert "PRIVATE KEY" not in SigningKey.objects.get().private_key
