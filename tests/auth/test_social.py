"""Log-in with a provider: a real one stands in on a local port; no account is ever shared with a stranger."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.auth import actions, handlers, queries
from apps.auth.models import User
from socialapp.contracts.auth import UserDeleted
from tests.conftest import ALL_CONTEXTS, JsonClient

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

BACK = "http://127.0.0.1:8000/back"
PASSWORD = "correct horse battery"


class Provider(BaseHTTPRequestHandler):
    """Answers tokens and profiles as `server.people` has them, and checks the PKCE secret as a provider does."""

    def do_POST(self):
        sent = {
            name: values[0]
            for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()
        }
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        good = (
            challenge == self.server.challenge
            and sent["client_secret"] == "hush"
            and sent["code"] in self.server.people
        )
        self._answer(
            {"access_token": sent["code"]} if good else {"error": "bad_verification_code"},
            200 if good else self.server.refusal,
        )

    def do_GET(self):
        person = self.server.people[self.headers["Authorization"].removeprefix("Bearer ")]
        self._answer(person["emails"] if self.path.endswith("/emails") else person)

    def _answer(self, body, status=200):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def provider(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.people, server.challenge, server.refusal = {}, "", 400
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    settings.SOCIAL_PROVIDERS = {
        name: {
            "client_id": f"id-{name}",
            "client_secret": "hush",
            "authorize_url": "https://provider.example/authorize",
            "token_url": f"{url}/token",
            "user_url": f"{url}/user",
        }
        for name in ("google", "github", "facebook")
    }
    yield server
    server.shutdown()
    server.server_close()


def google(number="1", email="alice@example.org", *, verified=True, name="Alice Adams"):
    return {"sub": number, "email": email, "email_verified": verified, "name": name}


def start(server, name="google"):
    answer = JsonClient().get(f"/v1/auth/social/{name}/authorize?redirect_uri={BACK}")
    assert answer.status_code == 200, answer.content
    query = {key: values[0] for key, values in parse_qs(urlsplit(answer.json()["authorize_url"]).query).items()}
    server.challenge = query["code_challenge"]
    assert query["state"] == answer.json()["state"]
    return query


def finish(state, code="c", name="google", **changes):
    return JsonClient().post(f"/v1/auth/social/{name}", {"code": code, "state": state, "redirect_uri": BACK, **changes})


def sign_in(server, person, name="google", **more):
    server.people["c"] = person
    return finish(start(server, name)["state"], name=name, **more)


def test_the_user_is_sent_off_with_pkce(provider):
    query = start(provider)
    assert query["client_id"] == "id-google"
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == BACK
    assert query["scope"] == "openid email profile"


def test_a_new_person_gets_an_account_that_everybody_hears_of(provider, drain):
    answer = sign_in(provider, google())
    assert answer.status_code == 201
    user = answer.json()["user"]
    assert (user["username"], user["email"], user["oauth_provider"]) == ("Alice.Adams", "alice@example.org", "google")
    assert user["email_verified"] is True
    drain()
    client = JsonClient(answer.json()["access"])
    assert client.get(f"/v1/profiles/{user['id']}").json()["full_name"] == "Alice Adams"
    again = sign_in(provider, google(email="other@example.org"))
    assert (again.status_code, again.json()["user"]["id"]) == (200, user["id"])
    assert JsonClient().post("/v1/auth/login", {"login": "Alice.Adams", "password": "!"}).status_code == 401


def test_github_tells_addresses_apart(provider):
    emails = [
        {"email": "old@example.org", "primary": False, "verified": True},
        {"email": "alice@example.org", "primary": True, "verified": True},
    ]
    answer = sign_in(provider, {"id": 7, "login": "alice", "name": None, "email": None, "emails": emails}, "github")
    assert answer.status_code == 201
    assert answer.json()["user"]["email"] == "alice@example.org"
    assert answer.json()["user"]["username"] == "alice"


def test_facebook_proves_no_address(provider):
    answer = sign_in(provider, {"id": "9", "name": "Alice", "email": "alice@example.org"}, "facebook")
    assert answer.json()["user"]["email_verified"] is False
    missing = sign_in(provider, {"id": "10", "name": "Bob"}, "facebook")
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (422, "email_needed")


def test_a_taken_username_gets_a_number(provider, register):
    register("Alice.Adams")
    username = sign_in(provider, google(email="a2@example.org")).json()["user"]["username"]
    assert username.startswith("Alice.Adams")
    assert len(username) == len("Alice.Adams") + 6


@pytest.mark.parametrize("name", ["", "admin", "李明", "x" * 200, "\u202e\0!!"])
def test_any_name_makes_a_username(provider, name):
    assert sign_in(provider, google(name=name)).status_code == 201


@pytest.mark.parametrize(("here", "there"), [(True, False), (False, True), (False, False)])
def test_an_account_is_joined_only_if_both_sides_have_proven_the_address(provider, register, here, there):
    alice = register("alice")
    User.objects.filter(id=alice.id).update(email_verified=here)
    answer = sign_in(provider, google(verified=there))
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert queries.account(int(alice.id)).oauth_provider is None


def test_an_account_whose_address_both_have_proven_is_joined(provider, register):
    alice = register("alice")
    User.objects.filter(id=alice.id).update(email_verified=True)
    answer = sign_in(provider, google())
    assert (answer.status_code, answer.json()["user"]["id"]) == (200, alice.id)
    assert answer.json()["user"]["oauth_provider"] == "google"
    other = sign_in(provider, google(number="2"))
    assert other.json()["code"] == "email_taken", "another account there is another person"


def test_banned_and_second_factor_hold_here_too(provider, register):
    import time

    import pyotp

    alice = register("alice")
    User.objects.filter(id=alice.id).update(email_verified=True)
    secret = alice.client.post("/v1/auth/totp").json()["secret"]
    app, now = pyotp.TOTP(secret), int(time.time())
    alice.client.post("/v1/auth/totp/confirm", {"code": app.at(now - 30)})
    assert sign_in(provider, google()).json()["code"] == "otp_required"
    assert sign_in(provider, google(), otp=app.at(now)).status_code == 200
    User.objects.filter(id=alice.id).update(status="banned")
    assert sign_in(provider, google()).json()["code"] == "account_banned"


def test_a_state_counts_for_its_own_log_in_and_not_for_long(provider, monkeypatch):
    import time

    provider.people["c"] = google()
    state = start(provider)["state"]
    refused = [
        finish("x"),
        finish(state[:-4] + "AAAA"),
        finish(state, name="github"),
        finish(state, redirect_uri="http://127.0.0.1:8000/other"),
        finish(state, code="invented"),
    ]
    later = time.time() + 601
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: later)
    refused.append(finish(state))
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(401, "social_refused")] * 6
    assert User.objects.count() == 0


def test_github_refuses_with_200(provider):
    provider.refusal = 200
    answer = finish(start(provider, "github")["state"], name="github")
    assert (answer.status_code, answer.json()["code"]) == (401, "social_refused")


def test_a_code_of_another_log_in_is_refused_by_pkce(provider):
    provider.people["c"] = google()
    stolen = start(provider)["state"]
    start(provider)
    assert finish(stolen).json()["code"] == "social_refused"


@pytest.mark.parametrize("uri", ["", "https://evil.example/back", "javascript:alert(1)", "http://[", "//x"])
def test_the_user_is_sent_back_to_our_own_origins_only(provider, uri):
    answer = JsonClient().get(f"/v1/auth/social/google/authorize?redirect_uri={uri}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "redirect_uri_invalid")


def test_a_provider_that_is_not_set_up_is_unknown(anonymous):
    assert anonymous.get(f"/v1/auth/social/google/authorize?redirect_uri={BACK}").status_code == 404
    assert (
        anonymous.post("/v1/auth/social/myspace", {"code": "c", "state": "s", "redirect_uri": BACK}).status_code == 404
    )


def test_a_provider_that_is_away_is_503(provider, settings):
    state = start(provider)["state"]
    settings.SOCIAL_PROVIDERS["google"]["token_url"] = "http://127.0.0.1:1/token"
    answer = finish(state)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


def test_an_erased_account_does_not_come_back_and_may_sign_up_anew(provider, drain):
    made = sign_in(provider, google()).json()
    user_id = int(made["user"]["id"])
    User.objects.filter(id=user_id).update(status="deleted")
    handlers.erase_account(UserDeleted(user_id=user_id, erasure_id=1))
    again = sign_in(provider, google())
    assert again.status_code == 201
    assert again.json()["user"]["id"] != made["user"]["id"]


def test_a_person_without_a_password_can_set_one_by_mail(provider, anonymous):
    from django.core import mail

    made = sign_in(provider, google()).json()
    anonymous.post("/v1/auth/password/forgot", {"email": "alice@example.org"})
    actions.send_due_mails()
    (message,) = [message for message in mail.outbox if message.subject == "Set a new password"]
    key = message.body.rpartition("Your key: ")[2].split()[0]
    assert anonymous.post("/v1/auth/password/reset", {"key": key, "password": PASSWORD}).status_code == 204
    login = anonymous.post("/v1/auth/login", {"login": "alice@example.org", "password": PASSWORD})
    assert login.json()["user"]["id"] == made["user"]["id"]
