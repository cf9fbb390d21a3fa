"""Extracts the metadata of a web page (title, description and picture) for link previews.

Only the beginning of the page is read, with patterns that take linear time for any input. Sources: The Open Graph
protocol (ogp.me); HTML Living Standard 4.2.5, `meta`.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin

from socialapp.core.text.excerpts import shortened
from socialapp.core.text.visible import is_blank

MAX_TITLE, MAX_DESCRIPTION, MAX_SITE_NAME, MAX_URL = 200, 500, 100, 2000
_HEAD_BYTES = 256 * 1024
_META = re.compile(r"<meta\s([^<>]{1,4000})>", re.IGNORECASE)
_TITLE = re.compile(r"<title(?:\s[^<>]{0,200})?>([^<]{1,1000})", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""\b(property|name|content)\s{0,5}=\s{0,5}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)
# Encodings that pages never use, and whose decoding takes quadratic time.
_NOT_OF_PAGES = frozenset({"idna", "punycode"})
_HTML = re.compile(rb"\s*(?:<!--|<!doctype html|<html|<head|<meta|<title|\xef\xbb\xbf)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageSummary:
    """The metadata to show; `image_url` is absolute, or empty."""

    title: str
    description: str
    site_name: str
    image_url: str


def is_html(headers: Mapping[str, str], *, body: bytes) -> bool:
    """Whether a response is a web page, by its declared type and its beginning."""
    declared = headers.get("content-type", "").partition(";")[0].strip().lower()
    return declared in ("text/html", "application/xhtml+xml", "") and _HTML.match(body[:1024].lstrip()) is not None


def summarize(url: str, *, headers: Mapping[str, str], body: bytes) -> PageSummary | None:
    """The metadata of the page, or None if it is not a page or has no title."""
    if not is_html(headers, body=body):
        return None
    head = _decoded(headers, body[:_HEAD_BYTES])
    named: dict[str, str] = {}
    for meta in _META.finditer(head):
        attributes = {
            found[1].lower(): found[2] or found[3] or found[4] or "" for found in _ATTRIBUTE.finditer(meta[1])
        }
        name = attributes.get("property") or attributes.get("name") or ""
        named.setdefault(name.strip().lower(), attributes.get("content", ""))
    titled = _TITLE.search(head)
    title = named.get("og:title") or (titled[1] if titled else "")
    title = _clean(title, MAX_TITLE)
    if is_blank(title):
        return None
    image = unescape(named.get("og:image:secure_url") or named.get("og:image") or "").strip()
    return PageSummary(
        title=title,
        description=_clean(named.get("og:description") or named.get("description") or "", MAX_DESCRIPTION),
        site_name=_clean(named.get("og:site_name") or "", MAX_SITE_NAME),
        image_url=_joined(url, image),
    )


def _joined(url: str, image: str) -> str:
    if not image or len(image) > MAX_URL:
        return ""
    try:
        return urljoin(url, image)
    except ValueError:
        return ""


def _decoded(headers: Mapping[str, str], head: bytes) -> str:
    declared = _CHARSET.search(headers.get("content-type", "")) or _CHARSET.search(head[:1024].decode("latin-1"))
    try:
        encoding = codecs.lookup(declared[1] if declared else "utf-8").name
        return head.decode("utf-8" if encoding in _NOT_OF_PAGES else encoding, errors="replace")
    except (LookupError, ValueError):
        return head.decode("utf-8", errors="replace")


def _clean(text: str, length: int) -> str:
    return shortened(unescape(text[: 4 * length]), length=length)
