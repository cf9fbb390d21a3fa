"""Sets up one-time passwords and logs in with them."""

import time
from typing import Any

import pyotp

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
    """Turns one-time passwords on; returns the secret and the recovery codes."""
    person.confirm()
    secret = person.client.post("/v1/auth/totp").json()["secret"]
    answer = person.client.post("/v1/auth/totp/confirm", {"code": code(secret, -1)})
    assert answer.status_code == 200, answer.content
    return secret, answer.json()["recovery_codes"]
