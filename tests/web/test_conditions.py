"""Conditions outside the client: offline, a slow or busy server, a stolen session, pushes, a captcha."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.notifications.conftest import ENDPOINT, KEYS
from tests.run.installation import Installation
from tests.scenarios.product import eventually
from tests.web.conftest import PASSWORD, Person, go, reload_and_watch, wait_until_true
from web.assets import assets

_PUSH_SERVICE = """
    const subscription = {toJSON: () => (%s), unsubscribe: async () => { kept = null; return true; }};
    let kept = null;
    PushManager.prototype.subscribe = async () => (kept = subscription);
    PushManager.prototype.getSubscription = async () => kept;
"""  # browsers under test cannot register with a push service; the rest is real
_REGISTER_LATER = """
    const register = ServiceWorkerContainer.prototype.register;
    ServiceWorkerContainer.prototype.register = function (...given) {
        return new Promise(done => { globalThis.registerNow = () => { done(register.apply(this, given)); }; });
    };
"""
_WORKER_FAILS_ONCE = """
    const register = navigator.serviceWorker.register;
    navigator.serviceWorker.register = async () => {
        navigator.serviceWorker.register = register;
        throw new TypeError("no connection");
    };
"""
_CLICK_TWICE = "button => { button.click(); button.click(); }"


def worker_runs(page: Page) -> None:
    """Waits until the service worker controls the page and has cached its files."""
    page.evaluate("() => navigator.serviceWorker.ready")
    wait_until_true(
        page,
        "async () => navigator.serviceWorker.controller && (await caches.match("
        "performance.getEntriesByType('resource').find(({name}) => name.endsWith('/app.js')).name)) !== undefined",
    )


def test_a_page_that_loads_during_the_first_claim_is_controlled(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    """Chromium's `clients.claim` leaves out pages that are still loading."""
    context = new_context()
    first, second = context.new_page(), context.new_page()
    first.add_init_script(_REGISTER_LATER)
    first.goto(f"{site.url}/explore")
    wait_until_true(first, "() => globalThis.registerNow !== undefined")
    loading: list[Route] = []

    def hold(route: Route) -> None:
        loading.append(route)

    second.route("**/login", hold)
    second.evaluate("address => { setTimeout(() => { location.href = address; }); }", f"{site.url}/login")
    eventually(lambda: first.evaluate("() => true") and loading)
    first.evaluate("() => registerNow()")
    wait_until_true(first, "() => navigator.serviceWorker.controller !== null")
    loading[0].continue_()
    second.wait_for_url("**/login")
    worker_runs(second)


def test_the_app_starts_and_shows_home_and_a_thread_offline(
    person: Callable[[str], Person],
) -> None:
    ada = person("ada_off")
    post = ada.post("Readable in a tunnel")
    ada.api("POST", f"/posts/{post}/comments", {"content": "So is this"})
    page = ada.open()
    worker_runs(page)
    go(page, f"/posts/{post}")
    expect(page.get_by_role("article", name="Comment by ada_off")).to_be_visible()
    page.goto(ada.site.url)
    expect(page.get_by_text("Readable in a tunnel")).to_be_visible()
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("You are offline.")).to_be_visible()
    expect(page.get_by_text("Readable in a tunnel")).to_be_visible()
    page.get_by_text("Readable in a tunnel").click()
    expect(page.get_by_text("So is this")).to_be_visible()
    page.get_by_role("textbox", name="Write a comment").fill("Sent later")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("No connection: it is sent as soon as there is one.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("What you wrote offline was sent.")).to_be_visible()
    assert [each["content"] for each in ada.api("GET", f"/posts/{post}/comments")["results"]] == [
        "So is this",
        "Sent later",
    ]


def test_a_stolen_session_ends_in_every_tab(person: Callable[[str], Person]) -> None:
    ada = person("ada_thief")
    first = ada.open()
    second = first.context.new_page()
    second.goto(f"{ada.site.url}/notifications")
    expect(second.get_by_role("heading", name="Notifications")).to_be_visible()
    cookies = first.context.cookies(f"{ada.site.url}/v1/auth/refresh")
    stolen = next(each["value"] for each in cookies if each["name"] == "refresh")
    for _ in range(2):  # so that the browser's token is older than the last exchange
        stolen = httpx.post(f"{ada.site.url}/v1/auth/refresh", json={"refresh": stolen}).json()["refresh"]
    first.reload()
    expect(first.get_by_role("main").get_by_role("link", name="Log in").first).to_be_visible()
    expect(second.get_by_role("heading", name="Welcome back")).to_be_visible()
    assert httpx.post(f"{ada.site.url}/v1/auth/refresh", json={"refresh": stolen}).status_code == 401


def test_a_busy_server_is_retried_and_explained(person: Callable[[str], Person]) -> None:
    ada = person("ada_429")
    post = ada.post("Popular")
    page = ada.open(service_workers="block")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        is_list = route.request.method == "GET"
        if is_list and refused:
            route.continue_()
            return
        refused.append(route.request.method)
        route.fulfill(
            status=429,
            headers={"Retry-After": "1" if is_list else "40", "Content-Type": "application/problem+json"},
            body=json.dumps({"status": 429, "code": "throttled", "title": "Too many requests"}),
        )

    page.route("**/v1/bookmarks*", refuse)
    go(page, "/bookmarks")
    expect(page.get_by_role("heading", name="Nothing kept yet").or_(page.locator(".state h2"))).to_be_visible()
    assert refused == ["GET"]
    page.route(f"**/v1/posts/{post}/reaction", refuse)
    go(page, f"/posts/{post}")
    page.get_by_role("button", name="Like, 0 reactions").click()
    expect(page.get_by_text("Too many requests. Please wait 40 seconds.")).to_be_visible()
    expect(page.get_by_role("button", name="Like, 0 reactions")).to_be_visible()  # undone


def test_a_slow_network_shows_skeletons_and_an_error_offers_a_retry(person: Callable[[str], Person]) -> None:
    ada = person("ada_slow")
    page = ada.open(service_workers="block")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/explore*", hold)
    with page.expect_request("**/v1/explore*"):
        go(page, "/explore")
    expect(page.get_by_role("status", name="Loading").first).to_be_visible()
    held.pop().abort()
    page.unroute("**/v1/explore*")
    expect(page.get_by_role("alert")).to_contain_text("This could not be loaded")
    ada.post("After the failure")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("After the failure").or_(page.get_by_text("Nothing here yet")).first).to_be_visible()


def test_the_link_of_a_comment_that_could_not_be_read_offers_a_retry(person: Callable[[str], Person]) -> None:
    ada = person("ada_link")
    comment = ada.api("POST", f"/posts/{ada.post('Linked')}/comments", {"content": "To this one"})["id"]
    page = ada.open(service_workers="block")
    page.route(f"**/v1/comments/{comment}", lambda route: route.abort())
    go(page, f"/comments/{comment}")
    expect(page.get_by_role("alert")).to_contain_text("There is no connection to the server.")
    page.unroute(f"**/v1/comments/{comment}")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("article", name="Comment by ada_link")).to_be_visible()


def test_what_could_not_be_read_is_read_again(person: Callable[[str], Person]) -> None:
    """In dialogs, below a comment, and in parts of the settings."""
    ada = person("ada_again")
    post = ada.post("Again")
    ada.api("PATCH", f"/posts/{post}", {"content": "And again"})
    comment = ada.api("POST", f"/posts/{post}/comments", {"content": "Asked"})["id"]
    ada.api("POST", f"/posts/{post}/comments", {"content": "Answered", "parent_comment_id": comment})
    page = ada.open(service_workers="block")
    menu, item = page.get_by_role("button", name="More about this post"), page.get_by_role("menuitem")

    def refused(address: str) -> None:
        page.route(address, lambda route: route.abort())

    def again(address: str) -> None:
        expect(page.get_by_role("alert")).to_contain_text("There is no connection to the server.")
        page.unroute(address)
        page.get_by_role("button", name="Try again").click()

    go(page, f"/posts/{post}")
    for entry, address, text in (
        ("Earlier versions", f"**/v1/posts/{post}/history", "Again"),
        ("Statistics", f"**/v1/posts/{post}/metrics", "Views"),
    ):
        refused(address)
        menu.click()
        item.filter(has_text=entry).click()
        again(address)
        expect(page.get_by_role("dialog")).to_contain_text(text)
        page.keyboard.press("Escape")
    refused(f"**/v1/comments/{comment}/replies*")
    page.get_by_role("button", name="1 reply").click()
    again(f"**/v1/comments/{comment}/replies*")
    expect(page.get_by_text("Answered")).to_be_visible()
    for view, address, name in (
        ("/settings/security", "**/v1/auth/totp", "Set up"),
        ("/settings/security", "**/v1/auth/social", "Link: Google"),
    ):
        refused(address)
        go(page, "/")
        go(page, view)
        again(address)
        expect(page.get_by_role("button", name=name)).to_be_visible()
    refused("**/v1/notifications/schedule")
    go(page, "/settings/notifications")
    again("**/v1/notifications/schedule")
    expect(page.get_by_role("switch", name="Quiet hours")).to_be_visible()


def test_the_app_starts_when_its_messages_came_only_the_second_time(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(service_workers="block").new_page()
    page.route("**/i18n/en.json", lambda route: route.fulfill(status=429, body="<p>Later</p>"), times=1)
    page.goto(f"{site.url}/login")
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_new_posts_that_could_not_be_read_are_explained_in_place(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_pill"), person("bob_pill")
    ada.api("PUT", f"/profiles/{bob.id}/follow")
    for number in range(12):
        bob.post(f"Number {number}")
    page = ada.open(service_workers="block")
    reload_and_watch(page, '"feed":true')
    expect(page.locator("main [data-post]")).to_have_count(12)
    page.evaluate("() => scrollTo({top: 400, behavior: 'instant'})")
    wait_until_true(page, "() => scrollY === 400")
    bob.post("The newest")
    page.route("**/v1/feed", lambda route: route.abort())
    pill = page.get_by_role("button", name="1 new post")
    pill.dispatch_event("click")  # Playwright's own click may scroll
    expect(page.locator(".toast")).to_have_text("There is no connection to the server.")
    assert page.evaluate("scrollY") == 400
    page.unroute("**/v1/feed")
    pill.click()
    expect(page.get_by_text("The newest")).to_be_in_viewport()


def test_a_form_is_submitted_once(site: Installation, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(service_workers="block").new_page()
    page.goto(f"{site.url}/forgot")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/auth/password/forgot", hold)
    page.get_by_role("textbox").fill("impatient@example.org")
    with page.expect_request("**/v1/auth/password/forgot"):
        page.locator(".button-wide").evaluate(_CLICK_TWICE)
    expect(page.locator("form")).to_have_attribute("aria-busy", "true")
    page.get_by_role("textbox").press("Enter")
    assert len(held) == 1
    held[0].continue_()
    expect(page.get_by_role("status").filter(has_text="we have sent a link")).to_be_visible()


def test_a_comment_and_a_post_are_submitted_once(person: Callable[[str], Person]) -> None:
    ada = person("ada_twice")
    post = ada.post("Slow")
    page = ada.open(f"/posts/{post}", service_workers="block")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    for address, view, label, form in (
        (f"**/v1/posts/{post}/comments*", f"/posts/{post}", "Write a comment", ".comment-form"),
        ("**/v1/posts", "/compose", "What's on your mind?", ".composer"),
    ):
        page.route(address, hold)
        go(page, view)
        field = page.get_by_role("textbox", name=label)
        field.fill("Impatient")
        expect(page.locator(f"{form} .button-primary")).to_be_enabled()
        page.locator(f"{form} .button-primary").evaluate(_CLICK_TWICE)
        eventually(lambda: page.evaluate("() => true") and held)
        expect(page.locator(form)).to_have_attribute("aria-busy", "true")
        field.press("Control+Enter")
        assert len(held) == 1
        held.pop().continue_()
        expect(field).to_have_value("")


def test_an_expired_link_offers_a_new_one(site: Installation, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    page.goto(f"{site.url}/reset-password?key=old")
    page.get_by_label("Password", exact=True).fill("an analytical engine")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("alert")).to_contain_text("This link is no longer valid.")
    page.get_by_role("link", name="Ask for a new link").click()
    expect(page.get_by_role("button", name="Send link")).to_be_visible()


def test_a_draft_is_kept_on_this_device(person: Callable[[str], Person]) -> None:
    page = person("ada_draft").open()
    page.get_by_role("textbox", name="What's on your mind?").fill("Half a thought")
    page.reload()
    expect(page.get_by_role("textbox", name="What's on your mind?")).to_have_value("Half a thought")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Posted.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="What's on your mind?")).to_have_value("")


def test_pushes_are_opt_in_and_open_their_subject(person: Callable[[str], Person]) -> None:
    ada, bob = person("ada_push"), person("bob_push")
    bob.api("PUT", f"/profiles/{ada.id}/follow")
    page = ada.open(permissions=["notifications"])
    page.context.add_init_script(
        _PUSH_SERVICE % json.dumps({"endpoint": ENDPOINT, "expirationTime": None, "keys": KEYS})
    )
    page.goto(f"{ada.site.url}/notifications")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("button", name="Turn on")).to_have_count(0)
    eventually(lambda: len(ada.api("GET", "/push-subscriptions")["results"]) == 1)
    assert [shown["title"] for shown in pushed(page, {"title": "Bob wrote", "url": f"{ada.site.url}/posts/1"})] == [
        "Bob wrote"
    ]
    go(page, "/settings/notifications")
    page.get_by_role("switch", name="Push on this device").uncheck()
    expect(page.get_by_role("switch", name="Push on this device")).not_to_be_checked()
    page.get_by_role("switch", name="Quiet hours").check()
    with page.expect_response(lambda answer: "21:30" in (answer.request.post_data or "")):
        page.get_by_label("From").fill("21:30")
        page.get_by_label("To", exact=True).press("Tab")
    page.reload()
    expect(page.get_by_label("From")).to_have_value("21:30")
    quiet = ada.api("GET", "/notifications/schedule")["quiet_hours"]
    assert (quiet["from"][:5], quiet["to"][:5]) == ("21:30", "07:00")
    assert ada.api("GET", "/push-subscriptions")["results"] == []


def with_pushes(ada: Person) -> Page:
    """A page in a new window, in which pushes were turned on."""
    page = ada.open(permissions=["notifications"])
    page.context.add_init_script(
        _PUSH_SERVICE % json.dumps({"endpoint": ENDPOINT, "expirationTime": None, "keys": KEYS})
    )
    page.goto(f"{ada.site.url}/settings/notifications")
    page.get_by_role("switch", name="Push on this device").click()
    expect(page.get_by_role("switch", name="Push on this device")).to_be_checked()
    return page


def test_pushes_can_be_turned_on_although_the_service_worker_did_not_come_at_first(
    person: Callable[[str], Person],
) -> None:
    ada = person("ada_no_worker")
    page = ada.open(permissions=["notifications"])
    page.evaluate("async () => (await navigator.serviceWorker.ready).unregister()")
    page.context.add_init_script(_WORKER_FAILS_ONCE)
    page.context.add_init_script(
        _PUSH_SERVICE % json.dumps({"endpoint": ENDPOINT, "expirationTime": None, "keys": KEYS})
    )
    page.goto(f"{ada.site.url}/settings/notifications")
    switch = page.get_by_role("switch", name="Push on this device")
    switch.click()
    expect(switch).to_be_enabled()
    expect(switch).to_be_checked()


def test_logging_out_ends_pushes_and_forgets_searches(person: Callable[[str], Person]) -> None:
    ada = person("ada_shared")
    page = with_pushes(ada)
    eventually(lambda: len(ada.api("GET", "/push-subscriptions")["results"]) == 1)
    go(page, "/search")
    page.get_by_role("main").get_by_role("searchbox").fill("private matters")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search: private matters")).to_be_visible()
    go(page, "/settings")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    expect(page.get_by_role("main").get_by_role("link", name="Log in").first).to_be_visible()
    assert ada.api("GET", "/push-subscriptions")["results"] == []
    assert "private" not in page.evaluate("() => JSON.stringify(localStorage)")


def test_a_session_ended_from_elsewhere_ends_pushes_here(person: Callable[[str], Person]) -> None:
    ada = person("ada_two_devices")
    page = with_pushes(ada)
    wait_until_true(page, "() => localStorage.getItem('push-subscription')")
    ada.api("DELETE", "/auth/sessions")
    page.reload()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    wait_until_true(page, "() => !localStorage.getItem('push-subscription')")


def pushed(page: Page, message: dict[str, Any]) -> Any:
    """Delivers a push message to the service worker; returns the notifications that it shows."""
    worker_runs(page)
    devtools = page.context.new_cdp_session(page)
    registrations: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(each["registrationId"] for each in event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    origin = page.evaluate("() => location.origin")
    # events arrive only while the page is polled
    eventually(lambda: page.evaluate("() => true") and registrations, seconds=30)
    pushing = {"origin": origin, "registrationId": registrations[0], "data": json.dumps({"id": "1", **message})}

    def is_shown() -> bool:
        """Sends it again, which shows it once: Chromium loses messages to a worker that it has just stopped."""
        devtools.send("ServiceWorker.deliverPushMessage", pushing)
        page.wait_for_timeout(500)
        return bool(
            page.evaluate("async () => (await (await navigator.serviceWorker.ready).getNotifications()).length")
        )

    eventually(is_shown, seconds=30)
    return page.evaluate(
        "async () => (await (await navigator.serviceWorker.ready).getNotifications())"
        ".map(each => ({title: each.title, url: each.data.url}))"
    )


def test_sign_up_requires_a_solved_captcha(site: Installation, new_context: Callable[..., BrowserContext]) -> None:
    """The provider's frame is mocked; its solution is sent once, and the server rejects it."""
    page = new_context(service_workers="block").new_page()
    instance = httpx.get(f"{site.url}/v1/instance").json()
    page.route(
        "**/v1/instance", lambda route: route.fulfill(json={**instance, "captcha": {"provider": "x", "site_key": "y"}})
    )
    page.route(
        "**/captcha?language=en",
        lambda route: route.fulfill(
            content_type="text/html",
            body="<title>x</title><button onclick=\"parent.postMessage({captcha: 'solved'}, '*')\">Me</button>",
        ),
    )
    page.goto(f"{site.url}/signup")
    page.get_by_label("Username").fill("ada_human")
    page.get_by_label("E-mail address").fill("ada_human@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(page.get_by_role("button", name="Sign up")).to_be_disabled()
    page.frame_locator(".captcha").get_by_role("button").click()
    with page.expect_request("**/v1/auth/register") as sent:
        page.get_by_role("button", name="Sign up").click()
    assert json.loads(sent.value.post_data or "")["captcha"] == "solved"
    expect(page.get_by_role("alert")).to_contain_text("The proof that you are a person was not accepted.")
    expect(page.get_by_role("button", name="Sign up")).to_be_disabled()


def test_a_captcha_whose_script_did_not_come_is_loaded_again(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    """The provider is mocked, and out of reach at first."""
    page = new_context(service_workers="block").new_page()
    instance = httpx.get(f"{site.url}/v1/instance").json()
    own, provider = assets().url("captcha.js"), "https://captcha.example/script.js"
    scripts = "".join(f'<script src="{each}"></script>' for each in (own, provider))
    document = f'<title>x</title><p data-provider="x" data-sitekey="y">{scripts}'
    script = "globalThis.x = {render: (box, given) => given.callback('solved')}; showCaptcha();"
    captcha = {"captcha": {"provider": "x", "site_key": "y"}}
    page.route("**/v1/instance", lambda route: route.fulfill(json={**instance, **captcha}))
    page.route("**/captcha?language=en", lambda route: route.fulfill(content_type="text/html", body=document))
    page.route(provider, lambda route: route.fulfill(content_type="text/javascript", body=script))
    page.route(provider, lambda route: route.abort(), times=1)
    page.goto(f"{site.url}/signup")
    expect(page.get_by_role("button", name="Sign up")).to_be_enabled()


def test_each_attempt_to_sign_up_has_its_own_proof_of_work(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context().new_page()
    page.goto(f"{site.url}/signup")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("E-mail address").fill("ada_work@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(page.get_by_role("status").get_by_text("Ready to sign up.")).to_be_visible()
    with page.expect_response("**/v1/auth/register") as refused, page.expect_response("**/v1/auth/captcha"):
        page.get_by_role("button", name="Sign up").click()
    assert [error["field"] for error in refused.value.json()["errors"]] == ["username"]
    page.get_by_label("Username").fill("ada_work")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()


def test_posts_and_notifications_missed_during_sleep_are_shown(person: Callable[[str], Person]) -> None:
    """Disconnects and reconnects, as after sleep; the installed app's badge is updated."""
    ada, bob = person("ada_zzz"), person("bob_zzz")
    ada.api("PUT", f"/profiles/{bob.id}/follow")
    bob.post("Before")
    page = ada.open()
    page.context.add_init_script("navigator.setAppBadge = async number => { window.badge = number; };")
    sockets: list[Any] = []
    asleep: list[bool] = []

    def connect(socket: Any) -> None:
        if asleep:
            socket.close()
            return
        server = socket.connect_to_server()

        def forward(message: str | bytes) -> None:
            socket.send(message)
            sockets.append(socket)

        server.on_message(forward)

    page.route_web_socket("**/ws/notifications/", connect)
    page.goto(ada.site.url)
    expect(page.get_by_text("Before")).to_be_visible()
    eventually(lambda: page.evaluate("() => true") and sockets)
    asleep.append(True)
    sockets[0].close()
    bob.post("Meanwhile, @ada_zzz")
    asleep.clear()
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.get_by_role("button", name="1 new post").click()
    expect(page.get_by_text("Meanwhile, ")).to_be_visible()
    wait_until_true(page, "() => window.badge > 0 && document.title.startsWith(`(${window.badge}) Home`)")


def test_the_api_documentation_follows_the_preferred_color_scheme(
    site: Installation, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(color_scheme="dark").new_page()
    page.goto(f"{site.url}/v1/docs")
    background = "getComputedStyle(document.body).backgroundColor"
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert page.evaluate(f"[{background}, {scheme}]") == ["rgba(0, 0, 0, 0)", "dark"]
    page.emulate_media(color_scheme="light")
    wait_until_true(page, f"{background} === 'rgb(250, 250, 250)' && {scheme} === 'normal'")


def test_a_slow_answer_does_not_replace_later_suggestions(person: Callable[[str], Person]) -> None:
    page = person("ada_types").open("/search", service_workers="block")
    held: list[Route] = []

    def suggest(route: Route) -> None:
        asked = route.request.url.partition("q=")[2]
        if asked == "sl":
            held.append(route)
        else:
            route.fulfill(json={"results": [{"type": "hashtag", "item": {"name": asked, "posts_count": 1}}]})

    page.route("**/v1/search/suggest*", suggest)
    field = page.get_by_role("main").get_by_role("searchbox")
    field.press_sequentially("sl")
    eventually(lambda: page.evaluate("() => true") and held)
    field.press_sequentially("ow")
    hit = page.locator("main a.search-hit")
    expect(hit).to_have_text("slow")
    with page.expect_response("**/v1/search/suggest?q=sl"):
        held[0].fulfill(json={"results": [{"type": "hashtag", "item": {"name": "sl", "posts_count": 1}}]})
    page.evaluate("() => new Promise(resolve => setTimeout(resolve))")
    expect(hit).to_have_text("slow")
