"""User stories in the client, some with two users."""

from collections.abc import Callable

import httpx
from playwright.sync_api import APIResponse, BrowserContext, Route, expect

from tests.run.installation import Installation
from tests.scenarios.product import eventually
from tests.web.conftest import NARROW, PASSWORD, Person, go, reload_and_watch


def test_a_user_can_sign_up_post_and_log_out(site: Installation, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(viewport=NARROW).new_page()
    page.goto(site.url)
    page.locator("#main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Name", exact=True).fill("Grace Hopper")
    page.get_by_label("Username").fill("grace")
    page.get_by_label("E-mail address").fill("grace@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()

    page.get_by_role("button", name="New post").last.click()
    page.get_by_role("textbox").fill("It is easier to ask forgiveness. #navy")
    page.get_by_role("dialog").get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    go(page, "/")
    post = page.get_by_role("article", name="Post by Grace Hopper")
    expect(post.get_by_role("link", name="#navy")).to_have_attribute("href", "/hashtags/navy")

    page.get_by_role("button", name="Your account").first.click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("main").get_by_role("link", name="Log in")).to_be_visible()


def test_a_post_appears_for_another_user_who_reacts_and_comments(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_s"), person("bob_s")
    bob.api("PUT", f"/profiles/{ada.id}/follow")
    post = ada.post("Notes on the engine")
    hers, his = ada.open("/notifications"), bob.open()

    his.get_by_role("button", name="Like, 0 reactions").first.click()
    expect(his.get_by_role("button", name="Like, 1 reaction")).to_be_visible()
    expect(his).to_have_url(f"{ada.site.url}/")  # clicking a button does not open the post
    his.get_by_role("link", name="Comment", exact=True).click()
    expect(his).to_have_url(f"{ada.site.url}/posts/{post}?reply")
    expect(his.get_by_role("textbox", name="Write a comment")).to_be_focused()
    his.get_by_role("textbox", name="Write a comment").fill("Splendid, @ada_s!")
    his.get_by_role("button", name="Send").click()
    expect(his.get_by_role("article", name="Comment by bob_s")).to_contain_text("Splendid, @ada_s!")

    expect(hers.get_by_role("article", name="Bob_S commented on your post")).to_be_visible()
    expect(hers.get_by_role("article", name="Bob_S commented on your post")).to_contain_text("Splendid, @ada_s!")
    expect(hers.get_by_role("article", name="Bob_S reacted to your post")).to_contain_text("Notes on the engine")
    expect(hers).to_have_title("(3) Notifications · socialapp")  # a follower, a reaction, a comment
    hers.get_by_role("link", name="Bob_S reacted to your post").click()
    expect(hers).to_have_title("(2) Post by Ada_S · socialapp")
    hers.go_back()
    hers.get_by_role("button", name="Mark all as read").click()
    expect(hers).to_have_title("Notifications · socialapp")
    hers.get_by_role("link", name="Bob_S commented on your post").click()
    hers.get_by_role("button", name="Reply", exact=True).click()
    hers.get_by_role("textbox", name="Reply to @bob_s").fill("Thank you")
    hers.get_by_role("button", name="Send").last.click()
    expect(hers.get_by_role("article", name="Comment by ada_s")).to_contain_text("Thank you")
    expect(his.get_by_role("button", name="1 reply")).to_be_visible()  # without reloading the page


def test_a_comment_counts_once_when_the_socket_is_faster_than_the_answer(
    person: Callable[[str], Person],
) -> None:
    ada = person("ada_counts")
    post = ada.post("Count with me")
    page = ada.open(f"/posts/{post}", service_workers="block")
    reload_and_watch(page, post)
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        held.append((route, route.fetch()))

    def is_shown_once(count: str) -> None:
        heading = page.get_by_role("heading", name=count, exact=True)
        expect(heading).to_be_visible()
        route, answer = held.pop()
        with page.expect_response(route.request.url):
            route.fulfill(response=answer)
        page.evaluate("() => new Promise(resolve => setTimeout(resolve))")
        expect(heading).to_be_visible()

    page.route(f"**/v1/posts/{post}/comments", hold)
    page.get_by_role("textbox", name="Write a comment").fill("One")
    page.get_by_role("button", name="Send").click()
    is_shown_once("1 comment")
    page.route("**/v1/comments/*", hold)
    page.get_by_role("button", name="More about this comment").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    is_shown_once("Comments")


def test_posts_of_followed_users_appear_in_the_home_feed(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_home"), person("bob_home")
    bob.post("Good morning")
    page = ada.open(viewport=NARROW)
    expect(page.get_by_role("heading", name="Welcome! Your feed is still empty")).to_be_visible()
    go(page, "/@bob_home")
    page.get_by_role("button", name="Follow: follow @bob_home").click()
    expect(page.get_by_role("link", name="1 follower")).to_be_visible()  # shown once the server has agreed
    go(page, "/")
    expect(page.get_by_role("article", name="Post by Bob_Home")).to_contain_text("Good morning")


def test_conflicting_edits_are_shown_for_the_user_to_decide(person: Callable[[str], Person]) -> None:
    ada = person("ada_e")
    post = ada.post("First version")
    page = ada.open(f"/posts/{post}")
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Edit").click()
    field = page.get_by_role("dialog").get_by_role("textbox")
    expect(field).to_have_value("First version")
    ada.api("PATCH", f"/posts/{post}", {"content": "From another device"})
    field.fill("From this device")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Your changes are kept on this device.")).to_be_visible()
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Edit").click()
    expect(field).to_have_value("From this device")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This post was changed somewhere else")).to_contain_text("From another device")
    assert ada.api("GET", f"/posts/{post}")["content"] == "From another device"
    page.get_by_role("button", name="Save my version").click()
    expect(page.get_by_role("article", name="Post by Ada_E")).to_contain_text("From this device")
    assert ada.api("GET", f"/posts/{post}")["content"] == "From this device"


def test_an_unfinished_edit_of_a_comment_is_kept(person: Callable[[str], Person]) -> None:
    ada = person("ada_half")
    post = ada.post("Notes")
    ada.api("POST", f"/posts/{post}/comments", {"content": "Before"})
    page = ada.open(f"/posts/{post}")
    field = page.get_by_role("textbox", name="Edit comment")
    for value in ("Before", "Half a thought"):
        page.get_by_role("button", name="More about this comment").click()
        page.get_by_role("menuitem", name="Edit").click()
        expect(field).to_have_value(value)
        field.fill("Half a thought")
        page.reload()
    page.get_by_role("button", name="More about this comment").click()
    page.get_by_role("menuitem", name="Edit").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("article", name="Comment by ada_half")).to_contain_text("Before")
    page.get_by_role("button", name="More about this comment").click()
    page.get_by_role("menuitem", name="Edit").click()
    expect(field).to_have_value("Before")


def test_a_mention_leads_to_a_person_who_was_renamed(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_calls"), person("bob_before")
    post = ada.post("Thanks to @bob_before, not to @bob_nobody")
    bob.api("POST", "/auth/confirm", {"password": PASSWORD})
    bob.api("PATCH", "/auth/me", {"username": "bob_after"})
    eventually(lambda: bob.api("GET", f"/profiles/{bob.id}")["username"] == "bob_after")
    page = ada.open(f"/posts/{post}")
    expect(page.locator(".rich a")).to_have_count(1)
    page.get_by_role("link", name="@bob_before").click()
    expect(page).to_have_url(f"{ada.site.url}/@bob_after")
    expect(page.get_by_role("heading", name="Bob_Before")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(f"{ada.site.url}/posts/{post}")


def test_home_and_the_dialog_share_a_draft(person: Callable[[str], Person]) -> None:
    page = person("ada_one").open()
    here = page.locator(".home-composer textarea")
    here.fill("Half a thought")
    page.get_by_role("button", name="New post").first.click()
    there = page.get_by_role("dialog").get_by_role("textbox")
    expect(there).to_have_value("Half a thought")
    there.fill("Half a thought, and the other half")
    page.keyboard.press("Escape")
    expect(here).to_have_value("Half a thought, and the other half")
    page.get_by_role("button", name="New post").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    expect(here).to_have_value("")


def test_a_comment_whose_only_reply_was_deleted_has_none(person: Callable[[str], Person]) -> None:
    ada = person("ada_none")
    post = ada.post("Discuss")
    comment = ada.api("POST", f"/posts/{post}/comments", {"content": "The first"})["id"]
    ada.api("POST", f"/posts/{post}/comments", {"content": "A reply", "parent_comment_id": comment})
    page = ada.open(f"/posts/{post}", service_workers="block")
    page.get_by_role("button", name="1 reply").click()
    page.route(f"**/v1/posts/{post}/comments*", lambda route: route.abort())  # as where there is a next page
    page.locator(".replies").get_by_role("button", name="More about this comment").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".replies .comment")).to_have_count(0)
    expect(page.get_by_role("button", name="Hide replies")).to_have_count(0)


def test_a_comment_below_many_others_can_be_viewed_when_it_was_sent(person: Callable[[str], Person]) -> None:
    ada = person("ada_last")
    post = ada.post("Discuss at length")
    for number in range(12):
        ada.api("POST", f"/posts/{post}/comments", {"content": f"Number {number}"})
    page = ada.open(f"/posts/{post}")
    expect(page.get_by_text("Number 11")).to_be_attached()
    page.get_by_role("textbox", name="Write a comment").fill("The last word")
    page.get_by_role("button", name="Send").click()
    comment = page.get_by_text("The last word")
    expect(comment).to_be_attached()
    expect(comment).not_to_be_in_viewport()
    page.locator(".toast").get_by_role("button", name="View").click()
    expect(comment).to_be_in_viewport()


def test_undo_restores_a_deleted_post(person: Callable[[str], Person]) -> None:
    ada = person("ada_u")
    post = ada.post("Do not lose me")
    page = ada.open("/@ada_u")
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("article", name="Post by Ada_U")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article", name="Post by Ada_U")).to_be_visible()
    assert ada.api("GET", f"/posts/{post}")["content"] == "Do not lose me"


def test_a_post_written_offline_is_sent_once_after_reconnecting(person: Callable[[str], Person]) -> None:
    ada = person("ada_o")
    page = ada.open()
    composer = page.get_by_role("textbox", name="What's on your mind?")
    composer.fill("Written in a tunnel")
    page.context.set_offline(True)
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("No connection: it is sent as soon as there is one.")).to_be_visible()
    assert ada.api("GET", f"/profiles/{ada.id}/posts")["results"] == []
    page.context.set_offline(False)
    expect(page.get_by_text("What you wrote offline was sent.")).to_be_visible()
    expect(page.get_by_role("article", name="Post by Ada_O")).to_contain_text("Written in a tunnel")
    assert len(ada.api("GET", f"/profiles/{ada.id}/posts")["results"]) == 1


def test_a_private_user_can_accept_a_follow_request(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_p"), person("bob_p")
    ada.api("PATCH", "/profiles/me", {"is_private": True})
    ada.post("For friends")
    his = bob.open("/@ada_p")
    expect(his.get_by_role("heading", name="This profile is private")).to_be_visible()
    his.get_by_role("button", name="Follow: follow @ada_p").click()
    expect(his.get_by_role("button", name="Requested")).to_be_visible()
    hers = ada.open("/follow-requests", viewport=NARROW)
    hers.get_by_role("button", name="Accept").click()
    expect(hers.get_by_role("heading", name="No requests")).to_be_visible()
    assert bob.api("GET", f"/profiles/{ada.id}/relationship")["following"] is True
    go(his, "/")
    go(his, "/@ada_p")
    expect(his.get_by_text("For friends")).to_be_visible()


def test_a_user_can_leave_explore_and_suggestions(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_d"), person("bob_d")
    ada.post("For those who look")
    bob.post("For everybody")
    page = ada.open("/explore?sort=recent")
    expect(page.get_by_text("For those who look")).to_be_visible()
    go(page, "/settings/privacy")
    switch = page.get_by_role("switch", name="Show me in Explore and suggestions")
    expect(switch).to_be_checked()
    switch.uncheck()
    expect(page.get_by_text("Saved")).to_be_visible()
    assert ada.api("GET", "/profiles/me")["is_discoverable"] is False
    go(page, "/explore?sort=recent")
    expect(page.get_by_text("For everybody")).to_be_visible()
    expect(page.get_by_text("For those who look")).to_have_count(0)
    page.goto(f"{ada.site.url}/settings/privacy")
    expect(switch).not_to_be_checked()


def test_who_is_muted_or_blocked_disappears_from_what_is_shown(person: Callable[[str], Person]) -> None:
    ada, bob, eve = person("ada_tired"), person("bob_loud"), person("eve_rude")
    for each in (bob, eve):
        ada.api("PUT", f"/profiles/{each.id}/follow")
        each.post(f"By {each.username}")
    post = ada.post("By myself")
    eve.api("POST", f"/posts/{post}/comments", {"content": "A rude comment"})
    page = ada.open()
    for each, entry in ((bob, "Mute @bob_loud"), (eve, "Block @eve_rude")):
        text = page.get_by_text(f"By {each.username}")
        page.locator("[data-post]").filter(has=text).get_by_role("button", name="More about this post").click()
        page.get_by_role("menuitem", name=entry).click()
        if each is eve:
            go(page, f"/posts/{post}")
            expect(page.get_by_text("A rude comment")).to_be_visible()
            page.go_back()
            page.locator("[data-post]").filter(has=text).get_by_role("button", name="More about this post").click()
            page.get_by_role("menuitem", name=entry).click()
            page.get_by_role("dialog").get_by_role("button", name="Block").click()
        expect(text).to_have_count(0)
    expect(page.get_by_text("By myself")).to_be_visible()


def test_blocking_hides_and_reporting_is_confirmed(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_b"), person("bob_b")
    post = bob.post("Something rude")
    page = ada.open(f"/posts/{post}")
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Report").click()
    page.get_by_label("Harassment or abuse").check()
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_text("Thank you. A moderator will look at it.")).to_be_visible()
    assert [each["reason"] for each in ada.api("GET", "/reports")["results"]] == ["abuse"]
    page.get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Block @bob_b").click()
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_text("Blocked.")).to_be_visible()
    go(page, "/settings/blocks")
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_role("heading", name="You have blocked nobody")).to_be_visible()


def test_usernames_and_hashtags_are_autocompleted(person: Callable[[str], Person]) -> None:
    ada, zephyrine = person("ada_c"), person("zephyrine")
    zephyrine.wait_until_found()
    page = ada.open()
    field = page.get_by_role("textbox", name="What's on your mind?")
    field.press_sequentially("Hello @zeph")
    expect(page.get_by_role("option", name="Zephyrine")).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value("Hello @zephyrine ")


def test_going_back_restores_the_position_in_a_list(person: Callable[[str], Person]) -> None:
    ada = person("ada_l")
    for number in range(45):
        ada.post(f"Post number {number}")
    page = ada.open("/@ada_l")
    last = page.get_by_text("Post number 0", exact=True)

    def is_at_the_end() -> bool:
        page.mouse.wheel(0, 1500)
        return last.is_visible()

    eventually(is_at_the_end)
    page.get_by_text("Post number 3", exact=True).click()
    expect(page.get_by_role("heading", name="Post by Ada_L")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Post number 3", exact=True)).to_be_in_viewport()
    expect(page.locator("[data-post]")).to_have_count(45)


def test_the_client_can_be_installed(site: Installation) -> None:
    assert httpx.get(f"{site.url}/manifest.webmanifest").json()["share_target"]["action"] == "/compose"
    worker = httpx.get(f"{site.url}/sw.js")
    assert "__ROOT__" not in worker.text
    assert worker.headers["Cache-Control"] == "no-cache"


def test_what_other_apps_share_goes_below_what_was_begun(person: Callable[[str], Person]) -> None:
    ada = person("ada_shares")
    page = ada.open()
    field = page.get_by_role("textbox", name="What's on your mind?")
    field.fill("Begun before")
    page.goto(f"{ada.site.url}/compose?title=A%20page&url=https%3A%2F%2Fexample.org")
    expect(field).to_have_value("Begun before\nA page\nhttps://example.org")
    field.fill("Begun before, and read: https://example.org")
    page.reload()
    expect(field).to_have_value("Begun before, and read: https://example.org")


def test_enter_in_the_content_warning_goes_to_the_text(person: Callable[[str], Person]) -> None:
    ada = person("ada_enters")
    page = ada.open("/compose")
    field = page.get_by_role("textbox", name="What's on your mind?")
    field.fill("Not complete")
    page.get_by_role("button", name="Add a content warning").click()
    page.get_by_role("textbox", name="Content warning").fill("Spoilers")
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    expect(field).to_have_value("Not complete")
    assert ada.api("GET", f"/profiles/{ada.id}/posts")["results"] == []


def test_home_has_the_posts_of_somebody_who_is_not_muted_any_more(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_relents"), person("bob_back")
    ada.api("PUT", f"/profiles/{bob.id}/follow")
    ada.api("PUT", f"/profiles/{bob.id}/mute")
    bob.post("Heard again")
    ada.post("By myself")
    page = ada.open()
    expect(page.get_by_text("By myself")).to_be_visible()
    go(page, "/settings/mutes")
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_role("button", name="Unmute")).to_have_count(0)
    go(page, "/")
    heard = page.get_by_text("Heard again")
    page.locator("[data-post]").filter(has=heard).get_by_role("button", name="More about this post").click()
    expect(page.get_by_role("menuitem", name="Mute @bob_back")).to_be_visible()


def test_who_is_muted_disappears_from_explore(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_quiet"), person("bob_noisy")
    bob.post("Noise")
    ada.post("Silence")
    page = ada.open("/explore?sort=recent")
    noise = page.get_by_text("Noise", exact=True)
    page.locator("[data-post]").filter(has=noise).get_by_role("button", name="More about this post").click()
    page.get_by_role("menuitem", name="Mute @bob_noisy").click()
    expect(noise).to_have_count(0)
    expect(page.get_by_text("Silence", exact=True)).to_be_visible()
