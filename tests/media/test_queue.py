"""Conversions have a separate queue; workers may consume only that one, only the others, or all."""

from typing import Any

import pytest

from socialapp.celery import app, slow_tasks
from socialapp.messaging.transports.celery import queue_name, queue_names, slow_queue_name, task_queue_name


def test_conversions_have_a_separate_queue() -> None:
    route = app.amqp.router.route({}, "posts.process_waiting_media")
    assert route["queue"].name == slow_queue_name("posts")
    assert app.amqp.router.route({}, "posts.flush_views")["queue"].name == task_queue_name("posts")


@pytest.mark.parametrize("takes", ["quick", "slow", "all"])
def test_a_worker_consumes_the_queues_of_its_setting(takes: str, settings: Any) -> None:
    settings.WORKER_QUEUES = takes
    names = set(queue_names(slow_tasks()))
    assert (slow_queue_name("posts") in names) is (takes != "quick")
    assert ({queue_name("posts"), task_queue_name("posts"), queue_name("auth")} <= names) is (takes != "slow")
    assert names <= set(app.amqp.queues)
