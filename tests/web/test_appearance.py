"""How pages look on paper, in forced colors and on very narrow screens."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, expect

from tests.run.installation import Installation
from tests.web.conftest import Person, go

_VERY_NARROW = {"width": 280, "height": 650}


def style(locator: Locator, name: str, pseudo: str = "") -> str:
    """A computed style, after its transitions."""
    return str(
        locator.evaluate(
            "async (each, [name, pseudo]) => {"
            " await Promise.allSettled(each.getAnimations({ subtree: true }).map(each => each.finished));"
            " return getComputedStyle(each, pseudo)[name]; }",
            [name, pseudo or None],
        )
    )


def test_a_thread_is_printed_across_the_paper_dark_on_white(person: Callable[[str], Person]) -> None:
    ada = person("ada_print")
    post = ada.post("For the record")
    ada.api("POST", f"/posts/{post}/comments", {"content": "Agreed"})
    page = ada.open(f"/posts/{post}", viewport={"width": 900, "height": 800}, color_scheme="dark")
    expect(page.get_by_text("Agreed")).to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("main").evaluate("main => main.offsetWidth") > 800
    assert style(page.locator("body"), "color") == "rgb(19, 23, 34)"
    expect(page.get_by_text("Agreed")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_have_count(0)
    expect(page.locator("main").get_by_role("button")).to_have_count(0)


def test_forced_colors_keep_what_is_on_and_the_edges_of_messages(person: Callable[[str], Person]) -> None:
    ada = person("ada_forced")
    post = ada.post("High contrast")
    page = ada.open(f"/posts/{post}", forced_colors="active")
    repost = page.get_by_role("button", name="Repost")
    off = style(repost, "color")
    repost.click()
    expect(page.get_by_role("button", name="Repost, 1 repost")).to_have_attribute("aria-pressed", "true")
    assert style(repost, "color") != off
    assert style(page.locator(".toast"), "borderTopWidth") == "1px"
    go(page, "/settings/privacy")
    switch = page.get_by_role("switch", name="Private profile")
    for _ in range(2):
        assert style(switch, "backgroundColor", "::after") != style(switch, "backgroundColor")
        switch.check()


def test_a_very_narrow_screen_shows_names_the_present_tab_and_whole_passwords(person: Callable[[str], Person]) -> None:
    ada = person("ada_280")
    post = ada.post("Deep")
    comment = None
    for level in range(8):
        body = {"content": f"Reply {level}", **({"parent_comment_id": comment} if comment else {})}
        comment = ada.api("POST", f"/posts/{post}/comments", body)["id"]
    page = ada.open(f"/posts/{post}?comment={comment}", viewport=_VERY_NARROW)
    names = page.locator(".comment-head .name")
    expect(names).to_have_count(8)
    assert [each for each in names.all() if each.evaluate("name => name.scrollWidth > name.clientWidth")] == []
    go(page, "/@ada_280/following")
    expect(page.get_by_role("navigation", name="Ada_280").get_by_role("link", name="Following")).to_be_in_viewport(
        ratio=1
    )
    go(page, "/settings/account")
    password = page.get_by_label("Current password").first
    show = page.get_by_role("button", name="Show password").first
    assert float(style(password, "paddingRight").removesuffix("px")) >= show.evaluate("button => button.offsetWidth")


def test_between_phones_and_desktops_the_icons_have_names_and_fit(
    site: Installation, person: Callable[[str], Person], new_context: Callable[..., BrowserContext]
) -> None:
    between = {"width": 768, "height": 900}
    page = new_context(viewport=between, locale="de").new_page()
    page.goto(f"{site.url}/explore")
    way_in = page.get_by_role("banner").get_by_role("link", name="Anmelden")
    expect(way_in).to_be_visible()
    assert way_in.evaluate("link => link.closest('header').scrollWidth - link.closest('header').clientWidth") == 0
    page = person("ada_mid").open(viewport=between)
    for name in ("Home", "Explore", "Notifications", "Bookmarks", "Profile", "Settings"):
        expect(page.get_by_role("banner").get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("banner").get_by_role("button", name="New post")).to_be_visible()


def test_going_to_the_top_does_not_move_for_those_who_do_not_want_it(person: Callable[[str], Person]) -> None:
    ada = person("ada_still")
    for number in range(9):
        ada.post(f"Number {number}")
    page = ada.open("/@ada_still", reduced_motion="reduce", viewport={"width": 1280, "height": 400})
    page.get_by_text("Number 1").scroll_into_view_if_needed()
    assert page.evaluate("() => scrollY") > 0
    profile = page.get_by_role("navigation", name="Main").get_by_role("link", name="Profile").first
    assert profile.evaluate("link => { link.click(); return scrollY; }") == 0


def test_more_contrast_is_given_to_those_who_prefer_it(person: Callable[[str], Person]) -> None:
    ada = person("ada_strong")
    page = ada.open(f"/posts/{ada.post('Black on white')}", contrast="more")
    text = style(page.locator("body"), "color")
    assert style(page.locator(".post .handle").first, "color") == text
    assert style(page.locator(".post").first, "borderBottomColor") == text


def test_a_handle_without_room_is_left_out(person: Callable[[str], Person]) -> None:
    ada = person("ada_augusta_byron_lovelace")
    ada.post("Narrow")
    page = ada.open(viewport={"width": 320, "height": 650})
    name, handle = page.locator(".post-author .name").first, page.locator(".post-author .handle").first
    expect(name).to_be_visible()
    top = "each => each.getBoundingClientRect().top"
    assert handle.evaluate(top) > name.evaluate(top) + 10  # on a second line, which is not shown
    assert name.evaluate("each => each.offsetWidth") > 120
