"""If a disk is full or the bucket hangs, uploads are rejected with a reason and nothing is written.

`/dev/full` is a disk on which nothing fits.
"""

import errno
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from apps.posts.actions import process_waiting_media
from apps.posts.models import Media
from socialapp import wsgi
from socialapp.core.errors import Unavailable
from socialapp.core.media import videos
from socialapp.core.media.convert import convert
from socialapp.settings import media as own_settings
from socialapp.settings import media_store
from tests.conftest import ALL_CONTEXTS, Person
from tests.media.conftest import animation, path_of, picture, send
from tests.media.stores import Store
from tests.run.installation import ROOT, all_gone, until

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


def disk_full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def nothing_fits(*_: Any, **__: Any) -> io.BufferedRandom:
    return open("/dev/full", "w+b")


def test_a_form_that_does_not_fit_on_the_disk_leaves_no_file(
    register: Callable[..., Person], store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a full disk leaves would keep it full."""
    ann = register("ann")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", disk_full)
    received: list[Path] = []
    new_file = TemporaryFileUploadHandler.new_file

    def noted(handler: Any, *details: Any) -> None:
        new_file(handler, *details)
        received.extend(tmp_path.glob("*.upload"))

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", noted)
    answer = send(ann, picture())
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert [path.exists() for path in received] == [False]
    assert (Media.objects.count(), store.names()) == (0, [])


def test_an_upload_in_parts_that_does_not_fit_on_the_disk_can_be_repeated(
    register: Callable[..., Person], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, content = register("ann"), picture()
    begun = ann.client.post("/v1/media/uploads", {"content_type": "image/png", "size": len(content)}).json()
    with monkeypatch.context() as patched:
        patched.setattr("apps.posts.actions.media.uploads.tempfile.TemporaryFile", nothing_fits)
        answer = ann.client.send_raw("PUT", path_of(begun["url"]), content, "image/png")
    assert (answer.status_code, answer.json()["code"], store.names()) == (503, "store_unavailable", [])
    assert ann.client.send_raw("PUT", path_of(begun["url"]), content, "image/png").status_code == 204


def test_a_chunked_body_that_does_not_fit_on_the_disk_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "SpooledTemporaryFile", lambda **_: SimpleNamespace(write=disk_full))
    statuses: list[str] = []
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "PATH_INFO": "/v1/media", "REQUEST_METHOD": "POST"}
    body = io.BytesIO(bytes(100_000))
    answer = wsgi._with_room({**chunked, "wsgi.input": body}, lambda status, _: statuses.append(status))
    assert b'"store_unavailable"' in b"".join(answer)
    assert (statuses, body.read()) == (["503 Service Unavailable"], b"")


@pytest.mark.parametrize(("file_format", "written"), [("png", "large.webp"), ("gif", "medium.webp")])
def test_a_picture_is_not_called_damaged_because_the_disk_is_full(
    file_format: str, written: str, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(animation(size=(1200, 600)) if file_format == "gif" else picture())
    (tmp_path / written).symlink_to("/dev/full")
    with pytest.raises(Unavailable):
        convert(source, file_format=file_format, target=tmp_path, heartbeat=lambda: None)


def test_a_video_is_not_called_damaged_because_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.write_bytes(animation())
    monkeypatch.setattr("socialapp.core.media.videos._run", lambda *_: SimpleNamespace(returncode=1))
    monkeypatch.setattr("socialapp.core.media.videos.shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(OSError, match="No space left"):
        videos.convert_gif(source, target=tmp_path)


def test_a_full_disk_does_not_count_as_an_attempt(
    register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(register("ann"), picture())
    with monkeypatch.context() as patched:
        patched.setattr("apps.posts.actions.media.processing.tempfile.TemporaryDirectory", disk_full)
        process_waiting_media()
    media = Media.objects.get()
    assert (media.status, media.attempts) == ("processing", 0)


def test_no_ffmpeg_outlives_a_killed_conversion(tmp_path: Path) -> None:
    source = tmp_path / "source"
    os.mkfifo(source)
    command = [sys.executable, "-m", "socialapp.core.media.convert", "mp4", str(source), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as conversion, source.open("wb") as unfinished:
        unfinished.write(b"\0\0\0\x14ftypisom")  # opened and read by ffmpeg, which waits for the rest
        unfinished.flush()
        started = psutil.Process(conversion.pid).children()
        conversion.kill()
        conversion.wait()
        until(lambda: all_gone(started), why="ffmpeg still runs")
    assert started
