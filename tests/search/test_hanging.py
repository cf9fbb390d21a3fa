"""An Elasticsearch that hangs is asked a few times, and then left alone for a while."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from apps.search.queries import elastic
from socialapp.core.errors import Unavailable


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """It accepts connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        listener.setblocking(False)
        yield listener


def _connections(listener: socket.socket) -> int:
    taken = []
    try:
        while True:
            taken.append(listener.accept()[0])
    except BlockingIOError:
        return len(taken)
    finally:
        for connection in taken:
            connection.close()


def _ask() -> None:
    with pytest.raises(Unavailable), elastic.answering():
        elastic.elasticsearch().count()  # type: ignore[attr-defined]


def test_it_is_left_alone(hanging: socket.socket, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic, "OPEN_SECONDS", 600.0)
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{hanging.getsockname()[1]}"
    settings.ELASTICSEARCH_SECONDS = 0.2
    for _ in range(elastic.FAULTS_TO_OPEN):
        _ask()
    assert _connections(hanging) == elastic.FAULTS_TO_OPEN
    for _ in range(20):
        _ask()
    assert _connections(hanging) == 0


def test_it_is_asked_again(hanging: socket.socket, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic, "OPEN_SECONDS", 0.0)
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{hanging.getsockname()[1]}"
    settings.ELASTICSEARCH_SECONDS = 0.2
    for _ in range(6):
        _ask()
    assert _connections(hanging) == 6, "one question finds out how it is"
    with elastic.answering():
        pass
    _ask()
    assert _connections(hanging) == 1
