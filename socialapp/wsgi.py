"""The WSGI application of the `web` role: all of REST, the admin site and the static files of both."""

import os
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")

_UPLOAD = re.compile(r"/v1/media(/[0-9]+/content)?/*")  # the routes for which the gateways allow larger bodies
_PIECE = 65_536
_MOST_UNWANTED = 64 * 1024 * 1024

_BUSY = (
    b'{"type": "urn:socialapp:problem:busy", "title": "Service unavailable", "status": 503,'
    b' "detail": "too many uploads at once; try again in a moment", "code": "busy", "errors": []}'
)
_large_bodies = BoundedSemaphore(max(1, int(os.environ.get("WEB_THREADS", "4")) // 2))

_django = get_wsgi_application()


def _with_length(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Gives a chunked body a length, without which Django takes it for empty; one byte too many is enough for a 413."""
    from django.conf import settings

    sent = environ["wsgi.input"]
    if is_chunked := "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        body = sent.read(settings.MAX_BODY_BYTES + 1)
        environ.update({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    answer = _django(environ, start_response)
    if is_chunked or (environ.get("CONTENT_LENGTH") or "0") != "0":
        _discard_body(sent)
    return answer


def _with_room(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Limits how many large bodies are received at once: they may come slowly, and each occupies a thread. The others
    wait.

    Smaller bodies are buffered completely by the gateway, which then sends their length.
    """
    from django.conf import settings

    is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    is_upload = _UPLOAD.fullmatch(environ.get("PATH_INFO", "")) is not None
    buffered = settings.BUFFERED_UPLOAD_BYTES if is_upload else settings.BUFFERED_BODY_BYTES
    if not is_chunked and _length(environ) <= buffered:
        return _with_length(environ, start_response)
    if not _large_bodies.acquire(blocking=False):
        start_response("503 Service Unavailable", [("Content-Type", "application/problem+json"), ("Retry-After", "2")])
        return [_BUSY]
    try:
        return _with_length(environ, start_response)
    finally:
        _large_bodies.release()


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
