"""Word rules: matching, effects, and idempotent handling of duplicate and late events."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.moderation import actions
from apps.moderation.access import rules_matching
from apps.moderation.models import Action, Case, WordRule
from apps.moderation.queries import Target, check_log
from socialapp.contracts.moderation import ContentRemoved
from socialapp.contracts.posts import PostEdited
from socialapp.core.errors import Invalid
from socialapp.core.ids import new_id
from socialapp.lifecycle.removal import begin_removal
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import wrap
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from tests.conftest import ALL_CONTEXTS
from tests.moderation.conftest import MODERATOR_ID, Thread, published

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def rule(pattern: str, effect: str = "flag", *, is_active: bool = True) -> WordRule:
    return actions.set_word_rule(moderator_id=MODERATOR_ID, pattern=pattern, effect=effect, is_active=is_active)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("casino", "the CASINO opens", True),
        ("casino", "casinos", False),
        ("casino*", "casinos", True),
        ("*casino", "mycasino", True),
        ("buy now", "buy \n now!", True),
        ("buy now", "buy it now", False),
        ("straße", "STRASSE", True),
        ("casino", "ｃａｓｉｎｏ", True),
        ("a.b", "axb", False),
        ("(", "(", True),
        ("casino", "cas\u200bin\u2060o", True),
        ("casino", "ćàsïņó", True),
        ("casino", "c\u0336a\u0336s\u0336i\u0336n\u0336o\u0336", True),
        ("casino", "the c\u0430sin\u043e opens", True),  # Cyrillic letters
        ("casino", "C\u0391SI\u039d\u039f", True),  # Greek letters
        ("buy now", "bu\u0443 n\u03bfw", True),
        ("казино", "Kaзинo", True),
        ("хуй", "xуй", True),
        ("σπαμ", "σπaμ", True),
        ("ano", "feliz año nuevo", False),
        ("sik", "çok şık", False),
        ("hora", "jag kan höra dig", False),
        ("cop", "\u0441\u043e\u0440", False),  # Russian for litter
        ("\u0441\u043e\u0440", "cop", False),
        ("геи", "гей", False),
        ("élan", "elan", False),
        ("élan", "e\u0301lan", True),
        ("saw", "s4w", False),
    ],
)
def test_a_pattern_matches_the_expected_texts(pattern: str, text: str, found: bool) -> None:
    rule(pattern)
    assert bool(rules_matching(text)) is found


@pytest.mark.parametrize("pattern", ["", "  ", "*", "* *", "a*b*c*d*"])
def test_a_pattern_that_matches_everything_or_is_slow_is_rejected(pattern: str) -> None:
    with pytest.raises(Invalid):
        rule(pattern)
    assert not WordRule.objects.exists()
    assert not Action.objects.exists()


def write_post(thread: Thread, content: str) -> str:
    answer = thread.ann.client.post("/v1/posts", {"content": content})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def test_a_flagging_rule_opens_a_case(thread: Thread, drain: Callable[[], int]) -> None:
    rule("casino")
    rule("win big")
    post_id = write_post(thread, "win big at the casino")
    drain()
    case = Case.objects.get()
    assert (case.target_type, case.target_id, case.author_id) == ("post", int(post_id), int(thread.ann.id))
    assert case.flagged_words == "casino, win big"
    assert case.is_open
    assert thread.cleo.client.get(f"/v1/posts/{post_id}").status_code == 200
    thread.ann.client.patch(f"/v1/posts/{post_id}", {"content": "win big at the casino, really"})
    drain()
    assert Case.objects.count() == 1


def test_a_removing_rule_removes_posts_and_comments(thread: Thread, drain: Callable[[], int]) -> None:
    rule("casino", "remove")
    rule("the", "flag")
    post_id = write_post(thread, "the casino")
    comment = thread.ben.client.post(f"/v1/posts/{thread.post_id}/comments", {"content": "the casino"}).json()["id"]
    drain()
    assert thread.ann.client.get(f"/v1/posts/{post_id}").status_code == 404
    assert thread.ben.client.get(f"/v1/comments/{comment}").status_code == 404
    assert not Case.objects.exists()
    removals = Action.objects.filter(kind="remove_content")
    assert {(entry.moderator_id, entry.reason) for entry in removals} == {(None, "word rule: casino, the")}
    assert check_log().problems == []


def test_an_edit_is_checked_too(thread: Thread, drain: Callable[[], int]) -> None:
    rule("casino", "remove")
    thread.ben.client.patch(f"/v1/comments/{thread.comment_id}", {"content": "see you in the casino"})
    drain()
    assert thread.cleo.client.get(f"/v1/comments/{thread.comment_id}").status_code == 404
    thread.ann.client.patch(f"/v1/posts/{thread.post_id}", {"content": "see you in the casino"})
    drain()
    assert thread.cleo.client.get(f"/v1/posts/{thread.post_id}").status_code == 404


def test_inactive_and_deleted_rules_do_nothing(thread: Thread, drain: Callable[[], int]) -> None:
    rule("casino", "remove", is_active=False)
    gone = rule("big win", "remove")
    actions.delete_word_rule(moderator_id=MODERATOR_ID, rule_id=gone.id)
    actions.delete_word_rule(moderator_id=MODERATOR_ID, rule_id=gone.id)
    write_post(thread, "a big win in the casino")
    drain()
    assert not Case.objects.exists()
    assert list(Action.objects.order_by("sequence").values_list("reason", flat=True)) == [
        "casino: remove, off",
        "big win: remove, on",
        "big win: deleted",
    ]


def edited(post_id: str, author_id: str) -> Any:
    event = PostEdited(
        post_id=int(post_id),
        author_id=int(author_id),
        is_private=False,
        was_private=False,
        hashtags=[],
        new_mention_ids=[],
        version=2,
    )
    return wrap(event, event_id=new_id())


def test_a_duplicate_event_is_handled_once(thread: Thread, drain: Callable[[], int]) -> None:
    rule("plain", "remove")
    for _ in range(2):
        for event in [edited(thread.post_id, thread.ann.id)] * 2:
            deliver("moderation", envelopes=[event, event])
        deliver("moderation", envelopes=[edited(thread.post_id, thread.ann.id)])
    assert not FailedDelivery.objects.using("moderation").exists()
    assert len([event for event in published() if isinstance(event, ContentRemoved)]) == 1
    drain()
    deliver("moderation", envelopes=[edited(thread.post_id, thread.ann.id)])
    assert len([event for event in published() if isinstance(event, ContentRemoved)]) == 1


def test_a_late_edit_of_a_deleted_post_opens_no_case(thread: Thread, drain: Callable[[], int]) -> None:
    rule("plain")
    thread.ann.client.delete(f"/v1/posts/{thread.post_id}")
    drain()
    deliver("moderation", envelopes=[edited(thread.post_id, thread.ann.id)])
    assert not Case.objects.filter(closed_at=None).exists()


def test_an_erased_author_gets_no_case() -> None:
    rule("plain")
    begin_removal("moderation", kind="user", subject_id=77, erasure_id=1)
    actions.check_text(target=Target("post", 5, 77), text="a plain post")
    assert not Case.objects.exists()
    assert OutboxEvent.objects.using("moderation").count() == 1
