"""Sets up one-time passwords and logs in with them."""

import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pyotp

from apps.auth.actions import second_factors
from tests.conftest import JsonClient, Person

PASSWORD = "correct horse battery"


def log_in(otp: str | None = None) -> Any:
    """Logs alice in."""
    body = {"login": "alice", "password": PASSWORD, **({"otp": otp} if otp else {})}
    return JsonClient().post("/v1/auth/login", body)


def code(secret: str, steps: int = 0) -> str:
    """The current code, or that of the given number of 30-second steps later."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def set_up(person: Person) -> tuple[str, list[str]]:
    """Turns one-time passwords on, with the code of 30 seconds ago; returns the secret and the recovery codes.

    At that time, as it would not be valid any more if a step of 30 seconds ended before it arrived.
    """
    person.confirm()
    secret = person.client.post("/v1/auth/totp").json()["secret"]
    earlier = time.time() - 30
    with patch.object(second_factors, "time", SimpleNamespace(time=lambda: earlier)):
        answer = person.client.post("/v1/auth/totp/confirm", {"code": pyotp.TOTP(secret).at(int(earlier))})
    assert answer.status_code == 200, answer.content
    return secret, answer.json()["recovery_codes"]
