"""Input of users is never interpreted as HTML: in all fields, in the client and in the documents."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.run.installation import Installation
from tests.web.conftest import Person, go

_ATTACKS = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</title></textarea><svg onload=\"document.title='owned'\">",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
    "https://example.org/\"onmouseover=\"document.title='owned'",
    "javascript:document.title='owned'",
]


def harmless(page: Page) -> None:
    """Checks that no part of an attack became an element, a handler or a link."""
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator(".skeletons")).to_have_count(0)
    attacks = "script, img[src=x], svg[onload], [onload], [onerror], [onmouseover]"
    assert page.locator("body").locator(attacks).count() == 0
    assert page.evaluate("() => [...document.links].filter(link => link.protocol === 'javascript:').length") == 0
    assert page.title() != "owned"


def test_input_of_users_is_shown_as_text(site: Installation, person: Callable[[str], Person], picture: Path) -> None:
    """In every field that is shown: names, texts, warnings, alt texts, file names, previews, reports."""
    mallory, ada = person("mallory"), person("ada_x")
    mallory.api("PATCH", "/profiles/me", {"full_name": _ATTACKS[0], "bio": " ".join(_ATTACKS)[:500]})
    post = mallory.post(" @ada_x #tag ".join(_ATTACKS))
    warned = mallory.post(_ATTACKS[1], content_warning=_ATTACKS[0])
    for attack in _ATTACKS:
        mallory.api("POST", f"/posts/{post}/comments", {"content": f"@ada_x {attack}"})
    mallory.api("PUT", f"/profiles/{ada.id}/follow")
    page = mallory.open("/compose", user_agent=_ATTACKS[1])
    evil = picture.rename(picture.with_name("<img src=x onerror=owned>.jpg"))
    page.locator("input[type=file]").set_input_files(evil)
    page.get_by_label("Describe this for people").fill(_ATTACKS[1])
    page.get_by_role("textbox", name="What's on your mind?").fill("A picture")
    harmless(page)
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    shown = page.get_by_role("article", name=f"Post by {_ATTACKS[0]}").filter(has_text="A picture")
    shown.get_by_alt_text(_ATTACKS[1]).click()
    expect(page.get_by_role("dialog")).to_contain_text(_ATTACKS[1])
    harmless(page)
    page.keyboard.press("Escape")
    go(page, "/settings/devices")
    harmless(page)
    page.context.close()

    ada.api("POST", "/reports", {"target_type": "post", "target_id": post, "reason": "abuse", "details": _ATTACKS[1]})
    page = ada.open(service_workers="block")
    action = {"id": "7", "kind": "warn_user", "target_type": "user", "target_id": ada.id, "reason": _ATTACKS[1]}
    action |= {"until": None, "created_at": "2026-11-01T10:00:00.000Z"}
    appeal = {"id": "8", "action_id": "7", "status": "rejected", "text": _ATTACKS[0], "answer": _ATTACKS[2]}
    page.route("**/v1/moderation/actions*", lambda route: route.fulfill(json={"results": [action]}))
    page.route("**/v1/appeals*", lambda route: route.fulfill(json={"results": [appeal]}))
    rules = [{"id": "1", "number": 1, "text": _ATTACKS[0]}]
    page.route("**/v1/moderation/rules", lambda route: route.fulfill(json={"results": rules}))
    for view in (
        f"/posts/{post}",
        f"/posts/{warned}",
        "/@mallory",
        "/notifications",
        "/search?q=owned",
        f"/search?q={_ATTACKS[1]}",
        "/settings/moderation",
    ):
        go(page, view)
        harmless(page)
    expect(page.get_by_role("main").get_by_text(_ATTACKS[2])).to_be_visible()
    go(page, f"/posts/{warned}")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Report").click()
    expect(page.get_by_role("radio", name=_ATTACKS[0])).to_be_attached()
    harmless(page)
    for path in (f"/posts/{post}", f"/posts/{warned}", "/@mallory", "/", "/explore?sort=recent"):
        text = httpx.get(site.url + path, headers={"Accept": "text/html"}).text
        assert "&lt;script&gt;" in text, path
        assert not re.search(r"<script>|<img src=x|<svg", text), path


def test_a_link_preview_is_shown_as_text_and_links_to_http_urls_only(person: Callable[[str], Person]) -> None:
    """The other site's metadata is mocked, as the server fetches nothing from this machine."""
    ada = person("ada_lp")
    post = ada.post("Look at https://example.org/notes")
    page = ada.open("/compose", service_workers="block")
    whole = ada.api("GET", f"/posts/{post}")
    preview = {"url": "https://example.org/notes", "title": _ATTACKS[0], "description": _ATTACKS[1], "image": None}

    def show(url: str) -> None:
        body = {**whole, "link_preview": {**preview, "url": url, "site_name": _ATTACKS[2]}}
        page.route(f"**/v1/posts/{post}", lambda route: route.fulfill(json=body))
        go(page, "/bookmarks")
        go(page, f"/posts/{post}")

    show("https://example.org/notes")
    link = page.locator(".link-preview")
    expect(link).to_contain_text(_ATTACKS[0])
    expect(link).to_have_attribute("href", "https://example.org/notes")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    harmless(page)
    show("javascript:document.title='owned'")
    expect(link).to_have_count(0)
    harmless(page)


def test_strings_cannot_become_scripts_or_html(site: Installation, browser: Browser) -> None:
    """Even in the page's own scripts. The test uses its own context, because console errors are expected."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator("main h1")).to_be_visible()
    refusals = page.evaluate(
        """() => [
            () => { document.body.innerHTML = '<b>x</b>'; },
            () => { document.createElement('script').text = '1'; },
            () => { document.createElement('iframe').srcdoc = '<b>x</b>'; },
            () => { new Worker('data:text/javascript,1'); },
            () => { trustedTypes.createPolicy('other', {createHTML: text => text}); },
            () => { trustedTypes.createPolicy('socialapp', {createHTML: text => text}); },
            () => { setTimeout('1'); },
        ].map(attack => { try { attack(); return 'done'; } catch (error) { return error.name; } })"""
    )
    context.close()
    assert refusals == ["TypeError"] * 7
