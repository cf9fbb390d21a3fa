"""The time of a log-in reveals nothing: for any name, a wrong password costs one hash and equally many statements."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from apps.auth.models import User
from socialapp.core.passwords import OwaspArgon2PasswordHasher
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.query_budgets.counting import Meter, meter

__all__ = ["meter"]
pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_a_failed_log_in_costs_the_same_for_every_name(
    register: Callable[..., Person], meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("alice", "banned_one", "without_password"):
        register(name)
    User.objects.filter(username="banned_one").update(status=User.Status.BANNED)
    User.objects.filter(username="without_password").update(password=make_password(None))
    hashed: list[tuple[int, int, int]] = []
    encode = OwaspArgon2PasswordHasher.encode
    verify = OwaspArgon2PasswordHasher.verify

    def count_encoding(hasher: Any, password: str, salt: str) -> str:
        hashed.append((hasher.time_cost, hasher.memory_cost, hasher.parallelism))
        return str(encode(hasher, password, salt))

    def count_verifying(hasher: Any, password: str, encoded: str) -> bool:
        hashed.append((hasher.time_cost, hasher.memory_cost, hasher.parallelism))
        return bool(verify(hasher, password, encoded))

    monkeypatch.setattr(OwaspArgon2PasswordHasher, "encode", count_encoding)
    monkeypatch.setattr(OwaspArgon2PasswordHasher, "verify", count_verifying)
    logins = ("alice", "alice@example.org", "banned_one", "without_password", "nobody", "nobody@example.org", "no body")
    costs = {}
    for password in ("wrong horse battery", "x", "Käse\u0301 " * 20):
        for login in logins:
            hashed.clear()
            with meter.reading() as cost:
                answer = JsonClient().post("/v1/auth/login", {"login": login, "password": password})
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials"), login
            costs[login, password] = (list(hashed), cost.numbers())
    first = costs["alice", "wrong horse battery"]
    assert len(first[0]) == 1
    assert {key: cost for key, cost in costs.items() if cost != first} == {}
