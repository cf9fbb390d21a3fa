"""Concurrency: one case per target, one report per person, and a log that never forks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connections

from apps.moderation import actions
from apps.moderation.actions.decisions import hold_content
from apps.moderation.models import Action, Case, Report
from apps.moderation.queries import Target, check_log
from socialapp.core.errors import Conflict
from tests.conftest import ALL_CONTEXTS

pytestmark = [
    pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True),
    pytest.mark.skipif(settings.EMBEDDED, reason="in-memory SQLite has no concurrent writers"),
]

TARGET = Target("post", 7, 70)


def at_once(*calls: Callable[[], object]) -> None:
    def run(call: Callable[[], object]) -> None:
        try:
            call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        for result in [pool.submit(run, call) for call in calls]:
            result.result()


def test_the_log_never_forks() -> None:
    at_once(*[lambda: actions.warn_user(moderator_id=1, user_id=2, reason="x")] * 12)
    check = check_log()
    assert (check.entries, check.problems) == (12, [])


@pytest.mark.parametrize("kind", [Action.Kind.REMOVE_CONTENT, Action.Kind.HIDE_CONTENT, Action.Kind.HOLD_CONTENT])
def test_one_decision_made_several_times_at_once_is_one_decision(kind: Action.Kind) -> None:
    """Otherwise lifting one of them would leave the others, and the author would be notified of each."""

    def decide() -> None:
        if kind == Action.Kind.REMOVE_CONTENT:
            actions.remove_content(moderator_id=1, target=TARGET, decision=actions.Decision(reason="spam"))
        elif kind == Action.Kind.HIDE_CONTENT:
            actions.restrict_content(kind, moderator_id=1, target=TARGET, decision=actions.Decision(reason="spam"))
        else:
            hold_content(target=TARGET, reason="spam")

    at_once(*[decide] * 8)
    assert [action.kind for action in Action.objects.all()] == [kind]


def test_texts_that_are_checked_at_once_silence_their_author_once() -> None:
    actions.set_word_rule(moderator_id=1, pattern="casino", effect="silence", is_active=True)
    at_once(*[lambda n=n: actions.check_text(target=Target("post", n, 70), text="casino") for n in range(1, 9)])
    assert Action.objects.filter(kind="silence_user").count() == 1
    assert Case.objects.count() == 8


def test_reports_of_one_target_are_one_case() -> None:
    def report(reporter_id: int) -> Callable[[], object]:
        return lambda: actions.file_report(reporter_id=reporter_id, target=TARGET, reason="spam", details="")

    at_once(*[report(number % 6) for number in range(12)])
    assert Case.objects.get().reports_count == Report.objects.count() == 6


@pytest.mark.parametrize(("one", "other"), [("remove", "dismiss"), ("hide", "ban"), ("warn", "warn")])
def test_concurrent_decisions_about_a_case_count_once(one: str, other: str) -> None:
    actions.file_report(reporter_id=6, target=TARGET, reason="spam", details="")
    case_id = Case.objects.get().id
    refused: list[str] = []

    def decide(decision: str, moderator_id: int) -> Callable[[], object]:
        act = actions.Act(decision=decision, target=TARGET, moderator_id=moderator_id, reason="no", case_id=case_id)

        def run() -> None:
            try:
                actions.carry_out(act)
            except Conflict as conflict:
                refused.append(conflict.code)

        return run

    at_once(decide(one, 901), decide(other, 902))
    assert refused == ["case_closed"]
    assert Action.objects.get().kind.split("_")[0] in (one, other)
    assert not Case.objects.get().is_open


def test_take_next_gives_each_moderator_another_case() -> None:
    for number in range(4):
        actions.file_report(reporter_id=6, target=Target("post", number + 1, 70), reason="spam", details="")
    at_once(*[lambda number=number: actions.take_next_case(moderator_id=number) for number in range(901, 905)])
    assert set(Case.objects.values_list("assigned_to_id", flat=True)) == {901, 902, 903, 904}
