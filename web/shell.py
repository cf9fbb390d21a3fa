"""The HTML document that starts the client, and the headers that keep it safe."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from web.assets import APP, assets

LANGUAGES = tuple(sorted(file.stem for file in (APP / "i18n").glob("*.json")))
RIGHT_TO_LEFT = ("ar",)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the document says before any script runs: for search engines, link previews and people without scripts."""

    title: str = ""
    description: str = ""
    path: str = "/"
    template: str = ""
    context: dict[str, object] = field(default_factory=dict)
    first: tuple[str, ...] = ()  # paths of the API that the client asks for first, for a visitor
    is_plain: bool = False  # without navigation, like the log-in
    kind: str = "website"
    image: str = ""
    feed: str = ""  # the path of its RSS and Atom feeds, without the ending
    oembed: bool = False
    indexed: bool = True
    status: int = 200


def shell(request: HttpRequest, page: Page) -> HttpResponse:
    """The document with the page in it."""
    files = assets()
    language = language_of(request)
    response = render(
        request,
        "client/shell.html",
        {
            "page": page,
            "name": settings.INSTANCE_NAME,
            "public_url": settings.PUBLIC_URL,
            "language": language,
            "noscript": message(request, "noscript"),
            "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
            "root": files.root,
            "styles": files.styles,
            "boot": files.url("boot.js"),
            "messages": files.url(f"i18n/{language}.json"),
            "main": files.main,
            "preloads": files.preloads,
            "import_map": files.import_map,
        },
        status=page.status,
    )
    response["Content-Security-Policy"] = _policy(files.import_map)
    response["Cache-Control"] = "no-cache"
    patch_vary_headers(response, ["Accept-Language"])
    return response


def message(request: HttpRequest, key: str, **values: str) -> str:
    """A message of the client, without plurals, in the browser's language."""
    text = _messages(language_of(request))[key]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@cache
def _messages(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((APP / "i18n" / f"{language}.json").read_text())
    return found


def language_of(request: HttpRequest) -> str:
    """The first of the client's languages that the browser asks for; the client itself may choose another."""
    for part in request.headers.get("Accept-Language", "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return "en"


def _policy(import_map: str) -> str:
    """Content Security Policy: nothing inline but the import map, no script from elsewhere, no string made script."""
    map_hash = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    media = _origin(settings.MEDIA_URL)
    socket = settings.PUBLIC_URL.replace("http", "ws", 1)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{map_hash}'",
            "style-src 'self'",
            f"img-src 'self' blob: data: {media}",
            f"media-src 'self' blob: {media}",
            f"connect-src 'self' {socket} {media}",
            "font-src 'self'",
            "frame-src 'self'",  # the captcha
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types socialapp",
        )
    )


def _origin(url: str) -> str:
    """Where files are: addresses of media are absolute, below PUBLIC_URL unless MEDIA_URL names another place."""
    parts = urlsplit(urljoin(settings.PUBLIC_URL, url))
    return f"{parts.scheme}://{parts.netloc}"
