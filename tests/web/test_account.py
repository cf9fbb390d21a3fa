"""Logging in and out: second factor, passkeys, synchronized tabs, the export, deleting an account."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pyotp
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.run.installation import Installation
from tests.web.conftest import PASSWORD, Person, go


def confirm(page: Page) -> None:
    """Enters the password, which important changes require."""
    dialog = page.get_by_role("dialog", name="Is it you?")
    dialog.locator("input[type=password]").fill(PASSWORD)
    dialog.locator(".button-primary").click()
    expect(dialog).to_have_count(0)


def log_out(page: Page) -> None:
    """Logs out with the menu, and waits for the page for visitors."""
    page.get_by_role("button", name="Your account").first.click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("main").get_by_role("link", name="Log in")).to_be_visible()


def authenticator(page: Page) -> Any:
    """A virtual authenticator that stores passkeys and always approves. Source: WebAuthn, section 11."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools


def test_a_second_factor_can_be_set_up_used_and_removed(person: Callable[[str], Person]) -> None:
    ada = person("ada_totp")
    page = ada.open("/settings/security")
    page.get_by_role("button", name="Set up").click()
    confirm(page)
    expect(page.locator(".qr")).to_be_visible()
    code = pyotp.TOTP(page.locator(".secret").inner_text())
    expect(page.get_by_label("Six-digit code")).to_be_focused()
    page.get_by_label("Six-digit code").fill(code.now())
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.locator(".notice", has=page.locator(".codes"))).to_be_focused()
    expect(page.locator(".codes code")).to_have_count(10)
    codes = page.locator(".codes code").all_inner_texts()
    recovery, second, *_ = codes
    with page.expect_download() as download:
        page.get_by_role("link", name="Download codes").click()
    assert download.value.suggested_filename == "127.0.0.1-recovery-codes.txt"
    assert download.value.path().read_text().splitlines() == codes
    page.evaluate("() => { navigator.clipboard.writeText = async text => { window.copied = text; }; }")
    page.get_by_role("button", name="Copy codes").click()
    expect(page.get_by_role("status").get_by_text("Codes copied.")).to_be_visible()
    assert page.evaluate("() => window.copied").split() == codes
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    page.get_by_role("button", name="Copy codes").click()
    expect(page.get_by_role("status").get_by_text("Your browser does not allow copying.")).to_be_visible()
    assert page.evaluate("() => getSelection().toString()").split() == codes

    log_out(page)
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    page.locator("input[name=login]").fill(ada.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_role("button", name="Use a recovery code").click()
    expect(page.get_by_label("Recovery code")).to_be_focused()
    page.get_by_label("Recovery code").fill(recovery)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator(".entry")).to_have_count(0)

    go(page, "/settings/security")
    expect(page.get_by_text("On: logging in asks for a code.")).to_be_visible()
    page.get_by_role("button", name="Turn off").click()
    page.get_by_label("Six-digit code").fill(second)
    page.get_by_role("button", name="Turn off").click()
    confirm(page)
    expect(page.get_by_text("The second factor is off.")).to_be_visible()
    expect(page.get_by_role("button", name="Set up")).to_be_visible()


def test_a_passkey_can_be_created_and_used_to_log_in(person: Callable[[str], Person]) -> None:
    ada = person("ada_key")
    page = ada.open(host="localhost")  # passkeys belong to a domain
    devtools = authenticator(page)
    go(page, "/settings/security")
    page.get_by_label("Name of the passkey").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    confirm(page)
    expect(page.get_by_role("listitem").filter(has_text="Laptop")).to_be_visible()
    page.get_by_role("button", name="Add a passkey").click()
    expect(
        page.get_by_role("status").get_by_text("This device has a passkey for your account already.")
    ).to_be_visible()
    assert [each["name"] for each in ada.api("GET", "/auth/passkeys")["results"]] == ["Laptop"]

    log_out(page)
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    # The username field offers the passkey and the authenticator approves, without any click.
    expect(page.get_by_role("button", name="Your account").first).to_be_visible()
    page.evaluate("() => { PublicKeyCredential.isConditionalMediationAvailable = async () => false; }")
    log_out(page)
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".entry")).to_have_count(0)
    expect(page.get_by_role("button", name="Your account").first).to_be_visible()
    devtools.send("WebAuthn.disable")


def test_a_user_can_log_in_with_a_provider(site: Installation, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    page.goto(f"{site.url}/login")
    page.get_by_role("button", name="Continue with Google").click()
    expect(page.get_by_role("button", name="Your account").first).to_contain_text("Mary Somerville")
    page.goto(f"{site.url}/social/google?code=x&state=guessed")
    expect(page.get_by_role("alert")).to_contain_text("did not finish")


def test_sign_up_asks_for_an_invite_or_an_application_if_required(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    """The server's responses are mocked, as its registration is open."""
    instance = {**httpx.get(f"{site.url}/v1/instance").json(), "captcha": None}
    page = new_context(service_workers="block").new_page()
    sent: list[Any] = []

    def registered(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        route.fulfill(status=201, json={"user": {"id": "1"}, "status": "pending"})

    def says(way: str) -> None:
        page.route("**/v1/instance", lambda route: route.fulfill(json={**instance, "registration": way}))

    page.route("**/v1/auth/register", registered)
    for way, label, value in (("invite", "Invitation code", "k3y"), ("approval", "Why would you like", "To read")):
        says(way)
        page.goto(f"{site.url}/signup" + ("?invite=k3y" if way == "invite" else ""))
        if way == "approval":
            page.get_by_label(label).fill(value)
        expect(page.get_by_label(label)).to_have_value(value)
        page.get_by_label("Username").fill("ada_way")
        page.get_by_label("E-mail address").fill("ada_way@example.org")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign up").click()
        expect(page.get_by_text("A moderator reads your application.")).to_be_visible()
    assert (sent[0]["invite"], sent[1]["application"]) == ("k3y", "To read")
    says("closed")
    page.goto(f"{site.url}/signup")
    expect(page.get_by_role("heading", name="Sign-up is closed")).to_be_visible()
    expect(page.locator("form")).to_have_count(0)


def test_scripts_cannot_read_the_refresh_token_and_all_tabs_log_out_together(person: Callable[[str], Person]) -> None:
    ada = person("ada_tabs")
    first = ada.open()
    second = first.context.new_page()
    second.goto(f"{ada.site.url}/notifications")
    expect(second.get_by_role("heading", name="Notifications")).to_be_visible()
    stored = first.evaluate("() => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    assert "eyJ" not in stored
    cookies = {each["name"]: each for each in first.context.cookies(f"{ada.site.url}/v1/auth/refresh")}
    assert any(each["httpOnly"] and each["sameSite"] == "Strict" for each in cookies.values())

    log_out(first)
    expect(second.get_by_role("heading", name="Welcome back")).to_be_visible()
    second.reload()
    expect(second.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_a_session_ended_on_another_device_is_explained(person: Callable[[str], Person]) -> None:
    ada = person("ada_stolen")
    page = ada.open()
    ada.api("DELETE", "/auth/sessions")
    page.reload()
    expect(page.get_by_role("main").get_by_role("link", name="Log in").first).to_be_visible()


def test_how_far_an_erasure_is_is_asked_again_after_a_failure(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(service_workers="block").new_page()
    erasure = {"id": "1", "contexts": [], "certificate": "a.b.c", "completed_at": "2026-11-01T10:00:00.000Z"}
    asked: list[Route] = []

    def answer(route: Route) -> None:
        asked.append(route)
        route.abort() if len(asked) == 1 else route.fulfill(json=erasure)

    page.route("**/v1/auth/erasures/1", answer)
    page.goto(f"{site.url}/erasures/1")
    expect(page.get_by_role("alert")).to_contain_text("There is no connection to the server.")
    expect(page.get_by_role("link", name="Download the certificate")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def refuse_once(page: Page, address: str) -> None:
    """Aborts the next request for an address."""
    page.route(address, lambda route: route.abort(), times=1)


def test_who_is_logged_in_is_asked_again_after_a_failure(person: Callable[[str], Person]) -> None:
    ada = person("ada_enters_twice")
    page = ada.open(service_workers="block")
    log_out(page)
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    refuse_once(page, "**/v1/auth/me")
    page.get_by_label("E-mail or username").fill(ada.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Your account").first).to_be_visible()


def test_an_address_is_confirmed_when_there_is_a_connection_again(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(service_workers="block").new_page()
    refuse_once(page, "**/v1/auth/verify-email")
    page.goto(f"{site.url}/verify-email?key=old")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_text("This link is no longer valid.")
    expect(page.get_by_role("link", name="Ask for a new link")).to_be_visible()


def test_signing_up_works_after_a_server_that_did_not_say_what_it_asks_for(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(service_workers="block").new_page()
    refuse_once(page, "**/v1/instance")
    page.goto(f"{site.url}/signup")
    page.get_by_label("Username").fill("ada_unasked_for")
    page.get_by_label("E-mail address").fill("ada_unasked_for@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("status").get_by_text("Ready to sign up.")).to_be_visible()
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()


def test_all_data_can_be_exported_and_the_account_deleted(person: Callable[[str], Person]) -> None:
    ada = person("ada_gone")
    ada.post("The last thing I say")
    page = ada.open("/settings/account", service_workers="block")
    refuse_once(page, "**/v1/auth/exports/*")  # which says nothing about the export
    page.get_by_role("button", name="Prepare an archive").click()
    confirm(page)
    link = page.get_by_role("link", name="Download the archive")
    expect(link).to_be_visible(timeout=40_000)
    with page.expect_download() as download:
        link.click()
    assert download.value.failure() is None

    form = page.locator("form", has=page.get_by_role("heading", name="Delete account"))
    form.locator("input[type=password]").fill(PASSWORD)
    form.locator(".button-danger").click()
    page.get_by_role("dialog").locator(".button-danger").click()
    expect(page.get_by_role("heading", name="Deletion of your account")).to_be_visible()
    certificate = page.get_by_role("link", name="Download the certificate")
    expect(certificate).to_be_visible()
    with page.expect_download() as download:
        certificate.click()
    assert download.value.path().read_text().count(".") == 2  # a JWT
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("main").get_by_role("link", name="Log in").first).to_be_visible()


def test_what_is_being_written_is_put_away_when_another_tab_logs_out(person: Callable[[str], Person]) -> None:
    ada = person("ada_logs_out")
    page = ada.open()
    page.get_by_role("banner").get_by_role("button", name="New post").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("For nobody else to read")
    other = page.context.new_page()
    other.goto(f"{ada.site.url}/settings")
    other.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("main").get_by_role("link", name="Log in").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
