"""The WSGI application of the `web` role: all of REST, the admin site and the static files of both."""

import os
import re
from collections.abc import Iterable
from io import SEEK_END
from pathlib import Path
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import IO, Any

from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise

from socialapp.core.errors import Unavailable, store_unavailable
from socialapp.core.json import to_json

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")

_UPLOAD = re.compile(r"/v1/media(/[0-9]+/content)?/*")  # the routes for which the gateways allow larger bodies
_PIECE = 65_536
_MOST_IN_MEMORY = 1_048_576  # of a chunked body; the rest goes to a temporary file
_MOST_UNWANTED = 64 * 1024 * 1024

_large_bodies = BoundedSemaphore(max(1, int(os.environ.get("WEB_THREADS", "4")) // 2))

_django = get_wsgi_application()


def _with_length(environ: dict[str, Any], start_response: Any, *, start: bytes = b"") -> Iterable[bytes]:
    """Gives a chunked body a length, without which Django takes it for empty. `start` is what has been read of it."""
    sent = environ["wsgi.input"]
    if is_chunked := _is_chunked(environ):
        try:
            body = _received(sent, start=start, most=_most_bytes(environ) + 1)  # one too many is enough for a 413
        except OSError:  # the disk is full
            _discard_body(sent)
            return _unavailable(start_response, store_unavailable())
        environ.update({"wsgi.input": body, "CONTENT_LENGTH": str(body.seek(0, SEEK_END))})
        body.seek(0)
    answer = _django(environ, start_response)
    if is_chunked or (environ.get("CONTENT_LENGTH") or "0") != "0":
        _discard_body(sent)
    return answer


def _received(sent: Any, *, start: bytes, most: int) -> IO[bytes]:
    """At most this much of the body, in a temporary file if it is large."""
    body = SpooledTemporaryFile(max_size=_MOST_IN_MEMORY)  # noqa: SIM115  (deleted with the request)
    body.write(start)
    while (missing := most - body.tell()) > 0 and (piece := sent.read(min(_PIECE, missing))):
        body.write(piece)
    return body


def _with_room(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Limits how many large bodies are received at once: they may come slowly, and each occupies a thread. The others
    wait.

    Smaller bodies are buffered completely by the gateway. It sends their length, or passes them on in chunks if they
    came so; then what it has buffered is read at once, and shows whether there is more.
    """
    from django.conf import settings

    buffered = settings.BUFFERED_UPLOAD_BYTES if _is_upload(environ) else settings.BUFFERED_BODY_BYTES
    start = environ["wsgi.input"].read(buffered) if _is_chunked(environ) else b""
    if len(start) < buffered and _length(environ) <= buffered:
        return _with_length(environ, start_response, start=start)
    if not _large_bodies.acquire(blocking=False):
        busy = Unavailable("too many uploads at once; try again in a moment", code="busy")
        return _unavailable(start_response, busy)
    try:
        return _with_length(environ, start_response, start=start)
    finally:
        _large_bodies.release()


def _unavailable(start_response: Any, problem: Unavailable) -> Iterable[bytes]:
    from socialapp.http.problems import problem_body

    start_response("503 Service Unavailable", [("Content-Type", "application/problem+json"), ("Retry-After", "2")])
    return [to_json(problem_body(problem))]


def _is_upload(environ: dict[str, Any]) -> bool:
    return _UPLOAD.fullmatch(environ.get("PATH_INFO", "")) is not None


def _most_bytes(environ: dict[str, Any]) -> int:
    from django.conf import settings

    return int(settings.MEDIA_MAX_UPLOAD_BYTES if _is_upload(environ) else settings.MAX_BODY_BYTES)


def _is_chunked(environ: dict[str, Any]) -> bool:
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()


def _length(environ: dict[str, Any]) -> int:
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _discard_body(sent: Any) -> None:
    """Reads the rest of a rejected body, as with a 401: a gateway that cannot send all of it drops the response too."""
    for _ in range(_MOST_UNWANTED // _PIECE):
        if not sent.read(_PIECE):
            return


def _with_static_files(noise: WhiteNoise) -> WhiteNoise:
    """Serves every app's static files from where they are installed, so there is no need for collectstatic."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    for finder in get_finders():
        for storage in getattr(finder, "storages", {}).values():
            if Path(storage.location).is_dir():
                prefix = "/".join(filter(None, (settings.STATIC_URL.strip("/"), getattr(storage, "prefix", ""))))
                noise.add_files(storage.location, prefix=f"{prefix}/")  # type: ignore[no-untyped-call]
    return noise


def _browser_policy(headers: Any, path: str, url: str) -> None:
    from socialapp.http.headers import DATA_POLICY

    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = DATA_POLICY


def _application() -> Any:
    from socialapp.http.fast_path import WithFastPath

    return WithFastPath(_with_static_files(WhiteNoise(_with_room, add_headers_function=_browser_policy)))


application = _application()
