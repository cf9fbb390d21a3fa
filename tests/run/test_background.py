"""The process that is worker, relay and beat in one: none of them may be missing while the others go on."""

import os
import signal
import threading

import pytest
from celery import signals

from socialapp.runtime import roles


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The signals that the process sends, to itself; and no receiver outlives the test."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: found.append((pid, number)))
    monkeypatch.setattr(signals.worker_shutting_down, "receivers", [])
    return found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("fails", [False, True])
def test_a_part_that_ends_asks_the_process_to_end(sent: list[tuple[int, int]], fails: bool) -> None:
    part = roles.beside_worker("part", run=lambda: 1 // (not fails), stop=lambda: None)
    part.start()
    part.join()
    assert sent == [(os.getpid(), signal.SIGTERM)]


def test_a_part_ends_with_the_worker(sent: list[tuple[int, int]]) -> None:
    stopping = threading.Event()
    part = roles.beside_worker("part", run=stopping.wait, stop=stopping.set)
    part.start()
    signals.worker_shutting_down.send(sender=None)
    part.join(60)
    assert not part.is_alive()
    assert sent == []
