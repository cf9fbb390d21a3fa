"""Moderators' pages in a real browser: at all widths, in light and dark, by keyboard, under the strict policy."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.run.installation import Installation, run_to_end
from tests.web.axe import violations
from tests.web.conftest import PASSWORD, Person

_PAGES = (
    "/admin/",
    "/admin/?span=year",
    "/admin/moderation/case/",
    "/admin/moderation/case/?state=all",
    "/admin/moderation/action/",
    "/admin/moderation/appeal/",
    "/admin/moderation/wordrule/",
    "/admin/moderation/wordrule/add/",
    "/admin/moderation/instancerule/",
    "/admin/moderation/report/",
    "/admin/moderation/report/reporters/",
)
_SCROLLING = """
    [...document.querySelectorAll('.results, .card')]
        .filter(each => each.scrollWidth > each.clientWidth).map(each => each.className)
"""
_OF_ADMINS = (
    "/admin/bus/faileddelivery/",
    "/admin/posts/post/",
    "/admin/users/profile/",
    "/admin/moderation/reasontemplate/add/",
)


def enter(site: Installation, person: Person, role: str, context: BrowserContext) -> Page:
    """The admin site, with a person logged in who was granted a role."""
    granted = run_to_end(site.environment, "manage", "roles", "grant", role, person.username)
    assert granted.returncode == 0, granted.stderr
    page = context.new_page()
    page.goto(f"{site.url}/admin/login/")
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Administration")
    return page


def reported(person: Callable[[str], Person], name: str) -> str:
    """Writes a post with a reported comment; returns the post's text."""
    vandal, reader = person(f"{name}_vandal"), person(f"{name}_reader")
    text = f"You are all idiots and should leave, says {name}"
    post = vandal.post(text)
    reader.api("POST", f"/posts/{post}/comments", {"content": "Please be kind"})
    reader.api("POST", "/reports", {"target_type": "post", "target_id": post, "reason": "abuse"})
    return text


def test_every_page_works_at_every_width(
    site: Installation, person: Callable[[str], Person], new_context: Callable[..., BrowserContext]
) -> None:
    case = reported(person, "adm_a")
    wide: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
    page = enter(site, person("adm_ada"), "admin", new_context(**wide))
    page.goto(f"{site.url}/admin/moderation/case/")
    page.get_by_role("link", name=case).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("adm_a_vandal")
    pages = [*_PAGES, *_OF_ADMINS, page.url.removeprefix(site.url)]
    found = []
    for scheme, widths in (("dark", (390, 1920)), ("light", (1280,))):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for path in pages:
            page.goto(site.url + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            for width in widths:
                page.set_viewport_size({"width": width, "height": 900})
                found += violations(page, f"{path} at {width}")
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found.append(f"{path} is wider than {width}")
    assert found == []


def test_lists_fit_on_phones(
    site: Installation, person: Callable[[str], Person], new_context: Callable[..., BrowserContext]
) -> None:
    case = reported(person, "adm_c")
    page = enter(site, person("adm_phil"), "moderator", new_context())
    for path in _PAGES:
        page.goto(site.url + path)
        for width in (390, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(_SCROLLING) == [], f"{path} at {width}"
    page.goto(f"{site.url}/admin/moderation/case/")
    row = page.locator("#result_list tbody tr").filter(has_text=case)
    expect(row.locator(".field-reasons")).to_have_attribute("data-column", "Why")


def test_a_case_can_be_decided_with_the_keyboard_alone(
    site: Installation, person: Callable[[str], Person], new_context: Callable[..., BrowserContext]
) -> None:
    reported(person, "adm_b")
    page = enter(site, person("adm_mia"), "moderator", new_context())
    page.goto(f"{site.url}/admin/moderation/case/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Decide")).to_be_visible()
    page.keyboard.press("w")
    expect(page.get_by_label("Warn the author")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("Decided")
    page.goto(f"{site.url}/admin/moderation/action/")
    expect(page.locator("#result_list tbody tr").first).to_contain_text("Warn User")
