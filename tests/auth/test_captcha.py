"""The captcha before sign-up, against a local server with the siteverify protocol."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from apps.auth.models import User
from tests.conftest import ALL_CONTEXTS, JsonClient

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


class _SiteVerify(BaseHTTPRequestHandler):
    """Accepts each solution once; responds to `broken` as a failing service would."""

    solutions: set[str]
    seen: list[dict[str, str]]

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        form = {name: values[0] for name, values in sent.items()}
        self.seen.append(form)
        is_right = form["secret"] == "s3" and form["response"] in self.solutions
        self.solutions.discard(form["response"])
        self.send_response(500 if form["response"] == "broken" else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"success": is_right}).encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def siteverify(settings: Any) -> Iterator[Any]:
    handler = type("Handler", (_SiteVerify,), {"solutions": {"solved"}, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.CAPTCHA_PROVIDER, settings.CAPTCHA_SITE_KEY, settings.CAPTCHA_SECRET = "hcaptcha", "k1", "s3"
    settings.CAPTCHA_VERIFY_URL = f"http://127.0.0.1:{server.server_port}/siteverify"
    yield handler
    server.shutdown()
    server.server_close()


def sign_up(name: Any, **more: Any) -> Any:
    body = {"email": f"{name}@example.org", "password": "correct horse battery", "username": name, **more}
    return JsonClient().post("/v1/auth/register", body)


def test_a_solution_is_valid_once(siteverify: Any, anonymous: JsonClient) -> None:
    shown = anonymous.get("/v1/instance").json()["captcha"]
    assert shown == {"provider": "hcaptcha", "site_key": "k1"}
    assert sign_up("alice", captcha="solved").status_code == 201
    assert siteverify.seen == [{"secret": "s3", "response": "solved", "remoteip": "127.0.0.1", "sitekey": "k1"}]
    again = sign_up("bob", captcha="solved")
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "captcha_invalid")
    assert list(User.objects.values_list("username", flat=True)) == ["alice"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [({}, 422, "captcha_required"), ({"captcha": "guess"}, 422, "captcha_invalid"), ({"captcha": "broken"}, 503, None)],
)
def test_registration_without_a_solution_is_rejected(
    siteverify: Any, sent: dict[str, Any], status: int, code: str | None
) -> None:
    answer = sign_up("alice", **sent)
    assert answer.status_code == status
    assert code is None or [error["code"] for error in answer.json()["errors"]] == [code]
    assert not User.objects.exists()


def worked(challenge: str, difficulty: int) -> str:
    for number in range(2**20):
        found = hashlib.sha256(f"{challenge}:{number}".encode()).digest()
        if int.from_bytes(found) >> (256 - difficulty) == 0:
            return f"{challenge}:{number}"
    raise AssertionError("no number was found")


def test_proof_of_work_is_verified_and_valid_once(settings: Any, anonymous: JsonClient) -> None:
    settings.CAPTCHA_PROVIDER, settings.CAPTCHA_DIFFICULTY = "proof_of_work", 10
    assert anonymous.get("/v1/instance").json()["captcha"]["provider"] == "proof_of_work"
    asked = anonymous.post("/v1/auth/captcha").json()
    assert (asked["difficulty"], asked["expires_in"]) == (10, 600)
    solution = worked(asked["challenge"], 10)
    undone = f"{asked['challenge']}:{int(solution.rpartition(':')[2]) - 1}"
    forged = worked(f"x{asked['challenge']}", 10)
    for bad in (undone, forged, asked["challenge"], f"{asked['challenge']}:", f"{asked['challenge']}:-1", ":1", "x:1"):
        refused = sign_up("alice", captcha=bad)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "captcha_invalid"), bad
    assert sign_up("alice", captcha=solution).status_code == 201
    assert sign_up("bob", captcha=solution).status_code == 422
    assert list(User.objects.values_list("username", flat=True)) == ["alice"]


def test_proof_of_work_challenges_exist_only_if_configured(anonymous: JsonClient) -> None:
    assert anonymous.post("/v1/auth/captcha").status_code == 404


def test_the_captcha_is_off_by_default(anonymous: JsonClient) -> None:
    assert anonymous.get("/v1/instance").json()["captcha"] is None
    assert sign_up("alice").status_code == 201
