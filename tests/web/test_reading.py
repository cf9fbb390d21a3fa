"""Reading and responding: earlier versions, reactions, appeals, follow requests, zoom and text direction."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import NARROW, Person, go


def overflow(page: Page) -> int:
    """The number of pixels by which the page is wider than the window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_earlier_versions_and_reactions_are_listed(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_h"), person("bob_h")
    post = ada.post("The first wording")
    ada.api("PATCH", f"/posts/{post}", {"content": "The second wording"})
    bob.api("PUT", f"/posts/{post}/reaction", {"reaction_type": "haha"})
    page = ada.open(f"/posts/{post}")
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Earlier versions").click()
    expect(page.get_by_role("dialog")).to_contain_text("The first wording")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Who reacted").click()
    expect(page.get_by_role("dialog").get_by_role("article")).to_contain_text("@bob_h")
    page.get_by_role("dialog").get_by_role("button", name="Angry").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nobody has reacted yet")


def test_a_repost_can_be_undone_after_a_reload(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_rp"), person("bob_rp")
    post = bob.post("Pass it on")
    ada.api("PUT", f"/posts/{post}/repost")
    page = ada.open(f"/posts/{post}")
    button = page.get_by_role("button", name="Repost, 1 repost")
    expect(button).to_have_attribute("aria-pressed", "true")
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        button.click()
    expect(page.get_by_role("button", name="Repost", exact=True)).to_have_attribute("aria-pressed", "false")
    assert ada.api("GET", f"/posts/{post}")["reposts_count"] == 0


def test_a_follow_request_can_be_answered_in_the_notification(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_rq"), person("bob_rq")
    ada.api("PATCH", "/profiles/me", {"is_private": True})
    page = ada.open("/notifications")
    bob.api("PUT", f"/profiles/{ada.id}/follow")
    page.get_by_role("button", name="Accept: @bob_rq").click()
    expect(page.get_by_text("You accepted the request.")).to_be_visible()
    assert bob.api("GET", f"/profiles/{ada.id}/relationship")["following"] is True


def test_a_decision_can_be_appealed_and_a_report_tracked(person: Callable[[str], Person]) -> None:
    """The decision is mocked, as moderators decide in the admin site, and the list of appeals is stale.

    The report is real.
    """
    ada, bob = person("ada_ap"), person("bob_ap")
    ada.api("POST", "/reports", {"target_type": "post", "target_id": bob.post("Rude"), "reason": "abuse"})
    page = ada.open(service_workers="block")
    action = {
        "id": "77",
        "kind": "warn_user",
        "target_type": "user",
        "target_id": ada.id,
        "reason": "Be kind",
        "rule_id": None,
        "until": None,
        "created_at": "2026-11-01T10:00:00.000Z",
    }
    appeals: list[dict[str, str]] = []

    def file(route: Route) -> None:
        if route.request.method == "POST":
            appeals.append({**json.loads(route.request.post_data or ""), "id": "1", "status": "open", "answer": ""})
            route.fulfill(status=201, json=appeals[0])
        else:
            route.fulfill(json={"results": [], "next": None, "previous": None})

    page.route("**/v1/moderation/actions*", lambda route: route.fulfill(json={"results": [action]}))
    page.route("**/v1/appeals*", file)
    go(page, "/settings/moderation")
    expect(page.get_by_role("listitem").filter(has_text="Warning")).to_contain_text("Be kind")
    expect(page.get_by_role("listitem").filter(has_text="Harassment or abuse")).to_contain_text("Waiting")
    page.get_by_role("button", name="Appeal").click()
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.get_by_role("dialog").get_by_role("textbox").fill("I was kind")
    page.get_by_role("dialog").locator(".button-primary").click()
    expect(page.get_by_text("Your appeal is waiting for an answer.")).to_be_visible()
    expect(page.get_by_role("button", name="Appeal")).to_have_count(0)
    assert (appeals[0]["action_id"], appeals[0]["text"]) == ("77", "I was kind")


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, {"width": 640, "height": 450}], ids=["320", "zoom"])
@pytest.mark.parametrize("language", ["en-US", "ar"])
def test_nothing_is_cut_off(person: Callable[[str], Person], size: dict[str, int], language: str) -> None:
    """At 320 pixels, and 1280 at 200 % (WCAG 1.4.10), with the longest texts, in both text directions."""
    name = f"ada_{size['width']}_{language[:2]}_abcdefghijklmnopq"
    ada = person(name)
    ada.api("PATCH", "/profiles/me", {"full_name": "Maximiliane" * 9, "bio": "x" * 500})
    post = ada.post("w" * 800 + " " + "word " * 700 + " https://example.org/" + "path/" * 60)
    ada.post("m", content_warning="warning " * 20)
    comment = None
    for level in range(12):
        body = {"content": f"Reply {level} " + "x" * 60, **({"parent_comment_id": comment} if comment else {})}
        comment = ada.api("POST", f"/posts/{post}/comments", body)["id"]
    page = ada.open(viewport=size, locale=language, reduced_motion="reduce")
    cut: dict[str, int] = {}
    views = ["/", "/explore", f"/@{name}", f"/posts/{post}", f"/comments/{comment}", "/notifications", "/search?q=word"]
    for view in [*views, "/settings", "/settings/profile", "/settings/account", "/settings/notifications"]:
        go(page, view)
        expect(page.locator("main h1")).to_be_visible()
        expect(page.locator(".skeletons")).to_have_count(0)
        cut[view] = overflow(page)
    assert {view: pixels for view, pixels in cut.items() if pixels > 0} == {}
    assert page.evaluate("() => document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")


def test_the_page_is_mirrored_in_arabic(person: Callable[[str], Person]) -> None:
    ada = person("ada_rtl")
    post = ada.post("مرحبا بالجميع")
    page = ada.open(f"/posts/{post}", locale="ar")
    text = page.locator(f"[data-post='{post}'] .rich")
    expect(text).to_have_attribute("lang", "ar")
    assert page.evaluate("() => getComputedStyle(document.querySelector('.rich')).direction") == "rtl"
    avatar, menu = page.locator(".post-avatar").bounding_box(), page.locator(".post-head .menu").bounding_box()
    assert avatar
    assert menu
    assert avatar["x"] > menu["x"]
    expect(page.locator(".post-author bdi")).to_have_text("@ada_rtl")
    go(page, "/@ada_rtl")
    name, handle = (page.locator(f"[data-post='{post}'] .{each}").first.bounding_box() for each in ("name", "handle"))
    assert name
    assert handle
    assert name["x"] > handle["x"]


def test_arrows_go_through_reactions_as_they_point(person: Callable[[str], Person]) -> None:
    ada = person("ada_point")
    for language, onwards in (("en-US", "ArrowRight"), ("ar", "ArrowLeft")):
        page = ada.open(f"/posts/{ada.post('Which one?')}", locale=language)
        page.locator(".post .reaction .action").press("ArrowUp")
        faces = page.locator("[role=menuitemradio]")
        expect(faces.first).to_be_focused()
        page.keyboard.press(onwards)
        expect(faces.nth(1)).to_be_focused()


@pytest.mark.parametrize(("language", "side"), [("en-US", "Left"), ("ar", "Right")])
def test_what_is_searched_does_not_run_under_the_icon(
    person: Callable[[str], Person], language: str, side: str
) -> None:
    page = person(f"ada_icon_{language[:2]}").open("/search", locale=language)
    field = page.get_by_role("main").get_by_role("searchbox")
    for text in ("alice", "مرحبا"):
        field.fill(text)
        assert field.evaluate(f"each => parseFloat(getComputedStyle(each).padding{side})") > 40


def test_a_long_right_to_left_name_is_truncated_with_an_ellipsis(person: Callable[[str], Person]) -> None:
    ada = person("ada_cut")
    ada.api("PATCH", "/profiles/me", {"full_name": "محمد عبد الرحمن الأندلسي " * 3})
    post = ada.post("A name written from right to left")
    page = ada.open("/@ada_cut", viewport=NARROW)
    name = page.locator(f"[data-post='{post}'] .post-author .name")
    expect(name).to_be_visible()
    assert name.evaluate("each => [getComputedStyle(each).direction, getComputedStyle(each).textOverflow]") == [
        "rtl",
        "ellipsis",
    ]
    assert name.evaluate(
        "each => each.scrollWidth > each.clientWidth && each.clientWidth <= each.parentElement.clientWidth"
    )


def test_settings_change_how_the_page_looks(person: Callable[[str], Person]) -> None:
    page = person("ada_look").open("/settings/appearance", viewport=NARROW)
    page.get_by_label("Dark").check()
    page.get_by_label("Large").check()
    page.get_by_label("Compact").check()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("() => ({...document.documentElement.dataset})") == {
        "theme": "dark",
        "size": "large",
        "density": "compact",
        "motion": "system",
        "signedIn": "",
    }
    assert json.loads(page.evaluate("() => localStorage.appearance"))["size"] == "large"


def test_jumping_to_the_end_of_a_list_loads_all_pages(person: Callable[[str], Person]) -> None:
    """The next page is loaded even if the list's end is visible again before the browser checks."""
    ada = person("ada_end")
    for number in range(65):
        ada.post(f"Number {number}")
    page = ada.open("/@ada_end")
    expect(page.get_by_text("Number 64")).to_be_visible()
    page.evaluate("() => setInterval(() => scrollTo(0, document.documentElement.scrollHeight), 5)")
    expect(page.locator("main [data-post]")).to_have_count(65)


@pytest.mark.parametrize("typed", ["@ada.com", "ねえ＠ada.com"])
def test_names_with_dots_and_full_width_signs_are_completed(person: Callable[[str], Person], typed: str) -> None:
    ada = person(f"ada.complete{len(typed)}")
    ada.wait_until_found()
    page = ada.open("/compose")
    field = page.get_by_role("textbox", name="What's on your mind?")
    field.press_sequentially(typed)
    page.get_by_role("option", name=f"@{ada.username}").click()
    expect(field).to_have_value(f"{typed.partition('ada')[0].rstrip('@＠')}@{ada.username} ")


def test_arrows_go_through_what_the_search_suggests(person: Callable[[str], Person]) -> None:
    ada = person("ada_arrows")
    ada.wait_until_found()
    page = ada.open("/search")
    field = page.get_by_role("main").get_by_role("searchbox")
    field.fill("ada_arrows")
    expect(page.locator("main a.search-hit")).to_be_visible()
    field.press("ArrowDown")
    expect(page.locator("main a.search-hit")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ada_Arrows")).to_be_visible()


def test_home_says_who_reposted_a_post_also_after_it_was_opened(person: Callable[[str], Person]) -> None:
    ada, bob, eve = person("ada_why"), person("bob_why"), person("eve_why")
    ada.api("PUT", f"/profiles/{bob.id}/follow")
    bob.api("PUT", f"/posts/{eve.post('By a stranger')}/repost")
    page = ada.open()
    reason = page.get_by_role("link", name="Bob_Why reposted")
    expect(reason).to_be_visible()
    page.get_by_text("By a stranger").click()
    expect(page.get_by_role("heading", name="Post by Eve_Why")).to_be_visible()
    expect(reason).to_have_count(0)
    go(page, "/@eve_why")
    expect(page.get_by_text("By a stranger")).to_be_visible()
    expect(reason).to_have_count(0)
    go(page, "/")
    expect(reason).to_be_visible()


def test_a_post_opens_in_another_tab_with_the_control_key(person: Callable[[str], Person]) -> None:
    ada = person("ada_newtab")
    post = ada.post("Read it later")
    page = ada.open()
    with page.context.expect_page() as opened:
        page.get_by_text("Read it later").click(modifiers=["ControlOrMeta"])
    expect(opened.value.get_by_role("heading", name="Post by Ada_Newtab")).to_be_visible()
    assert opened.value.url == f"{ada.site.url}/posts/{post}"
    assert page.url == f"{ada.site.url}/"


def test_arrows_change_the_picture_at_once_and_wind_a_video(person: Callable[[str], Person]) -> None:
    ada = person("ada_winds")
    post = ada.post("A picture and a video")
    page = ada.open("/compose", service_workers="block")
    media = [
        {"id": str(number), "type": kind, "url": "/static/favicon.svg", "preview_url": "/static/favicon.svg"}
        for number, kind in enumerate(("image", "video"))
    ]
    body = {**ada.api("GET", f"/posts/{post}"), "media": media}
    page.route(f"**/v1/posts/{post}", lambda route: route.fulfill(json=body))
    go(page, f"/posts/{post}")
    page.get_by_role("button", name="Enlarge").click()
    dialog = page.get_by_role("dialog")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("2 of 2")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("1 of 2")
    page.keyboard.press("ArrowLeft")
    expect(dialog).to_contain_text("2 of 2")
    dialog.locator("video").press("ArrowRight")
    expect(dialog).to_contain_text("2 of 2")


def test_an_author_is_told_that_nobody_else_sees_a_post_or_comment(person: Callable[[str], Person]) -> None:
    """What moderators and their rules do is mocked."""
    ada = person("ada_held")
    post = ada.post("Seen by nobody")
    ada.api("POST", f"/posts/{post}/comments", {"content": "Nor is this"})
    page = ada.open("/compose", service_workers="block")

    def withhold(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"withheld":null', '"withheld":"waiting"'))

    page.route("**/v1/posts**", withhold)
    page.get_by_role("textbox", name="What's on your mind?").fill("Held")
    page.get_by_role("button", name="Post", exact=True).click()
    told = "Only you see this until a moderator has looked at it."
    expect(page.locator(".toast")).to_contain_text(told)
    go(page, f"/posts/{post}")
    expect(page.get_by_role("article", name="Post by Ada_Held")).to_contain_text(told)
    expect(page.get_by_role("article", name="Comment by ada_held")).to_contain_text(told)
    page.get_by_role("textbox", name="Write a comment").fill("Held, too")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".toast").last).to_contain_text(told)
    page.unroute_all(behavior="wait")


def test_closed_comments_are_read_only(person: Callable[[str], Person]) -> None:
    """What a moderator does is mocked."""
    ada = person("ada_closed")
    post = ada.post("No more of this")
    ada.api("POST", f"/posts/{post}/comments", {"content": "The last word"})
    page = ada.open("/compose", service_workers="block")
    body = {**ada.api("GET", f"/posts/{post}"), "comments_locked": True}
    page.route(f"**/v1/posts/{post}", lambda route: route.fulfill(json=body))
    go(page, f"/posts/{post}")
    expect(page.get_by_text("A moderator has closed the comments on this post.")).to_be_visible()
    expect(page.get_by_text("The last word")).to_be_visible()
    expect(page.get_by_role("textbox", name="Write a comment")).to_have_count(0)
    expect(page.get_by_role("button", name="Reply")).to_have_count(0)


def test_a_corrected_search_says_so(person: Callable[[str], Person]) -> None:
    ada = person("ada_typo")
    post = ada.api("GET", f"/posts/{ada.post('A lighthouse')}")
    page = ada.open(service_workers="block")
    hit = {"type": "post", "item": post, "highlight": ""}
    found = {"results": [hit], "next": None, "previous": None, "did_you_mean": "lighthouse"}
    page.route("**/v1/search?*", lambda route: route.fulfill(json=found))
    go(page, "/search?q=lighthose")
    expect(page.get_by_text("Nothing found for “lighthose”. These are results for “lighthouse”.")).to_be_visible()
    expect(page.get_by_text("A lighthouse")).to_be_visible()
