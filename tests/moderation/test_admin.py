"""The admin site: permissions, the queue with its previews, decisions, rules, and Django's change log."""

import re
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.auth.models import Session
from apps.moderation import actions
from apps.moderation.models import Action, Appeal, Case, InstanceRule, WordRule
from apps.moderation.queries import Target
from apps.posts.models import Post
from socialapp.core.contexts import CONTEXTS
from socialapp.core.media.addresses import seconds_left
from socialapp.lifecycle.removal import begin_removal
from tests.conftest import ALL_CONTEXTS, Person, deliver_outbox
from tests.moderation.conftest import MODERATOR_ID, Thread, enter, messages, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

CASES = "/admin/moderation/case/"


@pytest.fixture
def moderator(register: Callable[..., Person]) -> Person:
    return register("mia")


def test_moderators_see_moderation_only(moderator: Person) -> None:
    browser = enter(moderator, "moderator")
    front = browser.get("/admin/")
    assert front.status_code == 200
    assert [app["app_label"] for app in front.context["available_apps"]] == ["moderation"]
    assert "Registrations" not in front.content.decode()
    for model, page in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        expected = 200 if page.has_module_permission(front.wsgi_request) else 403
        assert browser.get(path).status_code == expected, path


def test_administrators_see_every_page_of_every_context(register: Callable[..., Person]) -> None:
    browser = enter(register("ada"), "admin")
    front = browser.get("/admin/")
    labels = {app["app_label"] for app in front.context["available_apps"]}
    assert {context.label for context in CONTEXTS.values()} <= labels
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert browser.get(path).status_code == 200, path
        assert browser.get(f"{path}?q=1").status_code == 200, path


def test_other_users_cannot_use_the_admin_site(register: Callable[..., Person]) -> None:
    browser = enter(register("eve"))
    for path in ("/admin/", CASES):
        answer = browser.get(path)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
    answer = browser.post(f"{CASES}1/decide/", {"decision": "dismiss"})
    assert answer.status_code == 302
    assert not Action.objects.exists()


def _live_elsewhere(person: Person) -> None:
    """Moves the person to another network; otherwise a case lists them among accounts that may be the author's."""
    Session.objects.filter(user_id=person.id).update(address="198.51.100.0/24")


def test_the_queue_shows_the_reported_content(thread: Thread, moderator: Person) -> None:
    report(thread.cleo, "post", thread.post_id, reason="hate")
    report(thread.ben, "post", thread.post_id, reason="hate")
    report(thread.cleo, "comment", thread.comment_id, details="<b>rude</b>")
    report(thread.cleo, "user", thread.ann.id)
    _live_elsewhere(thread.cleo)
    browser = enter(moderator, "moderator")
    page = browser.get(CASES).content.decode()
    for shown in ("a plain post", "a plain comment", "@ann", "@ben", "2 × hate", "1 × spam"):
        assert shown in page
    case = Case.objects.get(target_type="comment")
    detail = browser.get(f"{CASES}{case.id}/change/").content.decode()
    assert "a plain comment" in detail
    assert "&lt;b&gt;rude&lt;/b&gt;" in detail
    assert "@cleo" not in detail
    assert thread.cleo.id not in detail
    assert browser.get(f"/admin/moderation/report/{case.reports.get().id}/change/").status_code == 200


def test_a_case_shows_blurred_pictures_even_of_a_removed_post(thread: Thread, moderator: Person) -> None:
    shown = {
        "id": 123,
        "kind": "image",
        "width": 400,
        "height": 300,
        "duration_ms": None,
        "blurhash": "",
        "color": "",
        "description": "a <b>cat</b>",
        "files": {
            name: {"digest": digest * 64, "extension": "webp", "width": 400, "height": 300}
            for name, digest in (("large", "a"), ("small", "b"))
        },
    }
    Post.objects.filter(id=thread.post_id).update(media=[shown], is_private=True)
    report(thread.ben, "post", thread.post_id)
    assert Case.objects.count() == 0, "users who cannot see it cannot report it"
    Post.objects.filter(id=thread.post_id).update(is_private=False)
    report(thread.ben, "post", thread.post_id)
    case = Case.objects.get()
    browser, page = enter(moderator, "moderator"), f"{CASES}{case.id}/"
    for decision in ("", "remove"):
        if decision:
            browser.post(f"{page}decide/", {"decision": decision})
            deliver_outbox()
        seen = browser.get(f"{page}change/").content.decode()
        assert "a &lt;b&gt;cat&lt;/b&gt;" in seen
        found = re.search(rf'<img src="[^"]*/media/123/{"b" * 32}\.webp\?expires=(\d+)&amp;signature=(\w+)"', seen)
        assert found
        left = seconds_left(
            f"123/{'b' * 32}.webp",
            audience="moderators",
            expires=found[1],
            signature=found[2],
        )
        assert left is not None


def test_the_queue_takes_the_same_queries_for_one_case_and_for_many(
    thread: Thread, moderator: Person, drain: Callable[[], int]
) -> None:
    browser = enter(moderator, "moderator")

    def statements() -> int:
        with ExitStack() as stack:
            captures = [stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in ALL_CONTEXTS]
            assert browser.get(CASES).status_code == 200
        return sum(len(capture) for capture in captures)

    report(thread.cleo, "post", thread.post_id)
    browser.get(CASES)
    few = statements()
    for _ in range(20):
        post = thread.ann.client.post("/v1/posts", {"content": "more"}).json()["id"]
        report(thread.cleo, "post", post)
    assert Case.objects.count() == 21
    assert statements() == few


def decide(browser: Client, case: Case, decision: str) -> str:
    answer = browser.post(f"{CASES}{case.id}/decide/", {"decision": decision, "reason": "house rules"}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("decision", "kind", "outcome"),
    [
        ("remove", "remove_content", "removed"),
        ("warn", "warn_user", "sanctioned"),
        ("ban", "ban_user", "sanctioned"),
        ("dismiss", "dismiss_case", "dismissed"),
    ],
)
def test_deciding_one_case(thread: Thread, moderator: Person, decision: str, kind: str, outcome: str) -> None:
    report(thread.cleo, "post", thread.post_id)
    browser = enter(moderator, "moderator")
    case = Case.objects.get()
    assert "Decided: 1" in decide(browser, case, decision)
    entry = Action.objects.get()
    assert (entry.kind, entry.moderator_id, entry.reason) == (kind, int(moderator.id), "house rules")
    case.refresh_from_db()
    assert case.outcome == outcome
    assert "decided this case already" in decide(browser, case, "dismiss")
    assert 'name="decision"' not in browser.get(f"{CASES}{case.id}/change/").content.decode()
    assert Action.objects.count() == 1


def test_an_unknown_decision_changes_nothing(thread: Thread, moderator: Person) -> None:
    report(thread.cleo, "post", thread.post_id)
    browser = enter(moderator, "moderator")
    assert "no such decision" in decide(browser, Case.objects.get(), "explode")
    assert browser.get(f"{CASES}{Case.objects.get().id}/decide/").status_code == 405
    assert browser.post(f"{CASES}5/decide/", {"decision": "dismiss"}).status_code == 404
    assert Case.objects.get().is_open
    assert not Action.objects.exists()


def test_a_refused_decision_leads_back_to_its_case(thread: Thread, moderator: Person) -> None:
    report(thread.cleo, "post", thread.post_id)
    browser, case = enter(moderator, "moderator"), Case.objects.get()
    answer = browser.post(f"{CASES}{case.id}/decide/", {"decision": "ban", "days": "0"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{CASES}{case.id}/change/")
    answer = browser.post(f"{CASES}{case.id}/decide/", {"decision": "ban", "days": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, CASES)


def test_reasons_are_sent_without_nul(thread: Thread, moderator: Person) -> None:
    user_id = int(thread.ann.id)
    warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=user_id, reason="be kind")
    appeal = actions.file_appeal(user_id=user_id, action_id=warning.id, text="I was")
    browser = enter(moderator, "moderator")
    page = f"/admin/moderation/appeal/{appeal.id}/answer/"
    browser.post(page, {"outcome": "accept", "reason": "we were \0wrong"})
    assert Appeal.objects.get().answer == "we were wrong"


@pytest.mark.parametrize("decision", ["remove", "warn", "ban", "dismiss"])
def test_deciding_many_cases(thread: Thread, moderator: Person, decision: str) -> None:
    report(thread.cleo, "post", thread.post_id)
    report(thread.cleo, "comment", thread.comment_id)
    browser = enter(moderator, "moderator")
    chosen = {"action": f"{decision}_selected", "_selected_action": [case.id for case in Case.objects.all()]}
    answer = browser.post(CASES, {**chosen, "reason": ""}, follow=True)
    assert "d: 2" in answer.content.decode()
    assert not Case.objects.filter(closed_at=None).exists()
    reason = "It follows the rules." if decision == "dismiss" else "It breaks the rules."
    assert {entry.reason for entry in Action.objects.all()} == {reason}
    assert browser.get(f"{CASES}?state=closed").context["cl"].result_count == 2
    assert browser.get(CASES).context["cl"].result_count == 0


def test_bans_can_be_lifted_and_appeals_decided(thread: Thread, moderator: Person) -> None:
    user_id = int(thread.ann.id)
    ban = actions.ban_user(moderator_id=MODERATOR_ID, user_id=user_id, reason="spam")
    appeal = actions.file_appeal(user_id=user_id, action_id=ban.id, text="no")
    browser = enter(moderator, "moderator")
    for page in ("action", "appeal"):
        assert "@ann" in browser.get(f"/admin/moderation/{page}/").content.decode()
    chosen = {"_selected_action": [appeal.id], "reason": "as it was"}
    assert browser.post("/admin/moderation/appeal/", {**chosen, "action": "reject"}, follow=True).status_code == 200
    assert Appeal.objects.get().status == "rejected"
    again = browser.post("/admin/moderation/appeal/", {**chosen, "action": "accept"}, follow=True)
    assert "already been decided" in again.content.decode()
    lift = {"action": "take_back", "_selected_action": [ban.id], "reason": "enough"}
    browser.post("/admin/moderation/action/", lift)
    assert Action.objects.latest("sequence").kind == "unban_user"


def test_without_a_reason_the_person_is_told_one_that_fits(
    thread: Thread, moderator: Person, drain: Callable[[], int]
) -> None:
    limit = actions.Decision(reason="spam")
    entry = actions.sanction_user(
        Action.Kind.LIMIT_USER, moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), decision=limit
    )
    browser = enter(moderator, "moderator")
    browser.post("/admin/moderation/action/", {"action": "take_back", "_selected_action": [entry.id], "reason": ""})
    actions.set_word_rule(moderator_id=MODERATOR_ID, pattern="casino", effect="hold", is_active=True)
    drain()
    assert messages(thread.ann)[0] == "Your account is no longer limited: We reviewed our decision and reversed it."
    assert thread.ann.client.post("/v1/posts", {"content": "casino"}).status_code == 201
    drain()
    browser.post(f"/admin/moderation/case/{Case.objects.get().id}/decide/", {"decision": "dismiss", "reason": ""})
    drain()
    assert messages(thread.ann)[0] == "Your post is no longer hidden: It follows the rules."


@pytest.mark.parametrize("page", ["case", "wordrule"])
def test_an_id_of_thousands_of_digits_is_no_row(moderator: Person, page: str) -> None:
    browser = enter(moderator, "moderator")
    for wrong in ("9" * 5000, "9" * 20, "x"):
        answer = browser.get(f"/admin/moderation/{page}/{wrong}/change/")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize(
    "filters",
    [
        "created_at__gte=9999-12-31T23:59:59-12:00",
        "created_at__lt=0001-01-01T00:00:00%2B12:00",
        "details__regex=(",
        "details__iregex=(a%2B)%2B$",
    ],
)
def test_filters_on_which_a_database_fails_are_refused(moderator: Person, filters: str) -> None:
    assert enter(moderator, "moderator").get(f"/admin/moderation/report/?{filters}").status_code == 400


def test_a_rule_needs_a_number_from_1(moderator: Person) -> None:
    browser = enter(moderator, "admin")
    refused = browser.post("/admin/moderation/instancerule/add/", {"number": "0", "text": "Be kind."})
    assert (refused.status_code, "A rule needs a number from 1." in refused.content.decode()) == (200, True)
    assert not InstanceRule.objects.exists()


def test_the_log_and_the_cases_are_read_only(thread: Thread, register: Callable[..., Person]) -> None:
    warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="spam")
    browser = enter(register("ada"), "admin")
    for path in ("action/add/", f"action/{warning.id}/delete/", "case/add/"):
        assert browser.get(f"/admin/moderation/{path}").status_code == 403
    assert browser.post(f"/admin/moderation/action/{warning.id}/change/", {"reason": "x"}).status_code == 403
    assert Action.objects.get().reason == "spam"


def test_the_log_counts_its_decisions(moderator: Person) -> None:
    browser = enter(moderator, "moderator")
    for number, counted in ((0, "0 logged decisions"), (1, "1 logged decision"), (2, "2 logged decisions")):
        assert Action.objects.count() == number
        page = browser.get("/admin/moderation/action/").content.decode()
        assert re.search(rf"{counted}\s*<", page), counted
        actions.warn_user(moderator_id=MODERATOR_ID, user_id=7, reason="rude")


@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_changes_of_rules_are_saved_and_recorded_in_both_logs(moderator: Person) -> None:
    browser = enter(moderator, "moderator")
    add = browser.post(
        "/admin/moderation/wordrule/add/",
        {"kind": "words", "pattern": " Big  WIN", "action": "remove", "is_active": "on"},
    )
    assert add.status_code == 302, add.content
    rule = WordRule.objects.get()
    assert (rule.pattern, rule.action, rule.is_active) == ("big win", "remove", True)
    page = f"/admin/moderation/wordrule/{rule.id}/"
    assert browser.post(f"{page}change/", {"kind": "words", "pattern": "big win", "action": "flag"}).status_code == 302
    assert browser.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    assert not WordRule.objects.exists()
    noted = list(LogEntry.objects.order_by("id").values_list("action_flag", "object_id"))
    assert noted == [(1, str(rule.id)), (2, str(rule.id)), (3, str(rule.id))]
    assert [entry.reason for entry in Action.objects.order_by("sequence")] == [
        "big win: remove, on",
        "big win: flag, off",
        "big win: deleted",
    ]
    refused = browser.post("/admin/moderation/wordrule/add/", {"kind": "words", "pattern": "*", "action": "flag"})
    assert "A pattern needs letters" in refused.content.decode()
    assert Action.objects.count() == 3


def test_the_change_log_is_written_after_the_transaction(
    moderator: Person, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    browser = enter(moderator, "moderator")
    body = {"kind": "words", "pattern": "casino", "action": "flag"}
    with django_capture_on_commit_callbacks(using="moderation") as callbacks:  # type: ignore[attr-defined]
        browser.post("/admin/moderation/wordrule/add/", body)
        assert not LogEntry.objects.exists(), "never within the transaction of another database"
    for callback in callbacks:
        callback()
    assert LogEntry.objects.count() == 1


def test_the_front_page_shows_engagement_to_administrators(thread: Thread, register: Callable[..., Person]) -> None:
    browser = enter(register("ada"), "admin")
    page = browser.get("/admin/").content.decode()
    assert page.count('role="img"') == 6, "four charts of engagement and two of moderation"
    assert "1 in all; most at" in page
    assert page.count('<tr><th scope="row">') == 60, "a table below each group of charts"
    assert "4 in all" in page, "ann, ben, cleo and ada registered"


def test_targets_without_text_are_listed(thread: Thread, moderator: Person, drain: Callable[[], int]) -> None:
    target = Target("post", 5, int(thread.ann.id))
    actions.set_word_rule(moderator_id=MODERATOR_ID, pattern="x", effect="flag", is_active=True)
    actions.check_text(target=target, text="x")
    browser = enter(moderator, "moderator")
    assert "(no text)" in browser.get(CASES).content.decode()
    begin_removal("moderation", kind="user", subject_id=int(thread.ann.id), erasure_id=1)
    closed = browser.get(f"{CASES}?state=all").content.decode()
    assert "(erased)" in closed


def test_filters_cannot_reveal_hidden_columns(
    thread: Thread, moderator: Person, register: Callable[..., Person]
) -> None:
    report(thread.cleo, "post", thread.post_id)
    browser = enter(moderator, "moderator")
    for name, value in (("reporter_id", thread.cleo.id), ("open_key__startswith", f"{thread.cleo.id}:")):
        answer = browser.get(f"/admin/moderation/report/?{name}={value}")
        assert answer.status_code == 400, f"?{name}= would reveal who reported"
    administrator = enter(register("ada"), "admin")
    assert administrator.get("/admin/identity/user/?password__startswith=argon2").status_code == 400
    assert administrator.get("/admin/identity/user/?status=active").status_code == 200


def test_moderators_cannot_decide_about_themselves_in_the_admin_site(thread: Thread, moderator: Person) -> None:
    post = moderator.client.post("/v1/posts", {"content": "by the moderator"}).json()
    report(thread.cleo, "post", post["id"])
    case = Case.objects.get()
    browser = enter(moderator, "moderator")
    for decision in ("dismiss", "remove", "warn", "ban"):
        browser.post(f"{CASES}{case.id}/decide/", {"decision": decision})
    case.refresh_from_db()
    assert case.is_open
    assert not Action.objects.exists()


def test_moderators_cannot_ban_administrators(
    thread: Thread, moderator: Person, register: Callable[..., Person]
) -> None:
    chief = register("ada")
    administrator = enter(chief, "admin")
    for person in (chief, moderator):
        assert report(thread.cleo, "user", person.id).status_code == 201
    about_chief, about_moderator = Case.objects.order_by("id")
    browser = enter(moderator, "moderator")
    browser.post(f"{CASES}{about_chief.id}/decide/", {"decision": "ban"})
    assert not Action.objects.exists()
    administrator.post(f"{CASES}{about_moderator.id}/decide/", {"decision": "ban"})
    assert Action.objects.get().user_id == int(moderator.id)


def test_a_case_can_be_taken_annotated_decided_with_a_rule_and_reopened(thread: Thread, moderator: Person) -> None:
    rule = actions.set_instance_rule(moderator_id=MODERATOR_ID, number=1, text="Be kind.")
    report(thread.cleo, "post", thread.post_id)
    _live_elsewhere(thread.cleo)
    case = Case.objects.get()
    browser, page = enter(moderator, "moderator"), f"{CASES}{Case.objects.get().id}/"
    answer = browser.post(f"{CASES}next/")
    assert answer["Location"] == f"{page}change/"
    case.refresh_from_db()
    assert case.assigned_to_id == int(moderator.id)
    browser.post(f"{page}note/", {"text": "seen <b>before</b>"})
    shown = browser.get(f"{page}change/").content.decode()
    for words in ("seen &lt;b&gt;before&lt;/b&gt;", "@mia", "1. Be kind.", "a plain post", "Only the author"):
        assert words in shown, words
    assert "@cleo" not in shown
    sent = {"decision": "limit", "rule": str(rule.id), "days": "3", "reason": "rest"}
    assert "Decided: 1" in browser.post(f"{page}decide/", sent, follow=True).content.decode()
    entry = Action.objects.get(kind="limit_user")
    assert (entry.rule_id, entry.case_id, entry.until is not None) == (rule.id, case.id, True)
    browser.post(f"{page}reopen/")
    case.refresh_from_db()
    assert case.is_open
    assert "no unassigned cases" in browser.post(f"{CASES}next/", follow=True).content.decode()
    assert browser.post(f"{page}explode/").status_code == 404
    assert "days" in browser.post(f"{page}decide/", {**sent, "days": "0"}, follow=True).content.decode()
    case.refresh_from_db()
    assert case.is_open, "an invalid form decides nothing"


def test_an_appeal_can_be_decided_on_its_page(thread: Thread, moderator: Person) -> None:
    warning = actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="spam")
    appeal = actions.file_appeal(user_id=int(thread.ann.id), action_id=warning.id, text="I did <i>not</i>")
    browser, page = enter(moderator, "moderator"), f"/admin/moderation/appeal/{appeal.id}/"
    assert "I did &lt;i&gt;not&lt;/i&gt;" in browser.get(f"{page}change/").content.decode()
    assert browser.post(f"{page}answer/", {"outcome": "shrug"}).status_code == 400
    shown = browser.post(f"{page}answer/", {"outcome": "accept", "reason": ""}, follow=True).content.decode()
    assert "We reviewed our decision and reversed it." in shown
    assert Appeal.objects.get().status == "accepted"


def test_administrators_can_edit_the_installations_rules(register: Callable[..., Person], moderator: Person) -> None:
    path = "/admin/moderation/instancerule/"
    browser = enter(register("ada"), "admin")
    assert browser.post(f"{path}add/", {"number": "1", "text": "Be kind."}).status_code == 302
    rule = InstanceRule.objects.get()
    assert browser.post(f"{path}{rule.id}/change/", {"number": "1", "text": "Be kind, always."}).status_code == 302
    assert list(InstanceRule.objects.order_by("version").values_list("text", "version")) == [
        ("Be kind.", 1),
        ("Be kind, always.", 2),
    ]
    assert browser.post(f"{path}{rule.id}/change/", {"number": "1", "text": "No."}).status_code == 403
    assert enter(moderator, "moderator").post(f"{path}add/", {"number": "2", "text": "x"}).status_code == 403
    assert InstanceRule.objects.count() == 2
