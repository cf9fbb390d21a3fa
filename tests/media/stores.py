"""The stores for the tests of media: a folder, and a bucket of a real S3 server."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config

from socialapp.settings import media_store
from tests.scenarios.product import free_port

ROOT = Path(__file__).resolve().parents[2]


class Store(Protocol):
    """Direct access to a store, bypassing the product."""

    def names(self) -> list[str]:
        """The names of all files."""

    def put(self, name: str, content: bytes = b"left behind") -> None:
        """Writes a file."""

    def remove(self, name: str) -> None:
        """Deletes a file."""

    def down(self) -> Any:
        """A context in which the store is down."""


class Folder:
    """Files in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def put(self, name: str, content: bytes = b"left behind") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    @contextmanager
    def down(self) -> Iterator[None]:
        kept = self.root.with_name("kept")
        self.root.mkdir(exist_ok=True)
        self.root.rename(kept)
        self.root.write_text("in the way")
        yield
        self.root.unlink()
        kept.rename(self.root)


class Bucket:
    """A new, empty bucket."""

    def __init__(self, server: str, use: Callable[[dict[str, Any]], None]) -> None:
        self._server, self._use = server, use
        self._name = f"media-{secrets.token_hex(4)}"
        self.url = f"s3://testkey:testsecret@{server}/{self._name}?region=us-east-1&tls=off"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=f"http://{server}",
            aws_access_key_id="testkey",
            aws_secret_access_key="testsecret",
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        self.client.create_bucket(Bucket=self._name)
        use(media_store(self.url))

    def names(self) -> list[str]:
        return sorted(item["Key"] for item in self.client.list_objects_v2(Bucket=self._name).get("Contents", []))

    def put(self, name: str, content: bytes = b"left behind") -> None:
        self.client.put_object(Bucket=self._name, Key=name, Body=content)

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self._name, Key=name)

    @contextmanager
    def down(self) -> Iterator[None]:
        self._use(media_store(self.url.replace(self._server, f"127.0.0.1:{free_port()}")))
        yield
        self._use(media_store(self.url))


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Host and port of a running S3 server: that of S3_URL, or one started for these tests."""
    if given := os.environ.get("S3_URL"):
        yield given
        return
    port = free_port()
    scripts = ROOT / "tests" / "services" / "s3"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # the server is installed with the tests' requirements
    environment = {**os.environ, "PATH": path, "S3_DIR": str(folder), "S3_PORT": str(port)}
    subprocess.run([scripts / "start"], env=environment, check=True, capture_output=True)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run([scripts / "stop"], env=environment, check=True, capture_output=True)
