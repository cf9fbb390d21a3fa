"""The client's files as browsers get them: hashed, compressed, under an address that changes with their content."""

import base64
import gzip
import hashlib
import json
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.conf import settings

from web.bundle import LATER, LIBRARIES, NOW, START, bundles, imports_of

APP = Path(__file__).parent / "app"
_COMPRESSIBLE = {".js", ".css", ".json", ".svg", ".html"}
_STYLES = ("tokens", "base", "layout", "controls", "content", "views", "print")


@dataclass(frozen=True)
class Asset:
    """One file."""

    path: str
    content: bytes

    @cached_property
    def integrity(self) -> str:
        """What browsers check it against. Source: W3C Subresource Integrity."""
        return f"sha384-{base64.b64encode(hashlib.sha384(self.content).digest()).decode()}"

    @cached_property
    def compressed(self) -> bytes | None:
        """With gzip; None for what is compressed already."""
        return gzip.compress(self.content, 9, mtime=0) if Path(self.path).suffix in _COMPRESSIBLE else None

    @property
    def content_type(self) -> str:
        """By its name."""
        if self.path.endswith(".js"):
            return "text/javascript; charset=utf-8"
        return mimetypes.guess_type(self.path)[0] or "application/octet-stream"


class Assets:
    """All files of `web/app`, as they were when this was made."""

    def __init__(self, folder: Path = APP) -> None:
        self._assets = {asset.path: asset for asset in _read(folder)}
        digest = hashlib.sha256()
        for path in sorted(self._assets):
            digest.update(path.encode() + b"\0" + hashlib.sha256(self._assets[path].content).digest())
        self.version = digest.hexdigest()[:12]
        self.root = f"{settings.STATIC_URL}client/{self.version}/"

    def get(self, path: str) -> Asset | None:
        """The file at a path below `web/app`."""
        return self._assets.get(path)

    def url(self, path: str) -> str:
        """Where browsers find it; it never changes there."""
        return self.root + path

    @cached_property
    def styles(self) -> str:
        """The style sheet: one file."""
        return self.url("styles/all.css")

    @property
    def main(self) -> str:
        """The script that starts the client: the bundle, or with `DEBUG` the module, which imports the others."""
        return self.url(START if settings.DEBUG else NOW)

    @cached_property
    def preloads(self) -> list[tuple[str, str]]:
        """URL and integrity of what the first page needs, so that nothing waits for another's imports."""
        paths = self._reachable(START) if settings.DEBUG else [NOW]
        return [(self.url(path), self._assets[path].integrity) for path in paths]

    @cached_property
    def import_map(self) -> str:
        """JSON: what every script is checked against, and with `DEBUG` where the libraries are."""
        scripts = [path for path in self._assets if path.endswith(".js")] if settings.DEBUG else [NOW, LATER]
        libraries = LIBRARIES if settings.DEBUG else {}
        return json.dumps(
            {
                "imports": {name: self.url(path) for name, path in libraries.items()},
                "integrity": {self.url(path): self._assets[path].integrity for path in sorted(scripts)},
            },
            separators=(",", ":"),
        )

    def _reachable(self, start: str) -> list[str]:
        found: dict[str, None] = {}
        pending = [start]
        while pending:
            path = pending.pop()
            if path not in found:
                found[path] = None
                pending.extend(imports_of(path, self._assets[path].content.decode()))
        return list(found)


def _read(folder: Path) -> Iterator[Asset]:
    modules = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in _COMPRESSIBLE | {".png"}:
            asset = Asset(file.relative_to(folder).as_posix(), file.read_bytes())
            if file.suffix == ".js":
                modules[asset.path] = asset.content.decode()
            yield asset
    for path, text in bundles(modules).items():
        yield Asset(path, text.encode())
    sheets = [(folder / "styles" / f"{name}.css").read_bytes() for name in _STYLES]
    yield Asset("styles/all.css", b"\n".join(sheets))


_cached: list[Assets] = []


def assets() -> Assets:
    """The files; read once, with `DEBUG` each time."""
    if settings.DEBUG or not _cached:
        _cached[:] = [Assets()]
    return _cached[0]
