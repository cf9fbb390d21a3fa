"""Users who register on a real installation."""

import secrets
from dataclasses import dataclass

import httpx

from tests.run.installation import Installation


@dataclass(frozen=True)
class Somebody:
    """An account, and its tokens."""

    name: str
    password: str
    access: str
    refresh: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of their requests."""
        return {"Authorization": f"Bearer {self.access}"}


def join(installation: Installation) -> Somebody:
    """Registers a new account."""
    name, password = f"p{secrets.token_hex(8)}", "correct horse battery"
    body = {"email": f"{name}@example.org", "username": name, "password": password}
    answer = httpx.post(f"{installation.url}/v1/auth/register", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return Somebody(name, password, answer.json()["access"], answer.json()["refresh"])
