"""`./run` with a bucket: direct uploads, redirects, and a worker that is killed during a conversion."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from tests.media.stores import Bucket
from tests.scenarios.product import Member, Product, eventually, start_product, stop_product


@pytest.fixture(autouse=True)
def store() -> None:
    """Does nothing: the product has its own fixture."""


@pytest.fixture
def bucket(s3: str) -> Bucket:
    return Bucket(s3, lambda store: None)


@pytest.fixture
def product(bucket: Bucket, tmp_path: Path) -> Iterator[Product]:
    started = start_product(tmp_path, {"MEDIA_STORE_URL": bucket.url})
    yield started
    stop_product(started)


def noise(size: tuple[int, int]) -> bytes:
    """A picture that takes some time to convert."""
    file = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, "JPEG", quality=80)
    return file.getvalue()


def upload(member: Member, content: bytes) -> str:
    """Uploads directly to the bucket; returns the id of the media."""
    asked = {"content_type": "image/jpeg", "size": len(content)}
    begun = member.post("/v1/media/uploads", asked).json()
    assert httpx.put(begun["url"], content=content, headers=begun["headers"]).status_code == 200
    assert member.post(f"/v1/media/{begun['id']}/complete").status_code == 202
    return str(begun["id"])


def kill_worker(product: Product) -> bool:
    """Kills the worker that is converting and its conversion; returns whether there was one."""
    for process in psutil.Process(product.process.pid).children(recursive=True):
        try:
            if "socialapp.core.media.convert" in process.cmdline():
                worker = process.parent()
                assert worker is not None
                worker.kill()
                with suppress(psutil.NoSuchProcess):  # it ends with the worker
                    process.kill()
                return True
        except psutil.NoSuchProcess:
            continue
    return False


def end_claim(product: Product, media_id: str) -> None:
    """Expires the claim of a killed worker, which would otherwise take up to a minute."""
    with closing(sqlite3.connect(f"{product.environment['DATA_DIR']}/db/posts.sqlite3", timeout=30)) as posts:
        [claimed_until] = posts.execute("SELECT claimed_until FROM media WHERE id = ?", [int(media_id)]).fetchone()
        left = datetime.fromisoformat(claimed_until).replace(tzinfo=UTC) - datetime.now(UTC)
        assert timedelta(0) < left <= timedelta(seconds=60), "no other worker may claim it before"
        posts.execute("UPDATE media SET claimed_until = '2000-01-01 00:00:00' WHERE id = ?", [int(media_id)])
        posts.commit()


def test_a_killed_worker_loses_and_duplicates_nothing(product: Product, bucket: Bucket) -> None:
    ada, bob = product.join("ada"), product.join("bob")
    media_id = upload(ada, noise((5000, 4000)))
    assert eventually(lambda: kill_worker(product))
    assert ada.get(f"/v1/media/{media_id}").json()["status"] == "processing"
    assert bucket.names() == [f"uploads/{media_id}"]
    end_claim(product, media_id)
    eventually(lambda: ada.get(f"/v1/media/{media_id}").json()["status"] == "ready", seconds=240)
    assert eventually(lambda: {name.partition("/")[0] for name in bucket.names()} == {"files"})
    assert len(bucket.names()) == 3

    post = ada.write("noise", media_ids=[media_id], is_private=True)
    url = post["media"][0]["url"]
    assert bob.get(f"/v1/posts/{post['id']}").status_code == 404
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["Cache-Control"][:16]) == (302, "private, max-age")
    served = httpx.get(answer.headers["Location"])
    assert (served.status_code, served.headers["Content-Type"], served.content[8:12]) == (200, "image/webp", b"WEBP")
    assert httpx.get(url.partition("?")[0]).status_code == 404
    assert ada.delete(f"/v1/posts/{post['id']}").status_code == 204
    assert httpx.get(url).status_code == 404
