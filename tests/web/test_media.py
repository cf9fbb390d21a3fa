"""Pictures in the client: descriptions, order, sensitive media, accessibility."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.scenarios.product import eventually
from tests.web.conftest import Person, go


def test_a_picture_has_a_description_and_is_hidden_behind_a_warning(
    person: Callable[[str], Person], picture: Path
) -> None:
    ada = person("ada_m")
    page = ada.open("/compose")
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_label("Describe this for people").fill("A bright disc on black")
    page.get_by_role("switch", name="sensitive").check()
    page.get_by_role("button", name="Add a content warning").click()
    page.get_by_role("textbox", name="Content warning").fill("Bright light")
    page.get_by_role("textbox", name="What's on your mind?").fill("The sun today")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()

    [made] = ada.api("GET", f"/profiles/{ada.id}/posts")["results"]
    assert (made["content_warning"], made["sensitive"]) == ("Bright light", True)
    assert [each["description"] for each in made["media"]] == ["A bright disc on black"]

    post = page.get_by_role("article", name="Post by Ada_M")
    expect(post).to_contain_text("Bright light")
    expect(post).not_to_contain_text("The sun today")
    post.get_by_role("button", name="Show").click()
    expect(post).to_contain_text("The sun today")
    expect(post.locator("img[srcset], img[alt]:not([alt=''])")).to_have_count(0)
    post.get_by_role("button", name="Show").click()
    shown = post.get_by_alt_text("A bright disc on black")
    expect(shown).to_be_visible()
    shown.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A bright disc on black")
    expect(dialog.get_by_role("img", name="A bright disc on black")).to_have_js_property("complete", value=True)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_file_that_is_not_a_picture_is_rejected_with_an_explanation(
    person: Callable[[str], Person], tmp_path: Path
) -> None:
    fake = tmp_path / "fake.png"
    fake.write_bytes(b"not a picture at all")
    page = person("ada_f").open("/compose")
    page.locator("input[type=file]").set_input_files(fake)
    expect(page.locator(".strip .field-error")).to_have_text(re.compile("^Pictures must be JPEG"))
    page.get_by_role("textbox", name="What's on your mind?").fill("Without it")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("button", name="Post", exact=True)).to_be_disabled()  # not posted without it unasked
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()


def test_another_kind_of_file_is_refused_with_a_message(person: Callable[[str], Person], tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("Notes")
    page = person("ada_txt").open("/compose")
    page.locator("input[type=file]").set_input_files(text)
    expect(page.get_by_role("status").get_by_text("This file could not be used.")).to_be_visible()
    expect(page.locator(".strip")).to_have_count(0)


def test_an_upload_that_lost_its_connection_is_tried_again(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_lost")
    page = ada.open("/compose", service_workers="block")
    page.route("**/v1/media", lambda route: route.abort())
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_role("textbox", name="What's on your mind?").fill("With it")
    expect(page.get_by_role("alert")).to_have_text("There is no connection to the server.")
    expect(page.get_by_role("button", name="Post", exact=True)).to_be_disabled()
    page.unroute("**/v1/media")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    [made] = ada.api("GET", f"/profiles/{ada.id}/posts")["results"]
    assert len(made["media"]) == 1


_HAND_OVER = """(target, [kind, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], "picture.jpg", {type: "image/jpeg"}));
    const init = {bubbles: true, cancelable: true};
    const event = kind === "paste" ? new ClipboardEvent(kind, {...init, clipboardData: data})
        : new DragEvent(kind, {...init, dataTransfer: data});
    target.dispatchEvent(event);
}"""


def test_pictures_can_be_pasted_dropped_and_reordered(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_pd")
    page = ada.open("/compose")
    content = list(picture.read_bytes())
    descriptions = page.get_by_label("Describe this for people")
    page.locator(".composer textarea").evaluate(_HAND_OVER, ["paste", content])
    expect(descriptions).to_have_count(1)
    descriptions.fill("Pasted")
    page.locator(".composer").evaluate(_HAND_OVER, ["drop", content])
    expect(descriptions).to_have_count(2)
    descriptions.last.fill("Dropped")
    page.get_by_role("button", name="Move to the left").click()
    expect(descriptions.first).to_have_value("Dropped")
    expect(descriptions.last).to_have_value("Pasted")
    expect(page.get_by_role("button", name="Post", exact=True)).to_be_disabled()  # a post needs text
    page.get_by_role("textbox", name="What's on your mind?").fill("In this order")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    [made] = ada.api("GET", f"/profiles/{ada.id}/posts")["results"]
    assert [each["description"] for each in made["media"]] == ["Dropped", "Pasted"]


def kept_ids(page: Page, place: str) -> list[str]:
    """The ids of the media that a draft keeps."""
    kept = page.evaluate("place => Object.entries(localStorage).find(([name]) => name.endsWith(place))?.[1]", place)
    return list(json.loads(kept).get("media_ids", [])) if kept else []


def test_pictures_of_a_draft_are_there_after_a_reload(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_reload")
    page = ada.open("/compose")
    page.locator("input[type=file]").set_input_files([picture, picture])
    descriptions = page.get_by_label("Describe this for people")
    expect(descriptions).to_have_count(2)
    descriptions.last.fill("The second")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        descriptions.last.blur()
    first, second = kept_ids(page, ":new")
    page.reload()
    expect(descriptions).to_have_count(2)
    expect(descriptions.last).to_have_value("The second")
    ada.api("DELETE", f"/media/{first}")
    page.reload()
    expect(descriptions).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("textbox", name="What's on your mind?").fill("One of them is left")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    [made] = ada.api("GET", f"/profiles/{ada.id}/posts")["results"]
    assert [each["id"] for each in made["media"]] == [second]
    assert kept_ids(page, ":new") == []


def test_pictures_of_an_edit_and_of_a_comment_are_there_after_a_reload(
    person: Callable[[str], Person], picture: Path
) -> None:
    ada = person("ada_reloads")
    post = ada.post("Without a picture")
    page = ada.open(f"/posts/{post}")
    descriptions = page.get_by_label("Describe this for people")
    for _ in range(2):
        page.get_by_role("button", name="More about this post").click()
        page.get_by_role("menuitem", name="Edit").click()
        page.get_by_role("dialog").get_by_role("button", name="Save").wait_for()
        if not kept_ids(page, f":edit:{post}"):
            page.locator("dialog input[type=file]").set_input_files(picture)
        expect(descriptions).to_have_count(1)
        page.keyboard.press("Escape")
        page.reload()
    page.get_by_role("textbox", name="Write a comment").fill("With a picture")
    page.locator(".comment-form input[type=file]").set_input_files(picture)
    expect(descriptions).to_have_count(1)
    page.reload()
    expect(descriptions).to_have_count(1)
    page.get_by_role("button", name="Send").click()
    comment = page.get_by_role("article", name="Comment by ada_reloads")
    expect(comment.get_by_role("button", name="Enlarge")).to_be_visible()
    expect(descriptions).to_have_count(0)


def test_logging_out_drops_the_pictures_of_drafts(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_forgets")
    page = ada.open("/compose")
    page.get_by_role("textbox", name="What's on your mind?").fill("Half a thought")
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_label("Describe this for people")).to_have_count(1)
    assert len(kept_ids(page, ":new")) == 1
    go(page, "/settings")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("main").get_by_role("link", name="Log in").first).to_be_visible()
    assert kept_ids(page, ":new") == []


def test_a_picture_can_be_pasted_and_dropped_into_a_comment(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_pdc")
    page = ada.open(f"/posts/{ada.post('Show me')}")
    content = list(picture.read_bytes())
    descriptions = page.get_by_label("Describe this for people")
    for kind, target in (("paste", ".comment-form textarea"), ("drop", ".comment-form")):
        page.locator(target).evaluate(_HAND_OVER, [kind, content])
        expect(descriptions).to_have_count(1)
        page.get_by_role("button", name="Remove").click()
        expect(descriptions).to_have_count(0)


def test_text_can_be_dragged_and_pasted_into_a_post(person: Callable[[str], Person]) -> None:
    """Also what office programs copy, which is text with a picture of it."""
    page = person("ada_drag").open("/compose")
    expect(page.locator(".composer textarea")).to_be_visible()
    prevented = page.evaluate(
        """() => ["drop", "paste"].map((kind) => {
            const data = new DataTransfer();
            data.setData("text/plain", "From elsewhere");
            data.setData("text/html", "<b>From elsewhere</b>");
            if (kind === "paste") data.items.add(new File(["x"], "image.png", {type: "image/png"}));
            const init = {bubbles: true, cancelable: true};
            const event = kind === "paste" ? new ClipboardEvent(kind, {...init, clipboardData: data})
                : new DragEvent(kind, {...init, dataTransfer: data});
            document.querySelector(".composer textarea").dispatchEvent(event);
            return event.defaultPrevented;
        })"""
    )
    assert prevented == [False, False]
    expect(page.locator(".strip")).to_have_count(0)


def test_addresses_that_have_expired_are_renewed(person: Callable[[str], Person], picture: Path) -> None:
    """As on a page that is open for longer than the addresses of what only followers see are valid."""
    ada = person("ada_expired")
    page = ada.open("/compose", service_workers="block")
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_label("Describe this for people").fill("A disc")
    page.get_by_role("textbox", name="What's on your mind?").fill("For followers")
    page.get_by_role("button", name="Who can see this: Everyone").click()
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    [post] = ada.api("GET", f"/profiles/{ada.id}/posts")["results"]
    expired = json.loads(re.sub(r"expires=\d+", "expires=1", json.dumps(post)))
    answers = [expired]
    page.route(
        f"**/v1/posts/{post['id']}",
        lambda route: route.fulfill(json=answers.pop()) if answers else route.continue_(),
    )
    page.goto(f"{ada.site.url}/posts/{post['id']}")
    shown = page.get_by_alt_text("A disc")
    loaded = "picture => picture.complete && picture.naturalWidth > 0"
    eventually(lambda: shown.evaluate(loaded))
    shown.evaluate("picture => { picture.removeAttribute('srcset'); }")
    answers.append(expired)
    go(page, "/settings")
    page.go_back()
    eventually(lambda: shown.evaluate(loaded))


def test_a_click_beside_a_picture_closes_it(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_beside")
    page = ada.open("/compose")
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_label("Describe this for people").fill("A disc")
    page.get_by_role("textbox", name="What's on your mind?").fill("Wide window")
    page.get_by_role("button", name="Post", exact=True).click()
    page.get_by_alt_text("A disc").click()
    zoom = page.get_by_role("dialog").get_by_role("button", name="Zoom")
    zoom.click()
    expect(zoom).to_have_attribute("aria-pressed", "true")
    zoom.press("Enter")
    expect(zoom).to_have_attribute("aria-pressed", "false")
    zoom.click(position={"x": 5, "y": 300})
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_click_on_a_picture_that_is_still_loading_does_not_close_it(person: Callable[[str], Person]) -> None:
    ada = person("ada_loads")
    post = ada.post("Soon")
    page = ada.open("/compose", service_workers="block")
    media = [{"id": "1", "type": "image", "url": "/media/slow.jpg", "preview_url": "/static/favicon.svg"}]
    body = {**ada.api("GET", f"/posts/{post}"), "media": media}
    page.route(f"**/v1/posts/{post}", lambda route: route.fulfill(json=body))
    page.route("**/media/slow.jpg", lambda route: None)
    go(page, f"/posts/{post}")
    page.get_by_role("button", name="Enlarge").click()
    zoom = page.get_by_role("dialog").get_by_role("button", name="Zoom")
    zoom.click()
    expect(zoom).to_have_attribute("aria-pressed", "true")


def test_a_profile_picture_can_be_cropped(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_crop")
    page = ada.open("/settings/profile")
    page.locator("input[type=file]").first.set_input_files(picture)  # the second is for the header
    dialog = page.get_by_role("dialog", name="Crop picture")
    dialog.get_by_label("Zoom").fill("2")
    dialog.get_by_role("button", name="Use picture").click()
    expect(page.locator("main img.avatar-huge")).to_have_js_property("complete", value=True)
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    assert ada.api("GET", f"/profiles/{ada.id}")["profile_picture"]


def test_a_profile_picture_that_the_browser_cannot_show_is_refused_with_a_message(
    person: Callable[[str], Person], tmp_path: Path
) -> None:
    fake = tmp_path / "fake.png"
    fake.write_bytes(b"not a picture at all")
    page = person("ada_no_crop").open("/settings/profile")
    page.locator("input[type=file]").first.set_input_files(fake)
    expect(page.get_by_role("status").get_by_text("This file could not be used.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_pictures_change_when_they_are_swiped(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_swipe")
    page = ada.open("/compose", has_touch=True)
    page.locator("input[type=file]").set_input_files([picture, picture])
    expect(page.get_by_label("Describe this for people")).to_have_count(2)
    page.get_by_role("textbox", name="What's on your mind?").fill("Two of them")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    page.get_by_role("button", name="Enlarge").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("1 of 2")
    devtools = page.context.new_cdp_session(page)
    for kind, x in (("touchStart", 600), ("touchMove", 500), ("touchMove", 400), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": 400}]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.get_by_role("dialog")).to_contain_text("2 of 2")


def test_an_upload_goes_on_while_another_page_is_shown(person: Callable[[str], Person], picture: Path) -> None:
    ada = person("ada_busy")
    page = ada.open(service_workers="block")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/media", hold)
    page.locator(".composer input[type=file]").set_input_files([picture, picture])
    expect(page.locator(".strip-one")).to_have_count(2)
    go(page, "/explore")
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    eventually(lambda: page.evaluate("() => true") and len(held) == 2)  # events arrive only while the page is asked
    held[0].continue_()
    eventually(lambda: len(kept_ids(page, ":new")) == 1)  # also for a reload
    go(page, "/")
    expect(page.locator(".composer .strip-one")).to_have_count(2)
    page.get_by_role("banner").get_by_role("button", name="New post").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="What's on your mind?").fill("Begun at home")
    expect(dialog.get_by_role("button", name="Post", exact=True)).to_be_disabled()
    held[1].continue_()
    expect(dialog.get_by_label("Describe this for people")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("textbox", name="What's on your mind?")).to_have_value("Begun at home")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    expect(page.locator(".strip-one")).to_have_count(0)
    [made] = ada.api("GET", f"/profiles/{ada.id}/posts")["results"]
    assert (made["content"], len(made["media"])) == ("Begun at home", 2)


def test_an_upload_to_an_edit_that_was_discarded_does_not_come_back(
    person: Callable[[str], Person], picture: Path
) -> None:
    ada = person("ada_discards")
    page = ada.open(f"/posts/{ada.post('As it was')}", service_workers="block")
    page.route("**/v1/media", lambda route: None)
    dialog = page.get_by_role("dialog")
    for _ in range(2):
        page.get_by_role("button", name="More about this post").click()
        page.get_by_role("menuitem", name="Edit").click()
        expect(dialog.get_by_role("textbox", name="What's on your mind?")).to_have_value("As it was")
        expect(dialog.locator(".strip-one")).to_have_count(0)
        page.locator("dialog input[type=file]").set_input_files(picture)
        expect(dialog.locator(".strip-one")).to_have_count(1)
        dialog.get_by_role("button", name="Discard").click()
        expect(dialog).to_have_count(0)
