"""Who may open which page of the admin site: every URL, read and written, by users of every role.

The tables are exact: a model or URL that is not in them fails, so that adding one requires stating who may use it. A
refused request writes nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.auth.actions import grant_role
from apps.auth.models import User
from tests.conftest import ALL_CONTEXTS, Person
from tests.security.rows import row_counts

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

ROLES = ("anonymous", "user", "moderator", "admin")
ADMINS, STAFF = {"admin"}, {"admin", "moderator"}

# Rows that administrators view and nobody changes.
LOOKED_AT_BY_ADMINS = """
    account.emailaddress bus.faileddelivery comments.comment comments.commentcount comments.commentmention
    comments.removedcomment comments.restoredremoval
    identity.application identity.erasure identity.erasureack identity.export identity.invite
    identity.mail identity.passkeychallenge identity.recoverycode identity.reservedname identity.role identity.session
    identity.signingkey identity.totpdevice identity.user identity.userrole metrics.authorrollup metrics.metricdelta
    metrics.overallrollup metrics.post metrics.postrollup mfa.authenticator moderation.loghead moderation.proposal
    moderation.signedhead notifications.mutedconversation notifications.notification notifications.notificationactor
    notifications.notificationgroup notifications.notificationpreference notifications.notificationsettings
    notifications.outgoingmessage notifications.pushsubscription posts.bookmark posts.feedepoch posts.linkpreview
    posts.media posts.mediapurge posts.mutedpost posts.popularauthor posts.post posts.postedit posts.posthashtag
    posts.postlink posts.postmention posts.refusedmedia posts.removedpost posts.repost posts.repostcount
    posts.restoredremoval posts.storedfile reactions.reaction reactions.reactioncount search.indexedhashtag
    search.indexedpost search.indexedprofile search.tombstone socialaccount.socialaccount users.block users.follow
    users.followrequest users.mute users.postcount users.profile users.profilereset"""
# Rows that moderators view too; they decide by the actions of these pages.
LOOKED_AT_BY_STAFF = """
    moderation.action moderation.appeal moderation.block moderation.bulkdecision moderation.case
    moderation.casenote moderation.instancerule moderation.reasontemplate moderation.report moderation.rulehit
    moderation.suspension moderation.wordrule"""
# Rows that are added, changed and deleted on their pages, and by which roles.
KEPT = {
    "moderation.block": STAFF,
    "moderation.instancerule": ADMINS,
    "moderation.reasontemplate": ADMINS,
    "moderation.wordrule": STAFF,
}
# URLs that belong to no table, or do more than show a row.
OTHERS = {
    "index": STAFF,
    "login": set(ROLES),
    "logout": set(ROLES),
    "password_change": STAFF,
    "password_change_done": STAFF,
    "autocomplete": set[str](),
    "jsi18n": STAFF,
    "view_on_site": STAFF,
    "app_list": STAFF,
    "None": STAFF,  # redirects, or is not found
    "moderation_case_next": STAFF,
    "moderation_case_decide": STAFF,
    "moderation_case_about": STAFF,
    "moderation_case_step": STAFF,
    "moderation_appeal_answer": STAFF,
    "moderation_report_reporters": STAFF,
}


def addresses() -> Iterator[tuple[str, str]]:
    """Every URL of the site, with an id that nothing has, and its name."""
    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern) == "admin/" and isinstance(pattern, URLResolver):
            yield from _below("/admin/", pattern)


def _below(prefix: str, resolver: URLResolver) -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(prefix + route, pattern)
        elif isinstance(pattern, URLPattern):
            name = str(pattern.name)
            filled = "moderation/" if name == "app_list" else "nothing/" if route.startswith("(?P<url>") else route
            while "<" in filled:
                filled = filled[: filled.index("<")] + "12345" + filled[filled.index(">") + 1 :]
            yield prefix + filled, name


def who_may(name: str, method: str) -> set[str]:
    """What the tables state for the URL with this name."""
    if name in OTHERS:
        return OTHERS[name]
    label, _, page = name.rpartition("_")
    model = label.replace("_", ".", 1)
    assert model in LOOKED_AT_BY_ADMINS.split() + LOOKED_AT_BY_STAFF.split(), f"say who may use {name}"
    assert page in ("changelist", "history", "change", "add", "delete"), f"say who may use {name}"
    if page == "history":
        return STAFF  # for a missing row: redirects to the front page, which reports it
    if page in ("add", "delete") or (page, method) == ("change", "POST"):
        return KEPT.get(model, set())
    return STAFF if model in LOOKED_AT_BY_STAFF.split() else ADMINS


def is_let_in(answer: Any) -> bool:
    """Whether the page was shown, the form processed, or the row not found."""
    if answer.status_code == 302:
        return not answer.headers["Location"].startswith("/admin/login/")
    return answer.status_code not in (403, 405)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_use_exactly_the_admin_urls_in_the_tables(register: Callable[..., Person], role: str) -> None:
    browser = _browser(register, role)
    asked = [(method, address, name) for address, name in addresses() for method in ("GET", "POST") if name != "logout"]
    assert len(asked) > 10 * len(admin.site._registry)
    wrong, before = [], row_counts()
    # Refused requests come first: they must write nothing.
    for method, address, name in sorted(asked, key=lambda one: role in who_may(one[2], one[0])):
        if (may := role in who_may(name, method)) and before:
            assert row_counts() == before, "a refused request has written something"
            before = {}
        answer = browser.get(address) if method == "GET" else browser.post(address, {"post": "yes"})
        assert answer.status_code < 500, (method, address)
        is_for_the_other_method = may and answer.status_code == 405
        if is_let_in(answer) != may and not is_for_the_other_method:
            wrong.append(f"{method} {address} ({name}): {answer.status_code}")
    assert not wrong, f"for {role}, say who may, or fix it:\n" + "\n".join(wrong)


def test_admin_forms_without_a_csrf_token_are_refused(register: Callable[..., Person]) -> None:
    """Every URL refuses a form without the CSRF token of one of our pages."""
    browser = _browser(register, "admin", enforce_csrf_checks=True)
    before = row_counts()
    for address, name in addresses():
        form = {"action": "delete_selected", "post": "yes"}
        answer = browser.post(address, form, headers={"Origin": "https://evil.example"})
        assert answer.status_code in (403, 405), (address, name, answer.status_code)
    assert row_counts() == before


def _browser(register: Callable[..., Person], role: str, *, enforce_csrf_checks: bool = False) -> Client:
    """A client that is logged in as a user with this role."""
    browser = Client(enforce_csrf_checks=enforce_csrf_checks)
    if role != "anonymous":
        person = register("somebody")
        if role != "user":
            grant_role(user_id=int(person.id), role=role)
        browser.force_login(User.objects.get(id=int(person.id)))
    return browser
