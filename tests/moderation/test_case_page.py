"""The page of a case: earlier versions, the conversation, possibly related accounts, what decisions affect, and
templates of reasons; and the links to it."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.auth.models import Session
from apps.moderation import actions
from apps.moderation.models import Action, Case, InstanceRule, ReasonTemplate
from apps.moderation.queries import Target
from socialapp.core.text.language import guess_language
from tests.conftest import ALL_CONTEXTS, Person
from tests.moderation.conftest import MODERATOR_ID, Thread, enter, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

CASES = "/admin/moderation/case/"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("You are all idiots and should leave", "en"),
        ("Ihr seid alle dumm und sollt gehen", "de"),
        ("C'est une honte et je ne suis pas content", "fr"),
        ("これは良くない投稿です", "ja"),
        ("这是坏的", "zh"),
        ("Це погано і її немає", "uk"),
        ("Это плохо", "ru"),
        ("https://x.example 123", ""),
        ("", ""),
    ],
)
def test_the_language_is_detected(text: str, language: str) -> None:
    assert guess_language(text) == language


def test_the_case_of_a_post_shows_its_context(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    edit = thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "you are the worst of all"})
    assert edit.status_code == 200
    thread.cleo.client.put(f"/v1/posts/{thread.post_id}/reaction", {"reaction_type": "sad"})
    drain()
    Session.objects.update(address="")
    Session.objects.filter(user_id__in=[thread.ann.id, thread.ben.id]).update(address="192.0.2.0/24")
    report(thread.cleo, "post", thread.post_id)
    case = Case.objects.get()
    assert case.language == "en"
    browser = enter(register("mia"), "moderator")
    page = browser.get(f"{CASES}{case.id}/change/").content.decode()
    for shown in (
        "<h1>Post by @ann: you are the worst of all</h1>",
        "1 earlier version",
        "a plain post",
        "a plain comment",
        "Hidden with it: 1 comment, 1 reaction, 0 reposts.",
        "Hidden: 1 post, followed by 0 followers.",
        "the same network",
    ):
        assert shown in page, shown
    assert "192.0.2" not in page, "locations are not shown"
    assert "@cleo" not in page, "reporters and reacting users are not shown"
    for language, count in (("en", 1), ("de", 0), ("unknown", 0)):
        assert browser.get(f"{CASES}?language={language}").context["cl"].result_count == count


def page_of(case: Case, browser: Client) -> str:
    return browser.get(f"{CASES}{case.id}/change/").content.decode()


@pytest.mark.parametrize("edits", [1, 25])
def test_a_post_that_was_edited_after_the_report_shows_what_it_said(
    thread: Thread, register: Callable[..., Person], edits: int
) -> None:
    path, browser = f"/v1/posts/{thread.post_id}", enter(register("mia"), "moderator")
    assert thread.ann.client.patch(path, {"content": "you are the worst of all"}).status_code == 200
    report(thread.cleo, "post", thread.post_id)
    case = Case.objects.get()
    assert "Edited since this case was opened" not in page_of(case, browser)
    for number in range(edits):
        assert thread.ann.client.patch(path, {"content": f"love {number}"}).status_code == 200
    page = page_of(case, browser)
    assert f"Edited since this case was opened at {case.created_at:%Y-%m-%d %H:%M} (UTC)" in page
    assert "what it reads now" in page
    assert "what it read then" in page
    assert "what was reported <small>" not in page
    assert page.index(">you are the worst of all</blockquote>") < page.index("Around it")


def test_a_comment_that_was_edited_after_the_report_says_so(thread: Thread, register: Callable[..., Person]) -> None:
    browser = enter(register("mia"), "moderator")
    report(thread.ann, "comment", thread.comment_id)
    case = Case.objects.get()
    assert "Edited since" not in page_of(case, browser)
    edit = thread.ben.client.patch(f"/v1/comments/{thread.comment_id}", {"content": "a kind comment"})
    assert edit.status_code == 200
    page = page_of(case, browser)
    assert "Edited since this case was opened" in page
    assert "The earlier text is not kept." in page


def test_the_case_of_a_comment_shows_its_thread(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    path = f"/v1/posts/{thread.post_id}/comments"
    answer = {"content": "an answer to it", "parent_comment_id": thread.comment_id}
    assert thread.cleo.client.post(path, answer).status_code == 201
    drain()
    report(thread.ann, "comment", thread.comment_id)
    page = enter(register("mia"), "moderator").get(f"{CASES}{Case.objects.get().id}/change/").content.decode()
    assert page.index("a plain post") < page.index("an answer to it")
    assert "is-target" in page
    assert "Still visible below it: 1 answer." in page


def test_a_template_sets_a_decisions_reason_and_rule(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    admin, moderator = enter(register("ada"), "admin"), enter(register("mia"), "moderator")
    rule = actions.set_instance_rule(moderator_id=MODERATOR_ID, number=2, text="No spam.")
    values = {"name": "Spam", "text": "You advertise.", "rule_number": "2"}
    templates = "/admin/moderation/reasontemplate/"
    assert moderator.post(f"{templates}add/", values).status_code == 403
    assert admin.post(f"{templates}add/", {**values, "rule_number": "7"}).status_code == 200, "the rule does not exist"
    assert not ReasonTemplate.objects.exists()
    assert admin.post(f"{templates}add/", values).status_code == 302
    template = ReasonTemplate.objects.get()
    second = actions.set_instance_rule(moderator_id=MODERATOR_ID, number=2, text="No spam, no advertisements.")
    assert InstanceRule.objects.get(id=rule.id).retired_at is not None
    report(thread.cleo, "post", thread.post_id)
    page = f"{CASES}{Case.objects.get().id}/"
    assert 'data-text="You advertise."' in moderator.get(f"{page}change/").content.decode()
    moderator.post(f"{page}decide/", {"decision": "remove", "template": template.id})
    entry = Action.objects.latest("sequence")
    assert (entry.kind, entry.reason, entry.rule_id) == ("remove_content", "You advertise.", second.id)
    assert admin.post(f"{templates}{template.id}/delete/", {"post": "yes"}).status_code == 302
    assert not ReasonTemplate.objects.exists()


def test_content_pages_link_to_decisions(thread: Thread, register: Callable[..., Person]) -> None:
    browser = enter(register("ada"), "admin")
    for page, target in (
        ("posts/post", f"post/{thread.post_id}"),
        ("comments/comment", f"comment/{thread.comment_id}"),
        ("users/profile", f"user/{thread.ann.id}"),
        ("identity/user", f"user/{thread.ann.id}"),
    ):
        assert f'href="{CASES}about/{target}/"' in browser.get(f"/admin/{page}/").content.decode(), page


def test_reporters_with_many_dismissed_reports_are_listed_and_weigh_less(
    thread: Thread, register: Callable[..., Person]
) -> None:
    browser = enter(register("mia"), "moderator")
    page = "/admin/moderation/report/reporters/"
    for number in range(4):
        post = thread.ann.client.post("/v1/posts", {"content": f"number {number}"}).json()["id"]
        for reporter in (thread.cleo, thread.ben) if number < 2 else (thread.cleo,):
            report(reporter, "post", post)
        actions.dismiss_case(moderator_id=901, case_id=Case.objects.get(closed_at=None).id, reason="fine")
    shown = browser.get(page).content.decode()
    assert "@cleo" in shown
    assert "<td>4</td><td>4</td><td>4</td><td>100 %</td><td>0.2</td>" in shown
    assert "@ben" not in shown, "two dismissed reports are below the threshold"
    assert "number 0" not in shown
    assert page in browser.get("/admin/moderation/report/").content.decode()
    report(thread.cleo, "user", thread.ann.id)
    assert Case.objects.get(closed_at=None).score == 0.2


def test_lists_show_usernames_and_the_first_words(
    thread: Thread, register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    actions.set_word_rule(moderator_id=901, pattern="casino", effect="flag", is_active=True)
    post = thread.ann.client.post("/v1/posts", {"content": "my casino in the hills"}).json()["id"]
    drain()
    report(thread.cleo, "post", post)
    case = Case.objects.get(target_id=int(post))
    actions.remove_content(
        moderator_id=MODERATOR_ID,
        target=Target("post", int(post), int(thread.ann.id)),
        decision=actions.Decision(reason="no", case_id=case.id),
    )
    drain()
    browser = enter(register("ada"), "admin")
    about = f'href="{CASES}about/post/{post}/"'
    for page in ("action", "report", "rulehit"):
        shown = browser.get(f"/admin/moderation/{page}/").content.decode()
        assert about in shown, page
        assert "my casino in the hills" in shown, page
    person = f'<a href="{CASES}about/user/{thread.ann.id}/">'
    for page in ("moderation/action", "moderation/rulehit", "moderation/case/?state=all", "posts/removedpost"):
        shown = browser.get(f"/admin/{page.rstrip('/')}{'' if '?' in page else '/'}").content.decode()
        assert person in shown, page
        assert "@ann" in shown, page
    for kind in ("user", "post", "comment"):
        page = browser.get(f"{CASES}about/{kind}/{10**30}/", follow=True).content.decode()
        assert "doesn’t exist" in page, "an id of more than 64 bits matches nothing"


def test_a_case_shows_the_outcomes_of_its_reporters_other_reports(
    thread: Thread, register: Callable[..., Person]
) -> None:
    report(thread.cleo, "post", thread.post_id)
    actions.dismiss_case(moderator_id=901, case_id=Case.objects.get().id, reason="fine")
    report(thread.cleo, "comment", thread.comment_id)
    page = enter(register("mia"), "moderator").get(f"{CASES}{Case.objects.get(closed_at=None).id}/change/")
    shown = page.content.decode().partition('id="case-reports"')[2].partition("</section>")[0]
    assert "<td>0 confirmed, 1 dismissed; weight 1</td>" in shown
    assert "@cleo" not in shown, "reporters are not shown"
