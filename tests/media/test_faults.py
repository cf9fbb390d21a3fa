"""If the store is full or the bucket hangs, uploads are rejected with a reason and nothing is written."""

import errno
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from apps.posts.actions import process_waiting_media
from apps.posts.models import Media
from socialapp.settings import media as own_settings
from socialapp.settings import media_store
from tests.conftest import ALL_CONTEXTS, Person
from tests.media.conftest import picture, send
from tests.media.stores import Store

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_an_upload_to_a_full_store_writes_nothing(
    register: Callable[..., Person], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = register("ann")

    def be_full(source: Any, target: Any, length: int = 0) -> None:
        target.write(source.read(100))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("socialapp.core.media.stores.shutil.copyfileobj", be_full)
        answer = send(ann, picture())
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert (Media.objects.count(), store.names()) == (0, [])


def test_an_upload_to_a_hanging_bucket_fails_at_the_deadline(
    register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    ann = register("ann")
    assert send(ann, picture()).status_code == 202
    monkeypatch.setattr(own_settings, "MEDIA_STORE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # accepts connections and never responds
        address = f"127.0.0.1:{hanging.getsockname()[1]}"
        settings.STORAGES = {**settings.STORAGES, "media": media_store(f"s3://key:secret@{address}/bucket?tls=off")}
        started = time.monotonic()
        answer = send(ann, picture((40, 40)))
        process_waiting_media()
        assert time.monotonic() - started < 30, "a few attempts of 0.3 s each, not the minutes of boto's defaults"
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    waiting = Media.objects.get()
    assert (waiting.status, waiting.attempts) == ("processing", 0), "an outage does not count as an attempt"
