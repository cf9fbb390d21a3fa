"""Logging in, staying in, and out: sessions, their refresh tokens, and how they end."""

import pytest

from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_register_login_refresh_me_logout(anonymous, register):
    alice = register("Alice.1", full_name="Alice A")
    me = alice.client.get("/v1/auth/me")
    assert me.status_code == 200
    assert me.json()["username"] == "Alice.1"
    assert me.json()["email"] == "Alice.1@example.org"
    signed_in = anonymous.post("/v1/auth/login", {"login": "alice.1", "password": "correct horse battery"})
    assert signed_in.status_code == 200, signed_in.content
    renewed = anonymous.post("/v1/auth/refresh", {"refresh": signed_in.json()["refresh"]})
    assert renewed.status_code == 200
    assert anonymous.post("/v1/auth/logout", {"refresh": renewed.json()["refresh"]}).status_code == 204
    again = anonymous.post("/v1/auth/refresh", {"refresh": renewed.json()["refresh"]})
    assert (again.status_code, again.json()["code"]) == (401, "refresh_invalid")
