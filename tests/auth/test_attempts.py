"""Password guessing is limited for strangers in all spellings of a login; owners can log in from known devices."""

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.core import mail
from django.test import Client

from apps.auth import actions
from apps.auth.actions.mails import reset_key
from apps.auth.models import Session, User
from tests.auth import totp
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
HERE, ELSEWHERE = "192.0.2.7", "203.0.113.9"


@pytest.fixture
def limits(settings: Any) -> Any:
    settings.RATE_LIMITS, settings.TRUSTED_PROXIES, settings.RATE_ADDRESS_FACTOR = True, 1, 1000
    settings.RATES = dict.fromkeys(settings.RATES, (1000, 100000000)) | {"login": (3, 100_000_000)}
    return settings


def log_in(
    password: str = "wrong horse battery",
    *,
    login: str = "alice",
    address: Any = ELSEWHERE,
    client: Any = None,
    **headers: Any,
) -> Any:
    body = {"login": login, "password": password}
    return (client or JsonClient()).post("/v1/auth/login", body, X_Forwarded_For=address, **headers)


@pytest.mark.parametrize(
    "spellings",
    [
        ["alice", "ALICE", " alice", "Alice "],
        ["alice@ｅxample.org", "ALICE@example.org", "Alice@Example.Org", " alice@example.org"],
    ],
)
def test_attempts_in_all_spellings_of_a_login_count_together(
    register: Callable[..., Person], limits: Any, spellings: list[str]
) -> None:
    register("alice")
    statuses = [log_in(login=login, address=f"203.0.113.{n}").status_code for n, login in enumerate(spellings)]
    assert statuses == [401, 401, 401, 429]
    refused = log_in(PASSWORD, login=spellings[0]).headers
    assert refused["RateLimit"] == f'"login";r=0;t={refused["Retry-After"]}'
    assert refused["RateLimit-Policy"].startswith('"login";q=')


def test_attempts_do_not_tell_whose_an_address_is(register: Callable[..., Person], limits: Any) -> None:
    """A stranger who knows the address exhausts its attempts, and then tries the username."""
    register("alice", email="whistle@example.org")
    for _ in range(4):
        log_in(login="whistle@example.org")
    assert log_in(login="alice").status_code == log_in(login="somebody_else").status_code == 401


def test_a_log_in_resets_the_attempts_by_username_and_by_address(register: Callable[..., Person], limits: Any) -> None:
    register("alice")
    log_in(PASSWORD, address=HERE)
    logins = ["alice", "alice@example.org"]
    assert [log_in(login=login).status_code for login in logins * 4] == [401] * 6 + [429] * 2
    assert log_in(PASSWORD, address=HERE).status_code == 200
    assert [log_in(login=login).status_code for login in logins] == [401, 401]


def test_a_name_with_different_letters_is_a_different_name(register: Callable[..., Person]) -> None:
    """Whatever the database's collation."""
    register("alice")
    assert [log_in(PASSWORD, login=login).status_code for login in ("álice", "ａlice", "ALICE")] == [401, 401, 200]


def test_attempts_on_an_unknown_name_count_together_too(limits: Any) -> None:
    spellings = ["nobody@example.org", "NOBODY@ｅxample.org", "nobody@example。org", "nobody@example.org"]
    assert [log_in(login=login).status_code for login in spellings] == [401, 401, 401, 429]


def test_the_owner_can_log_in_from_a_known_device_despite_the_limit(
    register: Callable[..., Person], limits: Any
) -> None:
    register("alice")
    phone = JsonClient()
    assert log_in(PASSWORD, address=HERE, client=phone).status_code == 200
    for _ in range(4):
        log_in()
    assert log_in(PASSWORD).status_code == 429, "strangers are blocked even with the right password"
    assert log_in(PASSWORD, address="198.51.100.1", client=phone).status_code == 200, "the cookie identifies the device"


def test_a_client_without_cookies_sends_the_device_token_as_a_header(
    register: Callable[..., Person], limits: Any
) -> None:
    register("alice")
    token = log_in(PASSWORD, address=HERE).headers["Device-Token"]
    for _ in range(4):
        log_in()
    assert log_in(PASSWORD, Device_Token=token).status_code == 200
    assert log_in(PASSWORD, Device_Token=token[:-1] + "x").status_code == 429


def test_the_owner_can_log_in_from_a_known_address_despite_the_limit(
    register: Callable[..., Person], limits: Any
) -> None:
    register("alice")
    log_in(PASSWORD, address=HERE)
    for _ in range(4):
        log_in()
    assert log_in(PASSWORD, address=HERE).status_code == 200


def test_a_known_device_is_limited_too(register: Callable[..., Person], limits: Any) -> None:
    register("alice")
    phone = JsonClient()
    log_in(PASSWORD, address=HERE, client=phone)
    assert [log_in(client=phone).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_an_ipv6_network_of_one_customer_counts_as_one_address(register: Callable[..., Person], limits: Any) -> None:
    register("alice")
    log_in(PASSWORD, address="2001:db8:1:2::1")
    for _ in range(4):
        log_in()
    assert log_in(PASSWORD, address="2001:db8:1:3::1").status_code == 429
    assert log_in(PASSWORD, address="2001:db8:1:2:ffff::9").status_code == 200


def test_an_ipv4_mapped_ipv6_address_counts_as_the_ipv4_address(register: Callable[..., Person], limits: Any) -> None:
    register("alice")
    log_in(PASSWORD, address="::ffff:192.0.2.7")
    for _ in range(4):
        log_in()
    assert log_in(PASSWORD, address="::ffff:203.0.113.9").status_code == 429, "different addresses count separately"
    assert log_in(PASSWORD, address="192.0.2.7").status_code == 200


@pytest.mark.parametrize("way", ["api", "page"])
def test_after_a_password_reset_the_owner_can_log_in_while_strangers_guess(
    register: Callable[..., Person], limits: Any, way: str
) -> None:
    register("alice")
    actions.request_password_reset(email="alice@example.org")
    key = reset_key(User.objects.get())
    for _ in range(4):
        log_in()
    body, browser = {"key": key, "password": "staple gun paper clip"}, JsonClient()
    if way == "api":
        token = browser.post("/v1/auth/password/reset", body).headers["Device-Token"]
    else:
        token = Client().post("/auth/reset-password", body).headers["Device-Token"]
    assert log_in("staple gun paper clip").status_code == 429
    assert log_in("staple gun paper clip", Device_Token=token).status_code == 200


def test_the_admin_site_accepts_known_browsers_of_staff_despite_the_limit(
    register: Callable[..., Person], limits: Any
) -> None:
    staff = register("alice")
    actions.grant_role(user_id=int(staff.id), role="moderator")
    Session.objects.all().delete()
    browser, page = Client(), "/admin/login/?next=/admin/"
    right = {"username": "alice", "password": PASSWORD}
    assert browser.post(page, right, headers={"X-Forwarded-For": HERE}).status_code == 302
    browser.post("/admin/logout/")
    Session.objects.all().delete()
    for _ in range(4):
        log_in()
    assert Client().post(page, right, headers={"X-Forwarded-For": ELSEWHERE}).status_code == 200, (
        "strangers are rate-limited"
    )
    assert browser.post(page, right, headers={"X-Forwarded-For": ELSEWHERE}).status_code == 302


def test_the_owner_is_notified_of_wrong_codes_too(register: Callable[..., Person], limits: Any) -> None:
    alice = register("alice")
    limits.FAILED_LOGINS_REPORTED = 2
    alice.confirm()
    app = pyotp.TOTP(alice.client.post("/v1/auth/totp").json()["secret"])
    alice.client.post("/v1/auth/totp/confirm", {"code": app.now()})
    actions.send_due_mails()
    mail.outbox.clear()
    for _ in range(3):
        body = {"login": "alice", "password": PASSWORD, "otp": "000000"}
        assert JsonClient().post("/v1/auth/login", body).json()["code"] == "otp_invalid"
    actions.send_due_mails()
    assert [message.subject for message in mail.outbox] == ["Many failed login attempts"]


def test_the_number_of_new_addresses_per_account_is_limited(register: Callable[..., Person], limits: Any) -> None:
    alice = register("alice")
    alice.confirm()
    limits.RATES = {**limits.RATES, "login": (1000, 100_000_000)}
    limits.NEW_ADDRESSES_PER_ACCOUNT = 2
    statuses = [alice.client.patch("/v1/auth/me", {"email": f"s{n}@example.org"}).status_code for n in range(3)]
    assert statuses == [200, 200, 429]
    assert alice.client.get("/v1/auth/me").json()["pending_email"] == "s1@example.org"


def test_the_owner_is_notified_of_many_failures_once(register: Callable[..., Person], limits: Any) -> None:
    register("alice")
    limits.FAILED_LOGINS_REPORTED = 2
    actions.send_due_mails()
    mail.outbox.clear()
    for _ in range(3):
        log_in()
    actions.send_due_mails()
    assert [message.subject for message in mail.outbox] == ["Many failed login attempts"]


def test_confirming_a_session_is_limited_like_a_log_in(register: Callable[..., Person], limits: Any) -> None:
    alice = register("alice")
    body = {"password": "wrong horse battery"}
    answers = [alice.client.post("/v1/auth/confirm", body, X_Forwarded_For=ELSEWHERE) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert Session.objects.exclude(confirmed_until=None).count() == 0


def test_the_owner_is_notified_of_a_new_device(register: Callable[..., Person]) -> None:
    register("alice")
    Session.objects.update(address_digest="another", user_agent="Phone/1")
    actions.send_due_mails()
    mail.outbox.clear()
    log_in(PASSWORD, User_Agent="Firefox/1")
    log_in(PASSWORD, User_Agent="Firefox/1")
    actions.send_due_mails()
    assert [message.subject for message in mail.outbox] == ["New login to your account"]


def test_mails_to_one_address_are_limited(register: Callable[..., Person], limits: Any) -> None:
    alice = register("alice")
    actions.send_due_mails()
    mail.outbox.clear()
    limits.RATES = {**limits.RATES, "login": (1000, 100_000_000)}
    for _ in range(9):
        alice.client.post("/v1/auth/password/forgot", {"email": "Alice@example.org"})
    actions.send_due_mails()
    assert len(mail.outbox) == limits.MAILS_PER_ADDRESS


def test_mails_to_one_mailbox_are_limited_however_its_address_is_written(
    register: Callable[..., Person], limits: Any
) -> None:
    alice = register("alice")
    alice.confirm()
    actions.send_due_mails()
    mail.outbox.clear()
    limits.RATES = {**limits.RATES, "login": (1000, 100_000_000)}
    for address in [*(f"stranger+{number}@gmail.com" for number in range(9)), "s.tranger@googlemail.com"]:
        assert alice.client.patch("/v1/auth/me", {"email": address}).status_code == 200
        actions.send_due_mails()
    assert len([message for message in mail.outbox if "tranger" in message.to[0]]) == limits.MAILS_PER_ADDRESS


def test_mails_about_an_account_to_an_unverified_address_are_limited(
    register: Callable[..., Person], limits: Any
) -> None:
    register("alice")
    limits.RATES = {**limits.RATES, "login": (1000, 100_000_000)}
    for is_verified, sent in ((False, limits.MAILS_PER_ADDRESS), (True, 9)):
        User.objects.update(email_verified=is_verified)
        actions.send_due_mails()
        mail.outbox.clear()
        for number in range(9):
            log_in(PASSWORD, User_Agent=f"{is_verified}/{number}", address=f"203.0.{int(is_verified)}.{number}")
        actions.send_due_mails()
        assert [message.subject for message in mail.outbox] == ["New login to your account"] * sent


def test_an_account_allows_thirty_wrong_codes_a_day(register: Callable[..., Person], limits: Any) -> None:
    limits.RATES = dict.fromkeys(limits.RATES, (1000, 100_000_000))
    alice = register("alice")
    User.objects.update(email_verified=True)
    _, recovery = totp.set_up(alice)
    guesses = [alice.client.delete("/v1/auth/totp", {"code": "000000"}).status_code for _ in range(31)]
    assert guesses == [422] * 30 + [429]
    body = {"login": "alice", "password": PASSWORD}
    for code in ("000000", recovery[0]):
        assert JsonClient().post("/v1/auth/login", {**body, "otp": code}).status_code == 429
    key = {"key": reset_key(User.objects.get()), "password": "staple gun paper clip"}
    assert JsonClient().post("/v1/auth/password/reset", key).status_code == 204
    body["password"] = "staple gun paper clip"
    assert JsonClient().post("/v1/auth/login", {**body, "otp": recovery[0]}).status_code == 200
