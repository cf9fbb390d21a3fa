"""Every view passes axe, in light and dark, wide and narrow; everything works without a mouse."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.run.installation import Installation
from tests.web.axe import violations
from tests.web.conftest import NARROW, WIDE, Person, go

_OPEN = ["/login", "/signup", "/forgot", "/reset-password?key=1", "/erasures/1", "/about/components"]
_SIGNED_IN = [
    "/",
    "/explore",
    "/explore?sort=recent",
    "/hashtags/axe",
    "/search",
    "/search?q=axe",
    "/search?q=axe&type=users",
    "/notifications",
    "/follow-requests",
    "/bookmarks",
    "/compose",
    "/settings",
    *(
        f"/settings/{section}"
        for section in (
            "profile",
            "account",
            "security",
            "privacy",
            "notifications",
            "appearance",
            "language",
            "blocks",
            "mutes",
            "moderation",
            "devices",
        )
    ),
]


def settled(page: Page) -> None:
    """Waits until loading and animations have finished."""
    expect(page.locator(".skeletons, .spinner")).to_have_count(0)
    page.evaluate("() => Promise.all(document.getAnimations().map(each => each.finished.catch(() => null)))")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_view_passes_axe(
    site: Installation,
    person: Callable[[str], Person],
    new_context: Callable[..., BrowserContext],
    theme: str,
    size: dict[str, int],
) -> None:
    name = f"axe_{theme}_{size['width']}"
    ada, bob = person(name), person(f"{name}_b")
    post = ada.post("Watching #axe work")
    bob.api("POST", f"/posts/{post}/comments", {"content": "So do I"})
    bob.api("PUT", f"/posts/{post}/reaction", {"reaction_type": "haha"})
    found: list[str] = []
    options: dict[str, Any] = {"viewport": size, "color_scheme": theme, "reduced_motion": "reduce"}
    page = new_context(**options).new_page()
    for view in _OPEN:
        page.goto(site.url + view)
        expect(page.locator("h1")).to_be_visible()
        found += violations(page, view)
    page = ada.open(**options)
    for view in [*_SIGNED_IN, f"/@{name}", f"/@{name}_b", f"/posts/{post}", "/@nobody_here"]:
        go(page, view)
        expect(page.locator("main h1")).to_be_visible()
        settled(page)
        found += violations(page, view)
    assert found == []


def test_menus_and_dialogs_pass_axe(person: Callable[[str], Person]) -> None:
    ada, bob = person("axe_d"), person("axe_e")
    post = bob.post("A post with a menu")
    page = ada.open(f"/posts/{post}", reduced_motion="reduce")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="More about this post").click()
    found = violations(page, "menu")
    page.get_by_role("menuitem", name="Report").click()
    expect(dialog).to_be_visible()
    found += violations(page, "report")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New post").click()
    expect(dialog.get_by_role("textbox", name="What's on your mind?")).to_be_focused()
    found += violations(page, "composer")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    found += violations(page, "shortcuts")
    assert found == []


def test_everything_works_with_the_keyboard(person: Callable[[str], Person]) -> None:
    ada = person("keys")
    first, second = ada.post("The older post"), ada.post("The newer post")
    page = ada.open()
    expect(page.locator(f"[data-post='{second}']")).to_be_visible()

    page.keyboard.press("j")
    expect(page.locator(f"[data-post='{second}']")).to_be_focused()
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Like, 1 reaction")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator(f"[data-post='{first}']")).to_be_focused()
    page.keyboard.press("b")
    expect(page.locator(f"[data-post='{first}']").get_by_role("button", name="Bookmark")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.keyboard.press("r")
    field = page.get_by_role("textbox", name="Write a comment")
    expect(field).to_be_focused()
    field.press_sequentially("j and k do not move while I type")
    field.press("Control+Enter")
    expect(page.get_by_role("article", name="Comment by keys")).to_be_visible()

    page.get_by_role("heading", level=1).focus()
    page.keyboard.press("g")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Bookmarks")).to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    like = page.get_by_role("button", name="Like, 0 reactions")
    like.focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitemradio", name="Like")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Love, 1 reaction")).to_be_focused()


def test_the_keys_begin_with_the_post_that_is_in_sight(person: Callable[[str], Person]) -> None:
    ada = person("ada_sight")
    posts = [ada.post(f"Number {number}") for number in range(15)]
    page = ada.open("/@ada_sight")
    expect(page.locator("main [data-post]")).to_have_count(15)
    page.locator(f"[data-post='{posts[4]}']").scroll_into_view_if_needed()
    page.keyboard.press("j")
    first = page.locator("main [data-post]:focus")
    expect(first).to_be_in_viewport()
    expect(first).not_to_have_attribute("data-post", posts[14])


def test_the_first_tab_stop_skips_to_the_content(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context().new_page()
    page.goto(site.url)
    expect(page.locator("#main h1")).to_be_visible()  # the client's own, not that of the document before it starts
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_navigation_moves_the_focus_to_the_heading(person: Callable[[str], Person]) -> None:
    page = person("heading").open("/explore")
    for name in ("Home", "Settings"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).first.click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_focused()
    for name in ("Privacy", "Security"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_focused()
        page.get_by_role("button", name="Back").click()
        expect(page.get_by_role("heading", level=1, name="Settings")).to_be_focused()


def test_a_rejected_form_focuses_its_first_invalid_field(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context().new_page()
    page.goto(f"{site.url}/login")
    page.get_by_role("link", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.locator("[name=username]").fill("a!")
    page.locator("[name=email]").fill("mistaken@example.org")
    page.locator("[name=password]").fill("password")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("[name=username]")).to_be_focused()
    expect(page.locator("[name=username]")).to_have_attribute("aria-invalid", "true")


def test_the_focus_stays_in_a_list_when_a_row_is_removed(person: Callable[[str], Person]) -> None:
    ada = person("ada_row")
    ada.api("PATCH", "/profiles/me", {"is_private": True})
    for name in ("bob_row", "eve_row"):
        person(name).api("PUT", f"/profiles/{ada.id}/follow")
    page = ada.open("/follow-requests", reduced_motion="reduce")
    page.get_by_role("button", name="Reject: @bob_row").press("Enter")
    expect(page.locator("main .person")).to_have_count(1)
    expect(page.locator("main .list")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Accept: @eve_row")).to_be_focused()


def test_the_focus_returns_to_the_field_when_a_comment_was_sent(person: Callable[[str], Person]) -> None:
    ada = person("ada_sent")
    page = ada.open(f"/posts/{ada.post('Discuss')}")
    field = page.get_by_role("textbox", name="Write a comment")
    field.press_sequentially("By keyboard alone")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name="Comment by ada_sent")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("")


def delete(page: Page, what: str) -> None:
    """By the first menu of a post or comment, with the keyboard."""
    page.get_by_role("button", name=f"More about this {what}").first.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("End")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")


def test_the_focus_goes_on_from_what_was_deleted(person: Callable[[str], Person]) -> None:
    ada = person("ada_focus")
    posts = [ada.post(f"Number {number}") for number in range(3)]
    for number in range(2):
        ada.api("POST", f"/posts/{posts[0]}/comments", {"content": f"Comment {number}"})
    page = ada.open("/@ada_focus")
    expect(page.locator("[data-post]")).to_have_count(3)
    delete(page, "post")
    expect(page.locator(f"[data-post='{posts[1]}']")).to_be_focused()
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.locator(f"[data-post='{posts[1]}']")).to_be_focused()
    expect(page.locator("[data-post]")).to_have_count(3)
    go(page, f"/posts/{posts[0]}")
    delete(page, "comment")
    expect(page.get_by_role("article", name="Comment by ada_focus")).to_have_count(1)
    expect(page.get_by_role("article", name="Comment by ada_focus")).to_be_focused()
    delete(page, "post")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Post deleted.")).to_be_visible()
