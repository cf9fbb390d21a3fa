"""How pages look on paper, in forced colors and on very narrow screens."""

from collections.abc import Callable

from playwright.sync_api import Locator, expect

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
