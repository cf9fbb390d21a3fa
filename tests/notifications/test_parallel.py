"""Changes that meet others in the middle: no notification without a group or of what is gone, no lost preference."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from apps.notifications import actions
from apps.notifications.actions import NotificationRequest, day_of
from apps.notifications.models import (
    Notification,
    NotificationActor,
    NotificationGroup,
    NotificationPreference,
    NotificationSettings,
)
from socialapp.core.errors import NotFound, Stale
from socialapp.core.ids import new_id
from socialapp.lifecycle.removal import sweep

pytestmark = [
    pytest.mark.django_db(databases=["notifications"], transaction=True),
    pytest.mark.skipif(settings.EMBEDDED, reason="in-memory SQLite has no concurrent writers"),
]


@contextmanager
def meanwhile(act: Callable[[], object], *, before: str) -> Iterator[None]:
    """Has another connection do this right before the first statement that begins like `before`."""
    waiting = [act]

    def run(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if waiting and sql.replace("`", "").startswith(before):
            apart(waiting.pop())
        return execute(sql, *more)

    with connections["notifications"].execute_wrapper(run):
        yield
    assert not waiting, "nothing began like this"


def apart(act: Callable[[], object]) -> None:
    """Does this in a thread, which has its own connections."""

    def run() -> None:
        act()
        connections.close_all()

    thread = Thread(target=run)
    thread.start()
    thread.join()


def react(actor_id: int, comment_id: int, *, author_id: int) -> None:
    """Notifies the author of a comment of a reaction."""
    now = datetime.now(UTC)
    topic = f"reaction:comment:{comment_id}"
    actions.notify(
        [
            NotificationRequest(
                user_id=author_id,
                kind="reaction",
                topic=topic,
                day=day_of(now),
                at=now,
                actor_id=actor_id,
                target_type="comment",
                target_id=comment_id,
            )
        ]
    )


def test_a_notification_that_new_activity_replaced_is_not_deleted() -> None:
    author_id, comment_id = new_id(), new_id()
    react(new_id(), comment_id, author_id=author_id)
    seen = Notification.objects.get()
    another = lambda: react(new_id(), comment_id, author_id=author_id)  # noqa: E731
    with meanwhile(another, before="UPDATE notification_actors"), pytest.raises(NotFound):
        actions.delete_notification(user_id=author_id, notification_id=seen.id)
    row, group = Notification.objects.get(), NotificationGroup.objects.get()
    assert (row.group_id, group.notification_id, row.actors_count) == (group.id, row.id, 2)
    assert NotificationActor.objects.filter(group_id=group.id, present=True).count() == 2


def test_a_reaction_to_a_comment_that_is_deleted_meanwhile_leaves_no_notification() -> None:
    author_id, comment_id = new_id(), new_id()
    deletion = lambda: actions.remove_comment(comment_id=comment_id)  # noqa: E731
    with meanwhile(deletion, before="INSERT INTO notification_groups"):
        react(new_id(), comment_id, author_id=author_id)
    sweep("notifications")
    assert not Notification.objects.exists()
    assert not NotificationGroup.objects.exists()


def test_of_first_changes_of_preferences_at_once_one_is_not_lost_and_one_is_stale() -> None:
    user_id, unread = new_id(), frozenset({0})

    def change(flag: str, *, versions: frozenset[int] | None = None) -> None:
        actions.change_preferences(user_id=user_id, changes={"comment": {flag: False}}, expected_versions=versions)

    with meanwhile(lambda: change("push"), before="INSERT INTO notification_"):
        change("in_app")
    assert NotificationPreference.objects.filter(user_id=user_id, push=False, in_app=False).exists()
    user_id = new_id()
    with meanwhile(lambda: change("push"), before="INSERT INTO notification_"), pytest.raises(Stale):
        change("in_app", versions=unread)
    assert NotificationPreference.objects.filter(user_id=user_id, push=False, in_app=True).exists()


def test_of_first_changes_of_the_schedule_at_once_one_is_stale() -> None:
    user_id = new_id()

    def change(hour: int) -> None:
        actions.change_schedule(user_id=user_id, changes={"digest_hour": hour}, expected_versions=frozenset({0}))

    with meanwhile(lambda: change(7), before="INSERT INTO notification_settings"), pytest.raises(Stale):
        change(9)
    assert NotificationSettings.objects.get(user_id=user_id).digest_hour == 7
