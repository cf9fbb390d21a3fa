"""The running product and a real Chromium; any error in the browser's console fails the test."""

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.run.installation import ROOT, Installation, started
from tests.scenarios.product import eventually

PASSWORD = "correct horse battery"
NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_NOT_OURS = (
    "Failed to load resource",  # tests check error responses themselves
    "Service Worker registration blocked by Playwright",  # tests block it to intercept requests of the worker
)

# What the client remembers of a log-in, set before its first document only: it ends with a log-out.
_MARK = "if (!sessionStorage.marked) { sessionStorage.marked = '1'; localStorage.setItem('signed-in', '1'); }"

expect.set_options(timeout=15_000)


def _chromium() -> str:
    """Debian's Chromium, installed if it is missing."""
    if not which("chromium"):
        install = "SVC=chromium; . tests/services/lib.sh; need_apt chromium fonts-noto-color-emoji"
        subprocess.run(["bash", "-c", install], cwd=ROOT, check=True)
    return which("chromium") or "chromium"


class Provider(BaseHTTPRequestHandler):
    """A log-in provider with one user, which approves at once."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/user":
            return self._answer(
                {"sub": "42", "email": "mary@example.org", "email_verified": True, "name": "Mary Somerville"}
            )
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': 'x', 'state': asked['state']})}")
        self.send_header("Content-Length", "0")
        return self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "x"})

    def _answer(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Logs nothing."""


@pytest.fixture(scope="package")
def provider() -> Iterator[str]:
    """Its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, provider: str) -> Iterator[Installation]:
    """The product, without demo data; signing up requires a proof of work, or a log-in at the provider."""
    data = tmp_path_factory.mktemp("web") / "data"
    google: dict[str, Any] = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}
    for step in ("authorize", "token", "user"):
        google[f"GOOGLE_{step.upper()}_URL"] = f"{provider}/{step}"
    with started(
        data,
        RATE_LIMITS="off",
        CAPTCHA_PROVIDER="proof_of_work",
        CAPTCHA_DIFFICULTY="10",
        **google,
    ) as installation:
        yield installation


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests, which have separate contexts. BROWSER=firefox uses Debian's Firefox."""
    with sync_playwright() as playwright:
        if os.environ.get("BROWSER") == "firefox":
            launched = playwright.firefox.launch(channel="moz-firefox", executable_path=which("firefox-esr"))
        else:
            launched = playwright.chromium.launch(executable_path=_chromium(), args=_ARGUMENTS)
        yield launched
        launched.close()


class Person:
    """A user with an account and, after `open`, a browser window."""

    def __init__(self, site: Installation, username: str, new_context: Callable[..., BrowserContext]) -> None:
        self.site = site
        self.username = username
        self._new_context = new_context
        body = {
            "email": f"{username}@example.org",
            "username": username,
            "password": PASSWORD,
            "full_name": username.title(),
            "captcha": worked(site.url),
        }
        answer = httpx.post(f"{site.url}/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["user"]["id"]
        self._headers = {"Authorization": f"Bearer {answer.json()['access']}"}

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the API."""
        answer = httpx.request(method, f"{self.site.url}/v1{path}", json=body, headers=self._headers, timeout=30)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def post(self, content: str, **more: Any) -> str:
        """Writes a post; returns its id."""
        return str(self.api("POST", "/posts", {"content": content, **more})["id"])

    def open(self, path: str = "/", *, host: str = "127.0.0.1", **options: Any) -> Page:
        """A path in a new window in which they are logged in, as the page for logging in does it."""
        origin = self.site.url.replace("127.0.0.1", host)
        context = self._new_context(**options)
        login = {"login": self.username, "password": PASSWORD, "cookie": True}
        answer = context.request.post(f"{origin}/v1/auth/login", data=login)
        assert answer.ok, answer.text()
        page = context.new_page()
        page.add_init_script(_MARK)
        page.goto(origin + path)
        expect(page.locator("#main")).to_be_visible()
        expect(page.locator(".entry")).to_have_count(0)
        return page

    def wait_until_found(self) -> None:
        """Waits until search suggests them: its index follows a little later."""
        eventually(lambda: self.api("GET", f"/search/suggest?{urlencode({'q': self.username})}")["results"])


def worked(url: str) -> str:
    """The proof of work for one sign-up."""
    asked = httpx.post(f"{url}/v1/auth/captcha").json()
    tried = (f"{asked['challenge']}:{number}" for number in count())
    zero = 256 - asked["difficulty"]
    return next(each for each in tried if not int.from_bytes(hashlib.sha256(each.encode()).digest()) >> zero)


def go(page: Page, path: str) -> None:
    """Navigates within the client, without loading the document again."""
    page.evaluate(
        "path => { const link = document.createElement('a'); link.href = path;"
        " document.body.append(link); link.click(); link.remove(); }",
        path,
    )


def wait_until_true(page: Page, expression: str) -> None:
    """Waits until an expression is true in the page.

    Playwright's `wait_for_function` evaluates it a second time with `eval`, which the site's content security policy
    blocks, so it works only if the expression is true at once.
    """
    eventually(lambda: page.evaluate(expression), seconds=30)


def reload_and_watch(page: Page, what: str) -> None:
    """Loads the page again, and waits until it has asked over its socket for news of something, such as a post."""
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    page.reload()
    eventually(lambda: page.evaluate("() => true") and any('"watch"' in frame and what in frame for frame in sent))


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Creates contexts. At the end of the test they are closed, and errors in their pages' consoles fail it."""
    made: list[BrowserContext] = []
    complaints: list[str] = []

    def noted(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_NOT_OURS):
            complaints.append(f"{message.type}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 500:
            complaints.append(f"{response.status} {response.url}")

    def watched(page: Page) -> None:
        page.on("console", noted)
        page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
        page.on("response", answered)

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": WIDE, "locale": "en-US", **options})
        context.on("page", watched)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert complaints == []


@pytest.fixture
def person(site: Installation, new_context: Callable[..., BrowserContext]) -> Callable[[str], Person]:
    """Registers a person."""
    return lambda username: Person(site, username, new_context)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture that resembles a photograph."""
    from PIL import Image

    path = tmp_path / "picture.jpg"
    Image.radial_gradient("L").resize((800, 600)).convert("RGB").save(path)
    return path
