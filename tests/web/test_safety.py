"""What people write stays text: in every field that a person can fill, in the client and in the documents."""

import re
from collections.abc import Callable

import httpx
from playwright.sync_api import Browser, expect

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


def test_what_people_write_stays_text(site: Installation, person: Callable[[str], Person]) -> None:
    mallory, ada = person("mallory"), person("ada_x")
    mallory.api("PATCH", "/profiles/me", {"full_name": _ATTACKS[0], "bio": " ".join(_ATTACKS)[:500]})
    post = mallory.post(" @ada_x #tag ".join(_ATTACKS))
    for attack in _ATTACKS:
        mallory.api("POST", f"/posts/{post}/comments", {"content": f"@ada_x {attack}"})
    mallory.api("PUT", f"/profiles/{ada.id}/follow")
    page = ada.open()
    for view in (f"/posts/{post}", "/@mallory", "/notifications", "/search?q=owned", f"/search?q={_ATTACKS[1]}"):
        go(page, view)
        expect(page.locator("main h1")).to_be_visible()
        expect(page.locator(".skeletons")).to_have_count(0)
        assert page.locator("main script, main img[src=x], main [onload], main [onmouseover]").count() == 0
        assert page.evaluate("() => [...document.links].filter(link => link.protocol === 'javascript:').length") == 0
        assert page.title() != "owned"
    for path in (f"/posts/{post}", "/@mallory"):
        text = httpx.get(site.url + path, headers={"Accept": "text/html"}).text
        assert "&lt;script&gt;" in text
        assert not re.search(r"<script>|<img src=x|<svg", text), path


def test_no_string_becomes_script_or_html(site: Installation, browser: Browser) -> None:
    """Even for a script of the page's own: it is there through a context of its own, whose complaints are wanted."""
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
