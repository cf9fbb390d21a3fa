"""Log-in with a provider, against servers on local ports. An account is never shared with a stranger."""

import base64
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.contrib.auth.hashers import make_password

from apps.auth import actions, handlers, queries
from apps.auth.actions import social
from apps.auth.models import Session, User
from apps.moderation.actions import set_block
from socialapp.contracts.auth import UserDeleted
from tests.auth import totp
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.kernel.deadlocks import a_deadlock_everywhere
from tests.scenarios.product import eventually, free_port

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

BACK = "http://127.0.0.1:8000/back"
PASSWORD = "correct horse battery"


class ProviderServer(ThreadingHTTPServer):
    """A fake provider and its users."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Provider)
        self.people: dict[str, Any] = {}
        self.challenge = ""
        self.refusal = 400
        self.verifiers: list[bool] = []


class Provider(BaseHTTPRequestHandler):
    """Issues tokens and returns the profiles in `server.people`; checks the PKCE verifier as a provider does."""

    server: ProviderServer

    def do_POST(self) -> None:
        sent = {
            name: values[0]
            for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()
        }
        self.server.verifiers.append("code_verifier" in sent)
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

    def do_GET(self) -> None:
        person = self.server.people[self.headers["Authorization"].partition(" ")[2]]
        self._answer(person["emails"] if self.path.endswith("/emails") else person)

    def _answer(self, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def provider(settings: Any) -> Iterator[Any]:
    server = ProviderServer()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    settings.SOCIAL_PROVIDERS = {
        name: {
            "kind": name,
            "name": name.title(),
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


def google(
    number: str | None = "1", email: str = "alice@example.org", *, verified: bool = True, name: str = "Alice Adams"
) -> dict[str, Any]:
    return {"sub": number, "email": email, "email_verified": verified, "name": name}


BROWSER = JsonClient()  # a browser with the cookie that the state is bound to


def start(server: Any, name: str = "google") -> Any:
    answer = BROWSER.get(f"/v1/auth/social/{name}/authorize?redirect_uri={BACK}")
    assert answer.status_code == 200, answer.content
    query = {key: values[0] for key, values in parse_qs(urlsplit(answer.json()["authorize_url"]).query).items()}
    server.challenge = query["code_challenge"]
    assert query["state"] == answer.json()["state"]
    return query


def finish(state: Any, code: str = "c", name: str = "google", **changes: Any) -> Any:
    return BROWSER.post(f"/v1/auth/social/{name}", {"code": code, "state": state, "redirect_uri": BACK, **changes})


def sign_in(server: ProviderServer, person: dict[str, Any], name: str = "google", **more: Any) -> Any:
    server.people["c"] = person
    return finish(start(server, name)["state"], name=name, **more)


def test_the_redirect_to_the_provider_uses_pkce(provider: Any) -> None:
    query = start(provider)
    assert query["client_id"] == "id-google"
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == BACK
    assert set(query["scope"].split()) == {"openid", "email", "profile"}


def test_a_new_person_gets_an_account_in_all_contexts(provider: Any, drain: Callable[[], int]) -> None:
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


@pytest.mark.parametrize(("kind", "value"), [("email_domain", "example.org"), ("addresses", "127.0.0.0/8")])
def test_sign_up_through_a_provider_from_blocked_domains_or_networks_is_rejected(
    provider: Any, register: Callable[..., Person], kind: str, value: str
) -> None:
    known = sign_in(provider, google())
    assert known.status_code == 201
    set_block(moderator_id=900, kind=kind, value=value, block_id=None)
    refused = sign_in(provider, google("2", "bob@example.org", name="Bob"))
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_up_blocked")
    assert not User.objects.filter(email_key="bob@example.org").exists()
    assert sign_in(provider, google()).status_code == 200, "existing accounts can log in"


def test_the_primary_address_from_github_is_used(provider: Any) -> None:
    emails = [
        {"email": "old@example.org", "primary": False, "verified": True},
        {"email": "alice@example.org", "primary": True, "verified": True},
    ]
    answer = sign_in(provider, {"id": 7, "login": "alice", "name": None, "email": None, "emails": emails}, "github")
    assert answer.status_code == 201
    assert answer.json()["user"]["email"] == "alice@example.org"
    assert answer.json()["user"]["username"] == "alice"


def test_addresses_from_facebook_are_unverified(provider: Any) -> None:
    answer = sign_in(provider, {"id": "9", "name": "Alice", "email": "alice@example.org"}, "facebook")
    assert answer.json()["user"]["email_verified"] is False
    missing = sign_in(provider, {"id": "10", "name": "Bob"}, "facebook")
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (422, "email_needed")


def test_a_taken_username_gets_a_number(provider: Any, register: Callable[..., Person]) -> None:
    register("Alice.Adams")
    username = sign_in(provider, google(email="a2@example.org")).json()["user"]["username"]
    assert username.startswith("Alice.Adams")
    assert len(username) == len("Alice.Adams") + 6


@pytest.mark.parametrize("name", ["", "admin", "李明", "x" * 200, "\u202e\0!!"])
def test_any_name_is_turned_into_a_valid_username(provider: Any, name: Any) -> None:
    assert sign_in(provider, google(name=name)).status_code == 201


def test_an_invisible_name_is_ignored(provider: Any) -> None:
    user = sign_in(provider, google(name="\u3164\u2800")).json()["user"]
    assert JsonClient().get(f"/v1/profiles/{user['id']}").json()["full_name"] == ""


@pytest.mark.parametrize(("here", "there"), [(True, False), (False, True), (False, False)])
def test_an_account_is_linked_only_if_both_sides_have_verified_the_address(
    provider: Any, register: Callable[..., Person], here: bool, there: bool
) -> None:
    alice = register("alice")
    User.objects.filter(id=alice.id).update(email_verified=here)
    answer = sign_in(provider, google(verified=there))
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert queries.account(int(alice.id)).oauth_provider == "local"


def test_an_account_whose_address_both_sides_verified_is_linked(provider: Any, register: Callable[..., Person]) -> None:
    alice = register("alice")
    User.objects.filter(id=alice.id).update(email_verified=True)
    answer = sign_in(provider, google())
    assert (answer.status_code, answer.json()["user"]["id"]) == (200, alice.id)
    assert answer.json()["user"]["oauth_provider"] == "google"
    other = sign_in(provider, google(number="2"))
    assert other.json()["code"] == "email_taken", "another account at the provider is another person"


def test_bans_and_second_factors_apply_to_providers_too(provider: Any, register: Callable[..., Person]) -> None:
    alice = register("alice")
    User.objects.filter(id=alice.id).update(email_verified=True)
    secret, _ = totp.set_up(alice)
    assert sign_in(provider, google()).json()["code"] == "otp_required"
    assert sign_in(provider, google(), otp=totp.code(secret)).status_code == 200
    User.objects.filter(id=alice.id).update(status="banned")
    assert sign_in(provider, google()).json()["code"] == "account_banned"


def test_a_state_is_valid_for_its_log_in_only_and_expires(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_an_error_from_github_with_status_200_is_detected(provider: Any) -> None:
    provider.refusal = 200
    answer = finish(start(provider, "github")["state"], name="github")
    assert (answer.status_code, answer.json()["code"]) == (401, "social_refused")


def test_pkce_rejects_the_code_of_another_log_in(provider: Any) -> None:
    provider.people["c"] = google()
    stolen = start(provider)["state"]
    start(provider)
    assert finish(stolen).json()["code"] == "social_refused"


@pytest.mark.parametrize("uri", ["", "https://evil.example/back", "javascript:alert(1)", "http://[", "//x"])
def test_redirects_go_to_our_own_origins_only(provider: Any, uri: str) -> None:
    answer = JsonClient().get(f"/v1/auth/social/google/authorize?redirect_uri={uri}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "redirect_uri_invalid")


def test_a_provider_that_is_not_configured_gets_404(anonymous: JsonClient) -> None:
    assert anonymous.get(f"/v1/auth/social/google/authorize?redirect_uri={BACK}").status_code == 404
    assert (
        anonymous.post("/v1/auth/social/myspace", {"code": "c", "state": "s", "redirect_uri": BACK}).status_code == 404
    )


def test_an_unavailable_provider_gets_503(provider: Any, settings: Any) -> None:
    state = start(provider)["state"]
    settings.SOCIAL_PROVIDERS["google"]["token_url"] = "http://127.0.0.1:1/token"
    answer = finish(state)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


def test_an_erased_account_is_not_restored_and_may_sign_up_again(provider: Any, drain: Callable[[], int]) -> None:
    made = sign_in(provider, google()).json()
    user_id = int(made["user"]["id"])
    User.objects.filter(id=user_id).update(status="deleted")
    handlers.erase_account(UserDeleted(user_id=user_id, erasure_id=1))
    again = sign_in(provider, google())
    assert again.status_code == 201
    assert again.json()["user"]["id"] != made["user"]["id"]


def test_a_person_without_a_password_can_set_one_by_mail(provider: Any, anonymous: JsonClient) -> None:
    from django.core import mail

    made = sign_in(provider, google()).json()
    anonymous.post("/v1/auth/password/forgot", {"email": "alice@example.org"})
    actions.send_due_mails()
    (message,) = [message for message in mail.outbox if message.subject == "Set a new password"]
    key = message.body.rpartition("Your key: ")[2].split()[0]
    assert anonymous.post("/v1/auth/password/reset", {"key": key, "password": PASSWORD}).status_code == 204
    login = anonymous.post("/v1/auth/login", {"login": "alice@example.org", "password": PASSWORD})
    assert login.json()["user"]["id"] == made["user"]["id"]


@pytest.fixture(scope="module")
def oidc_server() -> Iterator[Any]:
    """A real OpenID Connect provider, in a separate process on a local port."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://localhost:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/.well-known/openid-configuration").is_success
        except httpx.TransportError:
            return False

    try:
        eventually(answers)
        yield url
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def oidc(settings: Any, oidc_server: Any) -> Any:
    """The provider, offered as Google and under its own name."""
    names = {"client_id": "us", "client_secret": "hush"}
    settings.SOCIAL_PROVIDERS = {
        "google": {
            "kind": "google",
            "name": "Google",
            **names,
            "authorize_url": f"{oidc_server}/oauth2/authorize",
            "token_url": f"{oidc_server}/oauth2/token",
            "user_url": f"{oidc_server}/userinfo",
        },
        "campus": {"kind": "openid_connect", "name": "Campus", **names, "server_url": oidc_server},
    }
    return oidc_server


def come_back(browser: Any, name: Any, url: Any, sub: str = "alice") -> dict[str, Any]:
    """Logs in at the real provider; returns the code and the state that it sends back."""
    answer = browser.get(f"/v1/auth/social/{name}/authorize?redirect_uri={BACK}").json()
    assert answer["authorize_url"].startswith(f"{url}/oauth2/authorize?")
    sent_back = httpx.post(answer["authorize_url"], data={"sub": sub}).headers["Location"]
    query = {key: values[0] for key, values in parse_qs(urlsplit(sent_back).query).items()}
    assert query["state"] == answer["state"]
    return {"code": query["code"], "state": query["state"], "redirect_uri": BACK}


def know(url: Any, sub: str = "alice", email: str = "alice@example.org", verified: bool = True) -> None:
    body = {"email": email, "email_verified": verified, "name": "Alice Adams"}
    httpx.put(f"{url}/users/{sub}", json=body).raise_for_status()


@pytest.mark.parametrize("name", ["google", "campus"])
def test_log_in_with_a_real_openid_provider_works(oidc: Any, name: str) -> None:
    know(oidc)
    browser = JsonClient()
    made = browser.post(f"/v1/auth/social/{name}", come_back(browser, name, oidc))
    assert made.status_code == 201, made.content
    assert (made.json()["user"]["email"], made.json()["user"]["email_verified"]) == ("alice@example.org", True)
    again = browser.post(f"/v1/auth/social/{name}", come_back(browser, name, oidc))
    assert (again.status_code, again.json()["user"]["id"]) == (200, made.json()["user"]["id"])


def test_a_state_is_valid_in_its_own_browser_only(oidc: Any) -> None:
    know(oidc)
    mine, stranger = JsonClient(), JsonClient()
    sent = come_back(mine, "campus", oidc)
    stranger.get(f"/v1/auth/social/campus/authorize?redirect_uri={BACK}")
    for browser in (stranger, JsonClient()):
        answer = browser.post("/v1/auth/social/campus", sent)
        assert (answer.status_code, answer.json()["code"]) == (401, "social_refused")
    assert User.objects.count() == 0
    assert mine.post("/v1/auth/social/campus", sent).status_code == 201


def test_providers_can_be_linked_and_unlinked_except_the_last_way_to_log_in(
    oidc: Any, drain: Callable[[], int]
) -> None:
    know(oidc)
    browser = JsonClient()
    made = browser.post("/v1/auth/social/google", come_back(browser, "google", oidc)).json()
    drain()
    headers = {"Authorization": f"Bearer {made['access']}"}
    sent = come_back(browser, "campus", oidc)
    refused = browser.post("/v1/auth/social/campus/link", sent, **headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert refused.json()["methods"] == ["code"], "an account without a password"
    assert browser.delete("/v1/auth/social/google", **headers).json()["code"] == "confirmation_required"
    confirm_by_mail(browser, headers)
    last = browser.delete("/v1/auth/social/google", **headers)
    assert (last.status_code, last.json()["code"]) == (409, "last_way_in")
    linked = browser.post("/v1/auth/social/campus/link", sent, **headers)
    assert linked.status_code == 200, linked.content
    assert [one["provider"] for one in linked.json()["results"]] == ["campus", "google"]
    assert browser.delete("/v1/auth/social/google", **headers).status_code == 204
    assert browser.delete("/v1/auth/social/google", **headers).status_code == 404
    listed = browser.get("/v1/auth/social", **headers).json()["results"]
    assert [one["provider"] for one in listed] == ["campus"]
    assert browser.get("/v1/auth/me", **headers).json()["oauth_provider"] == "campus"


def test_deadlocks_are_retried(oidc: Any, register: Callable[..., Person]) -> None:
    know(oidc)
    know(oidc, "bob", "bob@example.org")
    browser, bob = JsonClient(), register("robert")
    bob.confirm()
    for write, sent, status in (
        (lambda sent: browser.post("/v1/auth/social/campus", sent), come_back(browser, "campus", oidc), 201),
        (
            lambda sent: bob.client.post("/v1/auth/social/google/link", sent),
            come_back(bob.client, "google", oidc, "bob"),
            200,
        ),
        (lambda _: bob.client.delete("/v1/auth/social/google"), None, 204),
    ):
        with a_deadlock_everywhere() as deadlocks:
            answer = write(sent)
        assert (answer.status_code, deadlocks["auth"].hits) == (status, 1), answer.content


def confirm_by_mail(browser: Any, headers: Any) -> None:
    from django.core import mail

    assert browser.post("/v1/auth/confirm/code", **headers).status_code == 202
    actions.send_due_mails()
    (message,) = [message for message in mail.outbox if message.subject == "Your confirmation code"]
    code = message.body.rpartition("Your code: ")[2].split()[0]
    wrong = browser.post("/v1/auth/confirm", {"code": "00000000"}, **headers)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "confirmation_failed")
    assert browser.post("/v1/auth/confirm", {"code": code}, **headers).status_code == 200
    assert browser.post("/v1/auth/confirm", {"code": code}, **headers).status_code == 403, "a code is valid once"


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_provider_account_linked_to_somebody_else_cannot_be_linked(
    oidc: Any, register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch, meanwhile: bool
) -> None:
    know(oidc)
    browser = JsonClient()
    assert browser.post("/v1/auth/social/campus", come_back(browser, "campus", oidc)).status_code == 201
    bob = register("bob")
    bob.confirm()
    sent = come_back(bob.client, "campus", oidc)
    if meanwhile:
        monkeypatch.setattr(social, "_account_of", lambda profile: None)
    answer = bob.client.post("/v1/auth/social/campus/link", sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "provider_taken")
    assert bob.client.get("/v1/auth/social").json()["results"] == []


def test_an_account_without_a_password_can_be_deleted(oidc: Any) -> None:
    know(oidc)
    browser = JsonClient()
    made = browser.post("/v1/auth/social/campus", come_back(browser, "campus", oidc)).json()
    headers = {"Authorization": f"Bearer {made['access']}"}
    assert browser.delete("/v1/auth/me", {}, **headers).json()["code"] == "confirmation_required"
    confirm_by_mail(browser, headers)
    assert browser.delete("/v1/auth/me", {}, **headers).status_code == 202


def test_provider_profiles_without_an_id_are_rejected(provider: Any) -> None:
    for name, person in (
        ("google", google(number=None)),
        (
            "github",
            {"id": None, "login": "a", "emails": [{"email": "a@example.org", "primary": True, "verified": True}]},
        ),
        ("facebook", {"id": None, "name": "A", "email": "b@example.org"}),
    ):
        answer = sign_in(provider, person, name)
        assert answer.status_code == (401 if name == "github" else 503), name
    assert User.objects.count() == 0


def test_ids_at_a_provider_are_case_sensitive(provider: Any) -> None:
    first = sign_in(provider, google("abc"))
    assert first.status_code == 201
    for number, other in enumerate(("ABC", "äbc", "abc ")):
        answer = sign_in(provider, google(other, f"person{number}@example.org"))
        assert answer.status_code in (201, 401), "not everybody's database can tell them apart"
        assert answer.json().get("user", {}).get("id") != first.json()["user"]["id"]
    assert sign_in(provider, google("abc")).json()["user"]["id"] == first.json()["user"]["id"]


def test_facebook_gets_the_pkce_verifier(provider: Any) -> None:
    """allauth 65.22 requests tokens from Facebook with GET, but sends the verifier only with POST."""
    sign_in(provider, {"id": "9", "name": "Alice", "email": "alice@example.org"}, "facebook")
    assert provider.verifiers == [True]


@pytest.mark.parametrize(
    "uri",
    [f"{BACK}%23frag#x", f"{BACK}\r\nSet-Cookie: a=b", "http://user@127.0.0.1:8000/back", f"{BACK}\\..", f"{BACK} x"],
)
def test_malformed_redirect_uris_are_rejected(provider: Any, uri: str) -> None:
    from urllib.parse import quote

    answer = JsonClient().get(f"/v1/auth/social/google/authorize?redirect_uri={quote(uri)}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "redirect_uri_invalid")


def test_a_provider_unlinked_while_it_logs_in_starts_no_session(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log-in has found the link, and waits for the account's row until the owner's change is committed."""
    user_id = int(sign_in(provider, google()).json()["user"]["id"])
    User.objects.filter(id=user_id).update(password=make_password(PASSWORD))
    before = Session.objects.count()
    looks = iter(range(2))
    find = social._account_of

    def find_and_unlink(profile: Any) -> Any:
        found = find(profile)
        if next(looks) == 1:
            actions.unlink_provider(user_id=user_id, provider="google")
        return found

    monkeypatch.setattr(social, "_account_of", find_and_unlink)
    refused = sign_in(provider, google())
    assert (refused.status_code, refused.json()["code"]) == (401, "social_refused")
    assert Session.objects.count() == before
