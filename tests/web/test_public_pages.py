"""Public posts and profiles as documents: for search engines, link previews, and people without scripts."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from django.conf import settings

from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_a_public_post_is_readable_without_scripts(
    anonymous: JsonClient, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    ada = register("ada", full_name="Ada <Lovelace>")
    post = ada.client.post("/v1/posts", {"content": "An engine & \u202e<b>patterns</b>"}).json()
    drain()
    answer = anonymous.get(f"/posts/{post['id']}", Accept="text/html")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<title>Ada &lt;Lovelace&gt;: An engine &amp; &lt;b&gt;patterns&lt;/b&gt; · socialapp</title>" in text
    assert f'<link rel="canonical" href="http://127.0.0.1:8000/posts/{post["id"]}">' in text
    assert '<meta property="og:type" content="article">' in text
    assert "<p>An engine &amp; \u202e&lt;b&gt;patterns&lt;/b&gt;</p>" in text
    assert "noindex" not in text

    shown = anonymous.get(f"/oembed?url=http://127.0.0.1:8000/posts/{post['id']}").json()
    assert (shown["type"], shown["author_name"]) == ("link", "Ada <Lovelace>")
    assert shown["title"] == "An engine & <b>patterns</b>"


def test_a_private_post_is_in_no_document(
    anonymous: JsonClient, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    ada = register("ada")
    post = ada.client.post("/v1/posts", {"content": "For my friends", "is_private": True}).json()
    drain()
    for path in (f"/posts/{post['id']}", "/posts/1", "/@nobody"):
        answer = anonymous.get(path, Accept="text/html")
        assert answer.status_code == 404
        assert "friends" not in answer.content.decode()
        assert '<meta name="robots" content="noindex">' in answer.content.decode()
    assert anonymous.get(f"/oembed?url=http://127.0.0.1:8000/posts/{post['id']}").status_code == 404


@pytest.mark.parametrize(
    "url", ["", "x", "http://[", "http://elsewhere.example/posts/1", "http://127.0.0.1:8000/nowhere"]
)
def test_oembed_knows_only_posts_of_this_site(anonymous: JsonClient, url: str) -> None:
    assert anonymous.get(f"/oembed?url={url}").status_code == 404


def test_a_profile_is_readable_without_scripts(anonymous: JsonClient, register: Callable[..., Person]) -> None:
    register("ada", full_name="Ada Lovelace")
    text = anonymous.get("/@ada", Accept="text/html").content.decode()
    assert "<title>Ada Lovelace (@ada) · socialapp</title>" in text
    assert "<h1>Ada Lovelace</h1>" in text


def test_robots_txt_excludes_private_pages(anonymous: JsonClient) -> None:
    answer = anonymous.get("/robots.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "Disallow: /settings\n" in answer.content.decode()


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_feeds_contain_public_posts_only(
    anonymous: JsonClient, register: Callable[..., Person], drain: Callable[[], int], kind: str
) -> None:
    ada = register("ada", full_name="Ada <L>")
    ada.client.post("/v1/posts", {"content": "Open <b>#engine</b>"})
    ada.client.post("/v1/posts", {"content": "The ending #engine", "content_warning": "Spoiler"})
    ada.client.post("/v1/posts", {"content": "Secret #engine", "is_private": True})
    gone = ada.client.post("/v1/posts", {"content": "Deleted #engine"}).json()
    ada.client.delete(f"/v1/posts/{gone['id']}")
    drain()
    for path in ("/@ada", "/hashtags/engine"):
        answer = anonymous.get(f"{path}/feed.{kind}")
        text = answer.content.decode()
        assert answer["Content-Type"].startswith(f"application/{kind}+xml")
        assert "max-age=300" in answer["Cache-Control"]
        items = list(
            ElementTree.fromstring(text).iter("item" if kind == "rss" else "{http://www.w3.org/2005/Atom}entry")
        )
        assert [item[0].text for item in items] == ["Spoiler", "Open <b>#engine</b>"]
        assert "&lt;p&gt;Open &amp;lt;b&amp;gt;" in text
        assert not re.search("ending|Secret|Deleted", text)
        page = anonymous.get(path, Accept="text/html").content.decode()
        assert f'href="http://127.0.0.1:8000{path}/feed.{kind}"' in page
        assert "<p>Open &lt;b&gt;#engine&lt;/b&gt;</p>" in page
        assert "Secret" not in page

    ada.client.patch("/v1/profiles/me", {"is_private": True})
    drain()
    assert anonymous.get(f"/@ada/feed.{kind}").status_code == 404
    assert "Open" not in anonymous.get(f"/hashtags/engine/feed.{kind}").content.decode()
    assert "feed.rss" not in anonymous.get("/@ada", Accept="text/html").content.decode()
    assert anonymous.get(f"/@nobody/feed.{kind}").status_code == 404


def test_a_feed_is_valid_xml_for_any_text(
    anonymous: JsonClient, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    """XML 1.0 forbids control characters and noncharacters; usernames may contain a dot."""
    ada = register("ada.l", full_name="Ada\ufffe")
    ada.client.post("/v1/posts", {"content": "Open\uffff #engine", "content_warning": "Loud\uffff"})
    drain()
    for path in ("/@ada.l", "/hashtags/engine", "/hashtags/%0Bengine%00"):
        answer = anonymous.get(f"{path}/feed.rss")
        assert (answer.status_code, path[:2] == "/@") == (200, "Ada (@ada.l)" in answer.content.decode())
        assert ElementTree.fromstring(answer.content).tag == "rss"
    assert "<h1>Ada" in anonymous.get("/@ada.l", Accept="text/html").content.decode()


def test_the_sitemap_lists_public_posts_of_people_who_are_discoverable_unless_it_is_off(
    anonymous: JsonClient, register: Callable[..., Person], drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = register("ada")
    public = ada.client.post("/v1/posts", {"content": "Open"}).json()["id"]
    private = ada.client.post("/v1/posts", {"content": "Secret", "is_private": True}).json()["id"]
    bob = register("bob")
    unlisted = bob.client.post("/v1/posts", {"content": "Open, for those who look"}).json()["id"]
    assert bob.client.patch("/v1/profiles/me", {"is_discoverable": False}).status_code == 200
    drain()
    text = anonymous.get("/sitemap.xml").content.decode()
    assert f"<loc>http://127.0.0.1:8000/posts/{public}</loc>" in text
    assert "<loc>http://127.0.0.1:8000/@ada</loc>" in text
    assert private not in text
    assert unlisted not in text
    for page in ("/", "/explore", "/explore?sort=recent"):
        listed = anonymous.get(page, Accept="text/html").content.decode()
        assert (public in listed, unlisted in listed) == (True, False), page
    for page in (f"/posts/{unlisted}", "/@bob"):
        assert "Open, for those who look" in anonymous.get(page, Accept="text/html").content.decode(), page
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in anonymous.get("/robots.txt").content.decode()
    monkeypatch.setattr(settings, "SITEMAP", False)
    assert anonymous.get("/sitemap.xml").status_code == 404
    assert "Sitemap" not in anonymous.get("/robots.txt").content.decode()
