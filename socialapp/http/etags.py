"""ETags of single objects: `"<version>-<digest of the body>"`.

The digest makes `If-None-Match` of a read cover everything shown; writes compare only the version, which only edits
change, so that somebody else's reaction does not make an edit stale. Source: RFC 9110, sections 8.8.3 and 13.1.
"""

import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from django.utils.http import parse_etags, quote_etag
from rest_framework.request import Request
from rest_framework.response import Response

from socialapp.core.errors import Malformed, require_version
from socialapp.core.json import to_json

_OURS = re.compile(r'"([0-9]{1,9})-[0-9a-f]{16}"')
_TAG = r'(?:W/)?"[^"]*"'
_TAGS = re.compile(rf"[\s,]*{_TAG}(?:\s*,[\s,]*{_TAG})*[\s,]*")  # empty members are skipped: RFC 9110, section 5.6.1.2


def single(request: Request, *, body: Any, version: int, status: int = 200) -> Response:
    """Responds with one object and its ETag, or with 304 if the client has it already."""
    content = body if isinstance(body, bytes) else to_json(body)
    tag = tag_of(content, version=version)
    headers = {"ETag": tag}
    if request.method in ("GET", "HEAD"):
        expected = expected_versions(request)
        require_version(version, expected=expected, detail="it was changed meanwhile")
        if _matches(request.META.get("HTTP_IF_NONE_MATCH", ""), tag):
            return Response(None, status=304, headers=headers)
    return Response(content, status=status, headers=headers)


def tag_of(content: bytes, *, version: int) -> str:
    """The ETag of an object with this version and body."""
    return quote_etag(f"{version}-{hashlib.blake2b(content, digest_size=8).hexdigest()}")


def expected_versions(request: Request) -> Container[int] | None:
    """The versions that `If-Match` and, for writes, `If-None-Match` allow, to be checked by the action; None for any.

    Any listed tag may be the current one. The comparison of `If-Match` is strong: weak tags and foreign tags never
    match. Source: RFC 9110, sections 13.1.1 and 13.1.2.
    """
    listed = request.META.get("HTTP_IF_MATCH", "*").strip()
    if listed != "*" and not _TAGS.fullmatch(listed):
        raise Malformed("If-Match must be ETags, each in quotation marks, separated by commas", code="if_match_invalid")
    is_read = request.method in ("GET", "HEAD")
    refused = "" if is_read else request.META.get("HTTP_IF_NONE_MATCH", "").strip()
    if refused == "*":
        return frozenset()  # "only if there is none yet": there is one
    only = None if listed == "*" else _versions_in(listed)
    but = _versions_in(refused.replace("W/", ""))
    return _Allowed(only, but) if but else only


@dataclass(frozen=True, slots=True)
class _Allowed:
    """The versions of `only`, or any if that is None, except those of `but`."""

    only: frozenset[int] | None
    but: frozenset[int]

    def __contains__(self, version: object) -> bool:
        return (self.only is None or version in self.only) and version not in self.but


def _versions_in(tags: str) -> frozenset[int]:
    found = (_OURS.fullmatch(tag) for tag in parse_etags(tags))
    return frozenset(int(tag[1]) for tag in found if tag)


def _matches(header: str, tag: str) -> bool:
    """Whether `If-None-Match` contains this tag; weak and strong tags are not distinguished."""
    if header.strip() == "*":
        return True
    return tag in [sent.removeprefix("W/") for sent in parse_etags(header)]
