"""Setting up one-time passwords and logging in with them."""

import time
from typing import Any

import pyotp

from tests.conftest import JsonClient, Person

PASSWORD = "correct horse battery"


def log_in(otp: str | None = None) -> Any:
    """A log-in of alice."""
    body = {"login": "alice", "password": PASSWORD, **({"otp": otp} if otp else {})}
    return JsonClient().post("/v1/auth/login", body)


def code(secret: str, steps: int = 0) -> str:
    """The code of now, or of so many steps of 30 seconds later."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def set_up(person: Person) -> tuple[str, list[str]]:
    """The secret and the recovery codes of somebody who now needs one-time passwords."""
    person.confirm()
    secret = person.client.post("/v1/auth/totp").json()["secret"]
    answer = person.client.post("/v1/auth/totp/confirm", {"code": code(secret, -1)})
    assert answer.status_code == 200, answer.content
    return secret, answer.json()["recovery_codes"]
