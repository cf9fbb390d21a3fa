"""The log of actions: any change breaks its chain, except the erasure of a person."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.moderation import actions
from apps.moderation.models import Action, LogHead
from apps.moderation.presenters import statement_bodies
from apps.moderation.queries import Target, check_log, figures_by_month, is_automated
from socialapp.core.db import atomic
from socialapp.lifecycle.removal import begin_removal
from tests.conftest import ALL_CONTEXTS

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

USER, OTHER, MODERATOR = 51, 52, 900


@pytest.fixture
def log() -> list[Action]:
    actions.warn_user(moderator_id=MODERATOR, user_id=USER, reason="first")
    actions.remove_content(
        moderator_id=MODERATOR, target=Target("post", 7, OTHER), decision=actions.Decision(reason="second")
    )
    actions.ban_user(moderator_id=MODERATOR, user_id=OTHER, reason="third")
    actions.set_word_rule(moderator_id=MODERATOR, pattern="buy now", effect="flag", is_active=True)
    return list(Action.objects.order_by("sequence"))


def rewrite(sequence: int, **changes: object) -> None:
    """Changes that somebody with access to the database could make."""
    Action.objects.filter(sequence=sequence).update(**changes)


def test_an_unchanged_log_is_valid(log: list[Action], capsys: pytest.CaptureFixture[str]) -> None:
    check = check_log()
    assert (check.entries, check.redacted, check.problems) == (4, 0, [])
    call_command("moderation", "verify_log")
    assert "the log of actions is whole" in capsys.readouterr().out


def test_an_empty_log_is_valid() -> None:
    assert check_log().problems == []


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "other"},
        {"user_id": 53},
        {"moderator_id": 901},
        {"kind": "unban_user"},
        {"target_id": 8},
        {"salt": "0" * 32},
        {"is_redacted": True},
        {"content_hash": "0" * 64},
        {"hash": "0" * 64},
        {"previous_hash": "0" * 64},
    ],
)
def test_any_change_is_detected(log: list[Action], changes: dict[str, object]) -> None:
    rewrite(2, **changes)
    assert check_log().problems
    with pytest.raises(CommandError):
        call_command("moderation", "verify_log")


@pytest.mark.parametrize("sequence", [1, 2, 4])
def test_a_missing_entry_is_detected(log: list[Action], sequence: int) -> None:
    Action.objects.filter(sequence=sequence).delete()
    assert check_log().problems


def test_an_emptied_log_is_detected(log: list[Action]) -> None:
    Action.objects.all().delete()
    assert check_log().problems == ["the log ends at 0, but 4 entries were written"]


def test_entries_can_be_neither_updated_nor_deleted(log: list[Action]) -> None:
    with pytest.raises(TypeError):
        log[0].save()
    with pytest.raises(TypeError):
        log[0].delete()
    assert check_log().problems == []


def test_a_rejected_decision_is_not_logged(log: list[Action]) -> None:
    def refused() -> None:
        with atomic("moderation"):
            actions.warn_user(moderator_id=MODERATOR, user_id=USER, reason="rolled back")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        refused()
    assert check_log().problems == []
    assert LogHead.objects.get().sequence == 4


def test_erasing_a_person_removes_their_data_and_keeps_the_log_valid(
    log: list[Action], drain: Callable[[], int]
) -> None:
    begin_removal("moderation", kind="user", subject_id=OTHER, erasure_id=1)
    check = check_log()
    assert (check.entries, check.redacted, check.problems) == (5, 2, [])
    assert not Action.objects.filter(user_id=OTHER).exists()
    assert not Action.objects.filter(reason__in=["second", "third"]).exists()
    assert Action.objects.get(sequence=3).target_id is None
    assert Action.objects.get(sequence=1).reason == "first"
    begin_removal("moderation", kind="user", subject_id=OTHER, erasure_id=1)
    assert check_log().entries == 5


def test_erasing_a_moderator_keeps_their_decisions(log: list[Action]) -> None:
    begin_removal("moderation", kind="user", subject_id=MODERATOR, erasure_id=1)
    assert check_log().problems == []
    assert not Action.objects.filter(moderator_id=MODERATOR).exists()
    assert Action.objects.get(sequence=1).reason == "first"


def test_a_change_cannot_be_disguised_as_an_erasure(log: list[Action]) -> None:
    rewrite(2, reason="", salt="", user_id=None, is_redacted=True)
    assert check_log().problems == ["entry 2 was changed without a reason"]


def test_only_what_rules_decided_counts_as_automated(log: list[Action]) -> None:
    actions.sanction_by_operator(user_id=USER, kind="ban", reason="by the operator")
    actions.set_word_rule(moderator_id=MODERATOR, pattern="casino", effect="remove", is_active=True)
    actions.check_text(target=Target("post", 8, 53), text="casino")
    for erased in (MODERATOR, 53):
        begin_removal("moderation", kind="user", subject_id=erased, erasure_id=erased)
    [removal] = Action.objects.filter(target_id=8)
    assert (removal.moderator_id, removal.user_id, removal.is_redacted) == (None, None, True)
    automated = [entry.sequence for entry in Action.objects.order_by("sequence") if is_automated(entry)]
    assert automated == [removal.sequence], "not what the operator and the erased moderator decided"
    stated = [one["sequence"] for one in statement_bodies(Action.objects.all()) if one["automated_decision"]]
    assert stated == automated
    assert figures_by_month(months=1)[0].automated == 1


def test_what_happens_as_the_month_ends_is_left_to_the_next_report(log: list[Action]) -> None:
    """The month is determined before what happened is read."""
    last_month = timezone.now().replace(day=1, hour=0) - timedelta(days=1)
    with time_machine.travel(last_month):
        assert [figures.actions for figures in figures_by_month(months=2)] == [{}, {}]
    assert sum(figures_by_month(months=1)[0].actions.values()) == 3
