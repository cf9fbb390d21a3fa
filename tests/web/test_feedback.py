"""What the client shows over time: messages, ages, repeated clicks, old lists, the way back after logging in."""

import json
from collections.abc import Callable

import httpx
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.run.installation import Installation
from tests.scenarios.product import eventually
from tests.web.conftest import PASSWORD, Person, go, wait_until_true

_LIKE = "Like, 0 reactions"
_IS_REMEMBERED = "() => history.state?.scroll === Math.round(scrollY)"  # which happens when scrolling has ended


def opened(person: Person, path: str) -> Page:
    """A page whose clock the test sets, without the service worker, and with a socket that says nothing."""
    page = person.open(service_workers="block")
    page.route_web_socket("**/ws/notifications/", lambda _: None)
    page.clock.install()
    page.goto(person.site.url + path)
    return page


def delete_post(page: Page) -> None:
    """Deletes the post that is shown."""
    page.get_by_role("button", name="More about this post").first.click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()


def test_a_message_stays_while_it_is_pointed_at_or_focused(person: Callable[[str], Person]) -> None:
    ada = person("ada_toast")
    post = ada.post("Regretted, then not")
    page = opened(ada, "/")
    delete_post(page)
    message = page.locator(".toast").filter(has_text="Post deleted")
    message.hover()
    page.clock.run_for(60_000)
    expect(message).to_be_visible()
    page.mouse.move(1, 1)
    message.get_by_role("button", name="Undo").focus()
    page.clock.run_for(60_000)
    expect(message).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Regretted, then not")).to_be_visible()
    page.clock.run_for(60_000)
    assert ada.api("GET", f"/posts/{post}")["id"] == post
    delete_post(page)
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.clock.run_for(12_000)
    expect(message).to_have_count(0)


def test_a_post_deleted_just_before_logging_out_is_deleted(person: Callable[[str], Person]) -> None:
    ada = person("ada_leaves")
    post = ada.post("Regretted")
    page = ada.open()
    delete_post(page)
    expect(page.get_by_text("Post deleted")).to_be_visible()
    go(page, "/settings")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("main").get_by_role("link", name="Log in").first).to_be_visible()
    assert httpx.get(f"{ada.site.url}/v1/posts/{post}").status_code == 404


def test_ages_grow_while_a_page_is_open(person: Callable[[str], Person]) -> None:
    ada = person("ada_ages")
    page = opened(ada, "/")
    ada.post("Just now")
    page.reload()
    age = page.get_by_role("article", name="Post by Ada_Ages").locator("time")
    expect(age).to_have_text("now")
    page.clock.run_for(185_000)
    expect(age).to_have_text("3 min. ago")


def test_the_last_of_several_clicks_counts(person: Callable[[str], Person]) -> None:
    ada = person("ada_clicks")
    post = ada.post("Liked by mistake")
    page = ada.open(f"/posts/{post}", service_workers="block")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/v1/posts/{post}/reaction", hold)
    with page.expect_request(f"**/v1/posts/{post}/reaction"):
        page.get_by_role("button", name=_LIKE).click()
    page.get_by_role("button", name="Like, 1 reaction").click()
    expect(page.get_by_role("button", name=_LIKE)).to_be_visible()
    assert [each.request.method for each in held] == ["PUT"]  # the other waits for its answer
    with page.expect_request(f"**/v1/posts/{post}/reaction"):
        held[0].continue_()
    expect(page.get_by_role("button", name=_LIKE)).to_be_visible()  # not as it was for a moment
    with page.expect_response(f"**/v1/posts/{post}/reaction"):
        held[1].continue_()
    expect(page.get_by_role("button", name=_LIKE)).to_be_visible()
    assert ada.api("GET", f"/posts/{post}")["my_reaction"] is None


def test_a_bookmark_that_could_not_be_removed_stays_in_the_list(person: Callable[[str], Person]) -> None:
    ada = person("ada_keeps")
    post = ada.post("Worth keeping")
    ada.api("PUT", f"/posts/{post}/bookmark")
    page = ada.open("/bookmarks", service_workers="block")
    page.route(f"**/v1/posts/{post}/bookmark", lambda route: route.abort())
    page.get_by_role("button", name="Bookmark").click()
    expect(page.get_by_text("There is no connection to the server.")).to_be_visible()
    expect(page.get_by_text("Worth keeping")).to_be_visible()
    page.unroute(f"**/v1/posts/{post}/bookmark")
    page.get_by_role("button", name="Bookmark").click()
    expect(page.get_by_role("heading", name="No bookmarks yet")).to_be_visible()


def test_a_list_that_was_read_long_ago_is_read_again(person: Callable[[str], Person]) -> None:
    ada = person("ada_old")
    ada.post("The first")
    page = opened(ada, f"/@{ada.username}")
    expect(page.get_by_text("The first")).to_be_visible()
    ada.post("The second")
    go(page, "/settings")
    page.clock.run_for(31_000)
    go(page, f"/@{ada.username}")
    expect(page.get_by_text("The second")).to_be_visible()
    expect(page.get_by_text("The first")).to_be_visible()


def test_a_changed_text_is_sent_under_another_key(person: Callable[[str], Person]) -> None:
    ada = person("ada_keys")
    page = ada.open("/compose", service_workers="block")
    keys: list[str] = []

    def refuse(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        body = json.dumps({"status": 409, "code": "conflict", "title": "Conflict"})
        route.fulfill(status=409, content_type="application/problem+json", body=body)

    page.route("**/v1/posts", refuse)
    field = page.get_by_role("textbox", name="What's on your mind?")
    for text in ("First", "First", "Second"):
        if text != field.input_value():
            field.fill(text)
        with page.expect_response("**/v1/posts"):
            page.get_by_role("button", name="Post", exact=True).click()
        expect(page.locator(".composer")).to_have_attribute("aria-busy", "false")
    assert keys[0] == keys[1] != keys[2]


def test_logging_in_leads_back_to_the_page(
    site: Installation, person: Callable[[str], Person], new_context: Callable[..., BrowserContext]
) -> None:
    ada = person("ada_backto")
    post = ada.post("Come in to answer")
    page = new_context().new_page()
    page.goto(f"{site.url}/posts/{post}")
    page.get_by_role("button", name=_LIKE).click()
    page.get_by_role("dialog").get_by_role("link", name="Log in").click()
    page.get_by_label("E-mail or username").fill(ada.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("textbox", name="Write a comment")).to_be_visible()
    assert page.url == f"{site.url}/posts/{post}"


def test_a_server_that_cannot_say_who_is_logged_in_is_tried_again(person: Callable[[str], Person]) -> None:
    ada = person("ada_unsaid")
    page = ada.open(service_workers="block")
    page.route("**/v1/auth/refresh", lambda route: route.fulfill(status=429, body="{}"))
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("This could not be loaded")
    expect(page.get_by_role("link", name="Log in")).to_have_count(0)
    page.unroute("**/v1/auth/refresh")
    page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def test_a_dismissed_question_leaves_pushes_off(person: Callable[[str], Person]) -> None:
    ada = person("ada_unasked")
    page = ada.open()
    page.context.add_init_script(
        "Object.defineProperty(Notification, 'permission', {value: 'default'});"
        "Notification.requestPermission = async () => 'default';"
    )
    page.goto(f"{ada.site.url}/settings/notifications")
    switch = page.get_by_role("switch", name="Push on this device")
    switch.click()
    expect(switch).to_be_enabled()
    expect(switch).not_to_be_checked()


def test_a_reload_keeps_the_place_but_shows_what_is_new_at_the_top(person: Callable[[str], Person]) -> None:
    ada = person("ada_f5")
    for number in range(15):
        ada.post(f"Number {number}")
    page = ada.open()
    below = page.get_by_text("Number 5", exact=True)
    page.get_by_text("Number 2", exact=True).scroll_into_view_if_needed()
    expect(below).to_be_in_viewport()
    wait_until_true(page, _IS_REMEMBERED)
    page.reload()
    expect(below).to_be_in_viewport()
    page.goto(f"{ada.site.url}/v1/docs")
    page.go_back()
    expect(below).to_be_in_viewport()
    page.evaluate("() => scrollTo(0, 0)")
    expect(page.get_by_text("Number 14")).to_be_in_viewport()
    wait_until_true(page, _IS_REMEMBERED)
    ada.post("The newest")
    page.reload()
    expect(page.get_by_text("The newest")).to_be_in_viewport()


def test_another_tab_of_a_profile_does_not_move_the_page(person: Callable[[str], Person]) -> None:
    ada = person("ada_switches")
    page = ada.open("/@ada_switches", viewport={"width": 390, "height": 500})
    tabs = page.get_by_role("navigation", name="Ada_Switches")
    expect(page.get_by_role("heading", name="@ada_switches has not posted yet")).to_be_visible()
    page.mouse.wheel(0, 120)
    eventually(lambda: page.evaluate("scrollY") == 120)
    tabs.get_by_role("link", name="Media").click()
    expect(tabs.get_by_role("link", name="Media")).to_have_attribute("aria-current", "page")
    assert page.evaluate("scrollY") == 120


def test_going_back_keeps_the_place_on_settings(person: Callable[[str], Person]) -> None:
    page = person("ada_place").open("/settings", viewport={"width": 390, "height": 500})
    page.get_by_role("link", name="Devices").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="Devices")).to_be_in_viewport()


def test_what_an_unreachable_server_did_not_get_is_sent_later(person: Callable[[str], Person]) -> None:
    ada = person("ada_later")
    page = opened(ada, "/compose")
    field = page.get_by_role("textbox", name="What's on your mind?")

    def refuse(route: Route) -> None:
        body = json.dumps({"status": 403, "code": "account_limited", "title": "Forbidden"})
        route.fulfill(status=403, content_type="application/problem+json", body=body)

    page.route("**/v1/posts", lambda route: route.abort())
    field.fill("Sent in the end")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("1 message waits to be sent.")).to_be_visible()
    page.unroute("**/v1/posts")
    page.clock.run_for(6_000)
    expect(page.get_by_text("What you wrote offline was sent.")).to_be_visible()
    assert [each["content"] for each in ada.api("GET", f"/profiles/{ada.id}/posts")["results"]] == ["Sent in the end"]
    page.route("**/v1/posts", lambda route: route.abort())
    field.fill("Refused in the end")
    page.get_by_role("button", name="Who can see this: Everyone").click()
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("1 message waits to be sent.")).to_be_visible()
    page.unroute("**/v1/posts")
    page.route("**/v1/posts", refuse)
    page.clock.run_for(6_000)
    expect(page.get_by_text("A moderator has limited your account")).to_be_visible()
    go(page, "/settings")
    go(page, "/")
    expect(field).to_have_value("Refused in the end")
    expect(page.get_by_role("button", name="Who can see this: Followers")).to_be_visible()


def test_a_deleted_post_does_not_come_back_with_a_list_that_is_read_meanwhile(
    person: Callable[[str], Person],
) -> None:
    ada = person("ada_regrets")
    ada.post("Here to stay")
    ada.post("Regretted at once")
    page = opened(ada, "/")
    regretted = page.get_by_text("Regretted at once")
    delete_post(page)
    go(page, "/@ada_regrets")
    expect(page.get_by_text("Here to stay")).to_be_visible()
    expect(regretted).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(regretted).to_be_visible()
    delete_post(page)
    go(page, "/explore?sort=recent")
    expect(page.get_by_text("Here to stay")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.clock.run_for(12_000)
    expect(regretted).to_have_count(0)


def test_a_post_that_is_gone_leaves_the_lists_that_show_it(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_late"), person("bob_late")
    ada.api("PUT", f"/profiles/{bob.id}/follow")
    posts = [bob.post("Gone when opened"), bob.post("Gone when liked"), bob.post("Still there")]
    page = opened(ada, "/")
    opens, likes = page.get_by_text("Gone when opened"), page.get_by_text("Gone when liked")
    expect(opens).to_be_visible()
    for post in posts[:2]:
        bob.api("DELETE", f"/posts/{post}")
    page.locator("[data-post]").filter(has=likes).get_by_role("button", name=_LIKE).click()
    expect(page.get_by_text("It does not exist, or you may not see it.")).to_be_visible()
    expect(likes).to_have_count(0)
    page.mouse.move(1, 1)  # away from the reactions of the post that is there now
    opens.click()
    expect(page.get_by_role("heading", name="This post is not available")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Still there")).to_be_visible()
    expect(opens).to_have_count(0)
