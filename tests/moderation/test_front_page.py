"""The front page of the admin site: statistics per day, month and year, spikes, and the state of the installation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.auth.models import Session, User
from apps.metrics.actions import roll_up
from apps.moderation import actions
from apps.moderation.models import Report
from socialapp.contracts.auth import Auth
from socialapp.contracts.metrics import Metrics
from socialapp.contracts.moderation import Moderation
from socialapp.core.errors import Invalid
from socialapp.core.periods import period_of, period_starts
from socialapp.http.charts import draw
from socialapp.lifecycle.runs import last_runs
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, Person
from tests.moderation.conftest import MODERATOR_ID, Thread, enter, report

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

NOW = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "count", "first", "last"),
    [
        ("day", 24, datetime(2026, 11, 26, 15, tzinfo=UTC), datetime(2026, 11, 27, 14, tzinfo=UTC)),
        ("month", 30, datetime(2026, 10, 29, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)),
        ("year", 52, datetime(2025, 11, 29, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)),
    ],
)
def test_a_span_ends_with_the_current_period(span: str, count: int, first: datetime, last: datetime) -> None:
    starts = period_starts(span, now=NOW)
    assert (len(starts), starts[0], starts[-1]) == (count, first, last)
    assert (period_of(NOW, starts=starts), period_of(first, starts=starts)) == (last, first)


def test_values_far_above_the_usual_are_marked_as_spikes() -> None:
    starts = period_starts("month", now=NOW)

    def is_spike(*values: int) -> bool:
        series = [0] * (30 - len(values)) + list(values)
        return draw("reports", title="Reports", span="month", starts=starts, values=series).is_spike

    assert is_spike(3, 4, 5, 40)
    assert not is_spike(3, 4, 5, 9), "a few more are not a spike"
    assert not is_spike(200, 250, 300, 60), "not far enough above the usual"
    assert not is_spike(40), "without history nothing is a spike"


def test_reports_and_decisions_are_counted_by_hour_day_and_week(thread: Thread) -> None:
    for target in (("post", thread.post_id), ("comment", thread.comment_id)):
        report(thread.cleo, *target)
    Report.objects.filter(target_type="comment").update(created_at=timezone.now() - timedelta(days=20))
    actions.warn_user(moderator_id=MODERATOR_ID, user_id=int(thread.ann.id), reason="spam")
    found = {span: client(Moderation).workload(moderator_id=1, span=span).days for span in ("day", "month", "year")}
    assert {span: len(days) for span, days in found.items()} == {"day": 24, "month": 30, "year": 52}
    assert {span: sum(day.reports for day in days) for span, days in found.items()} == {"day": 1, "month": 2, "year": 2}
    assert all((days[-1].reports, days[-1].decisions) == (1, 1) for days in found.values())
    with pytest.raises(Invalid):
        client(Moderation).workload(moderator_id=1, span="decade")


def test_engagement_is_counted_by_hour_before_and_after_the_rollup(thread: Thread) -> None:
    before = client(Metrics).hours(hours=24)
    assert (len(before), before[-1].posts, before[-1].comments, before[-1].registrations) == (24, 1, 1, 3)
    roll_up(older_than=timedelta(0))
    assert client(Metrics).hours(hours=24) == before


def test_the_front_page_shows_the_installations_state_to_administrators(
    empty_index: None, register: Callable[..., Person], tmp_path: Path, drain: Callable[[], int]
) -> None:
    browser = enter(register("ada"), "admin")
    for span in ("", "?span=day", "?span=month", "?span=year", "?span=x"):
        page = browser.get(f"/admin/{span}").content.decode()
        for shown in ("people today", "of media", "dead letters", "events not sent", "Registrations"):
            assert shown in page, span
    assert page.count(">never<") == 2
    call_command("verify", stdout=StringIO())
    runs = last_runs()
    assert (runs["backup"], runs["verify"] is not None) == (None, True)
    assert browser.get("/admin/").content.decode().count(">never<") == 1
    assert "0 differences found" in browser.get("/admin/").content.decode()


def test_the_front_page_hides_the_installations_state_from_moderators(register: Callable[..., Person]) -> None:
    page = enter(register("mia"), "moderator").get("/admin/").content.decode()
    assert "Reports" in page
    for hidden in ("people today", "dead letters", "Registrations", "Internals"):
        assert hidden not in page


def test_users_count_as_active_while_they_use_a_session(register: Callable[..., Person]) -> None:
    ann, ben, cleo = register("ann"), register("ben"), register("cleo")
    for person, days in ((ben, 3), (cleo, 20)):
        Session.objects.filter(user_id=person.id).update(last_used_at=timezone.now() - timedelta(days=days))
    found = client(Auth).active_people()
    assert (found.day, found.week, found.month) == (1, 2, 3)
    assert ann.id != ben.id


def test_accounts_are_linked_by_mailbox_and_range_of_addresses(register: Callable[..., Person]) -> None:
    ann, ben, cleo, dan = (register(name) for name in ("ann", "ben", "cleo", "dan"))
    Session.objects.update(address="")
    Session.objects.filter(user_id__in=[ann.id, ben.id]).update(address="192.0.2.0/24")
    Session.objects.filter(user_id=dan.id).update(
        address="192.0.2.0/24", last_used_at=timezone.now() - timedelta(days=100)
    )
    User.objects.filter(id=cleo.id).update(email_key="ann+two@example.org")
    User.objects.filter(id=ann.id).update(email_key="ann@example.org")
    found = client(Auth).linked_accounts(user_id=int(ann.id))
    assert {(one.username, one.by) for one in found} == {("ben", "address"), ("cleo", "email")}
    assert [one.username for one in client(Auth).linked_accounts(user_id=int(cleo.id))] == ["ann"]
    assert client(Auth).linked_accounts(user_id=5) == []
