"""Link previews, with real servers on loopback that are allowed by name, and traps that must get no request."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone

from apps.posts.actions import fetch_link_previews, first_link, forget_unlinked_previews
from apps.posts.models import LinkPreview, PostLink, StoredFile
from socialapp.core.media.pages import summarize
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.media.conftest import is_served, picture

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

_HTML = {"content-type": "text/html"}


@dataclass
class Site:
    """A server that responds from a table and records its requests."""

    url: str
    port: int
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def page(self, path: str, html: str) -> None:
        self.pages[path] = (200, {"Content-Type": "text/html; charset=utf-8"}, html.encode())


def _serve() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            status, headers, body = served.pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port = server.server_address[1]
    served = Site(f"http://127.0.0.1:{port}", port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    """A site that may be requested."""
    for site in _serve():
        settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{site.port}"]
        yield site


@pytest.fixture
def trap() -> Iterator[Site]:
    """A site in the internal network, which no request may reach."""
    yield from _serve()


def write(person: Person, content: str, **fields: Any) -> dict[str, Any]:
    answer = person.client.post("/v1/posts", {"content": content, **fields})
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def preview_of(client: JsonClient, post: dict[str, Any]) -> Any:
    return client.get(f"/v1/posts/{post['id']}").json()["link_preview"]


def test_a_preview_shows_the_page_and_its_picture(
    register: Callable[..., Person], anonymous: JsonClient, site: Site
) -> None:
    site.page(
        "/a",
        "<!DOCTYPE html><head><title>P</title><meta property='og:title' content='Kites &amp; \u202ecrows 👩\u200d🚀'>"
        '<meta name="description" content="All about kites."><meta property="og:site_name" content="Birds">'
        '<meta property="og:image" content="/kite.png">',
    )
    site.pages["/kite.png"] = (200, {"Content-Type": "text/plain"}, picture((1200, 600)))
    post = write(register("ann"), f"look at {site.url}/a#part, nice")
    assert post["link_preview"] is None
    assert fetch_link_previews() == 1
    shown = preview_of(anonymous, post)
    image = shown.pop("image")
    assert shown == {
        "url": f"{site.url}/a",
        "title": "Kites & crows 👩\u200d🚀",
        "description": "All about kites.",
        "site_name": "Birds",
    }
    assert (image["width"], image["height"], bool(image["blurhash"])) == (960, 480, True)
    assert is_served(anonymous, image["url"])
    assert not is_served(anonymous, image["url"].replace(".webp", ".mp4"))


def test_a_page_is_fetched_once_and_again_after_days(
    register: Callable[..., Person], anonymous: JsonClient, site: Site, settings: Any
) -> None:
    ann = register("ann")
    site.page("/a", "<html><title>First</title>")
    write(ann, f"one {site.url}/a")
    fetch_link_previews()
    post = write(ann, f"two {site.url}/a")
    assert fetch_link_previews() == 0
    assert site.asked == ["/a"]
    settings.LINK_PREVIEW_DAYS = 0
    site.page("/a", "<html><title>Second</title>")
    write(ann, f"three {site.url}/a")
    assert fetch_link_previews() == 1
    assert preview_of(anonymous, post)["title"] == "Second"


def test_names_that_resolve_to_internal_addresses_are_never_requested(
    register: Callable[..., Person], anonymous: JsonClient, trap: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Including a name that resolves to a public address first and to an internal one later (DNS rebinding)."""
    trap.page("/", "<html><title>Secret</title>")
    inside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", trap.port))
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.9", 80))
    real, answers = socket.getaddrinfo, iter([[public, inside], [inside]])

    def resolve(host: str, *arguments: object, **options: object) -> object:
        return next(answers) if host == "rebinding.example" else real(host, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    ann = register("ann")
    urls = [
        "http://rebinding.example/?first",
        "http://rebinding.example/?again",
        f"http://127.0.0.1:{trap.port}/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data/",
    ]
    posts = [write(ann, url) for url in urls]
    assert fetch_link_previews() == len(urls)
    assert trap.asked == []
    assert [preview_of(anonymous, post) for post in posts] == [None] * len(urls)
    assert not LinkPreview.objects.filter(due_at__isnull=False).exists(), "a rejected URL is not retried"


def test_redirects_and_pictures_on_internal_addresses_are_never_requested(
    register: Callable[..., Person], anonymous: JsonClient, site: Site, trap: Site
) -> None:
    trap.pages["/secret.png"] = (200, {}, picture())
    site.pages["/hop"] = (302, {"Location": f"{trap.url}/secret.png"}, b"")
    site.page("/a", f'<html><title>A</title><meta property="og:image" content="{trap.url}/secret.png">')
    site.page("/b", '<html><title>B</title><meta property="og:image" content="/hop">')
    ann = register("ann")
    posts = [write(ann, f"{site.url}{path}") for path in ("/a", "/b", "/hop")]
    fetch_link_previews()
    assert trap.asked == []
    first, second, third = (preview_of(anonymous, post) for post in posts)
    assert (first["title"], first["image"], second["title"], second["image"], third) == ("A", None, "B", None, None)
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "image/png"}, b"<html><title>x</title>"),
        (200, {"Content-Type": "text/html"}, b"%PDF-1.7 <title>x</title>"),
        (404, {"Content-Type": "text/html"}, b"<html><title>Not here</title>"),
        (200, {"Content-Type": "text/html"}, b"<html><title>  </title>"),
        (200, {"Content-Type": "text/html"}, b"<html>" + b"x" * (2 * 2**20)),
    ],
)
def test_only_html_pages_have_previews(
    answer: tuple[int, dict[str, str], bytes], register: Callable[..., Person], anonymous: JsonClient, site: Site
) -> None:
    site.pages["/a"] = answer
    post = write(register("ann"), f"{site.url}/a")
    fetch_link_previews()
    assert preview_of(anonymous, post) is None


def test_a_failing_page_is_tried_three_times(register: Callable[..., Person], site: Site) -> None:
    site.pages["/a"] = (200, {"Content-Type": "text/html"}, b"x" * (3 * 2**20))
    write(register("ann"), f"{site.url}/a")
    for _ in range(5):
        fetch_link_previews()
        LinkPreview.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    assert site.asked == ["/a"] * 3


def test_a_redirect_to_an_invalid_url_does_not_block_other_pages(
    register: Callable[..., Person], anonymous: JsonClient, site: Site
) -> None:
    site.pages["/a"] = (302, {"Location": "http://["}, b"")
    site.page("/b", "<html><title>B</title>")
    ann = register("ann")
    first, second = write(ann, f"{site.url}/a"), write(ann, f"{site.url}/b")
    assert fetch_link_previews() == 2
    assert preview_of(anonymous, first) is None
    assert preview_of(anonymous, second)["title"] == "B"


def test_links_in_private_posts_are_not_fetched(register: Callable[..., Person], site: Site) -> None:
    ann = register("ann")
    site.page("/a", "<html><title>A</title>")
    write(ann, f"{site.url}/a", is_private=True)
    post = write(ann, f"{site.url}/a")
    assert ann.client.patch(f"/v1/posts/{post['id']}", {"is_private": True}).status_code == 200
    assert not PostLink.objects.exists()


def test_a_preview_is_deleted_with_the_last_post_that_links_to_it(
    register: Callable[..., Person], anonymous: JsonClient, site: Site
) -> None:
    site.page("/a", '<html><title>A</title><meta property="og:image" content="/kite.png">')
    site.pages["/kite.png"] = (200, {}, picture((1200, 600)))
    ann = register("ann")
    first, second = write(ann, f"{site.url}/a"), write(ann, f"{site.url}/a")
    fetch_link_previews()
    url = preview_of(anonymous, first)["image"]["url"]
    LinkPreview.objects.update(created_at="2000-01-01T00:00:00Z")
    ann.client.delete(f"/v1/posts/{first['id']}")
    assert forget_unlinked_previews() == 0
    assert ann.client.patch(f"/v1/posts/{second['id']}", {"content": "no link"}).json()["link_preview"] is None
    assert forget_unlinked_previews() == 1
    assert not is_served(anonymous, url)
    assert not StoredFile.objects.filter(uses__gt=0).exists()


def test_the_first_link_is_found_without_its_fragment() -> None:
    assert first_link("a (https://example.org/x#y) http://b.example") == "https://example.org/x"
    assert first_link("ftp://example.org /path example.org/x") is None


def test_a_page_is_decoded_with_its_declared_charset() -> None:
    preview = summarize(
        "http://a.example/",
        headers={"content-type": "text/html; charset=latin-1"},
        body="<title>é</title>".encode("latin-1"),
    )
    assert preview is not None
    assert preview.title == "é"
    for other in ("zip", "punycode", "idna", "undefined"):
        headers = {"content-type": f"text/html; charset={other}"}
        assert summarize("http://a.example/", headers=headers, body=b"<title>x</title>" + b"-9a" * 99) is not None
