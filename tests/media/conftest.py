"""Fixtures of the tests of media: an own store, generated files, and uploads through the API."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from apps.posts.actions import process_waiting_media
from apps.posts.actions.media import processing, removal
from socialapp.messaging import periodic
from socialapp.settings import media_store
from tests.conftest import JsonClient, Person
from tests.media.stores import Bucket, Folder, Store, s3_server

# Runs a test on both kinds of stores; others run on files only.
BOTH_STORES = pytest.mark.parametrize("store", ["files", "s3"], indirect=True)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of an S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(autouse=True)
def store(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Store:
    """An empty store."""

    def use(store: dict[str, Any]) -> None:
        settings.STORAGES = {**settings.STORAGES, "media": store}

    if getattr(request, "param", "files") == "s3":
        return Bucket(request.getfixturevalue("s3"), use)
    files = media_store("")
    use({**files, "OPTIONS": {**files["OPTIONS"], "location": tmp_path / "store"}})
    return Folder(tmp_path / "store")


@pytest.fixture(autouse=True)
def _commit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs after-commit callbacks at once, as a test's transaction is never committed."""
    for module in (processing, removal, periodic):
        monkeypatch.setattr(module, "after_commit", lambda context, callback: callback())


def picture(size: tuple[int, int] = (64, 48), file_format: str = "PNG", color: str = "teal", **options: Any) -> bytes:
    """A picture with some detail."""
    image = Image.new("RGB", size, color)
    image.paste("white", (0, 0, size[0] // 2, size[1] // 3))
    image.paste("black", (size[0] // 2, size[1] // 2, size[0], size[1]))
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def animation(frames: int = 5, size: tuple[int, int] = (64, 48)) -> bytes:
    """An animated GIF."""
    images = [Image.new("RGB", size, (40 * number % 256, 0, 90)) for number in range(frames)]
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=50)
    return file.getvalue()


def form(content: bytes, *, name: str = "picture.png", description: str | None = None) -> tuple[bytes, str]:
    """A multipart/form-data body and its content type."""
    boundary = "a-boundary"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
    ]
    if description is not None:
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="description"\r\n\r\n{description}'.encode()
        )
    return b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def send(person: Person, content: bytes, **fields: Any) -> Any:
    """POSTs a file to /v1/media."""
    headers = {key: fields.pop(key) for key in ("Idempotency_Key",) if key in fields}
    body, content_type = form(content, **fields)
    return person.client.send_raw("POST", "/v1/media", body, content_type, **headers)


@pytest.fixture
def upload() -> Callable[..., dict[str, Any]]:
    """Uploads a file and processes it; returns its media object."""

    def make(person: Person, content: bytes | None = None, **fields: Any) -> dict[str, Any]:
        answer = send(person, picture() if content is None else content, **fields)
        assert answer.status_code == 202, answer.content
        process_waiting_media()
        read = person.client.get(f"/v1/media/{answer.json()['id']}")
        assert read.status_code == 200, read.content
        body: dict[str, Any] = read.json()
        return body

    return make


def path_of(url: str) -> str:
    """The path of one of our URLs."""
    return url.removeprefix("http://127.0.0.1:8000")


def is_served(client: JsonClient, url: str) -> bool:
    """Whether the URL returns a file; otherwise it must return 404."""
    answer = client.get(path_of(url))
    if answer.status_code == 200:
        answer.close()
        return True
    if answer.status_code == 302:
        assert httpx.get(answer["Location"]).status_code == 200
        return True
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    return False


def post_with(person: Person, *media: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Writes a post with these media."""
    answer = person.client.post("/v1/posts", {"content": "look", "media_ids": [item["id"] for item in media], **fields})
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def comment_with(person: Person, post: dict[str, Any], *media: dict[str, Any], **fields: Any) -> Any:
    """Comments on a post with these media; returns the response."""
    body = {"content": "look", "media_ids": [item["id"] for item in media], **fields}
    return person.client.post(f"/v1/posts/{post['id']}/comments", body)


def variants() -> tuple[bytes, bytes]:
    """A picture, and the same in another size and format."""
    image = Image.effect_noise((64, 48), 80).resize((1200, 900)).convert("RGB")
    first, second = io.BytesIO(), io.BytesIO()
    image.save(first, "PNG")
    image.resize((500, 375)).save(second, "JPEG", quality=70)
    return first.getvalue(), second.getvalue()
