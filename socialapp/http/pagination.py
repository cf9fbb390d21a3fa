"""Cursor pagination over HTTP: reads `?limit=` and `?cursor=`, and links to the neighbouring pages."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from rest_framework.request import Request
from rest_framework.response import Response

from socialapp.core.errors import Malformed
from socialapp.core.ids import MAX_ID
from socialapp.core.pages import DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest, Position

MAX_IDS = 100


def page_request(request: Request, *, kinds: tuple[type, ...] = (int,)) -> PageRequest:
    """The page that `?limit=` and `?cursor=` ask for. `kinds` are the types of a position's parts.

    A limit over 100 is cut to 100; one that is not a positive number, or a cursor that is not ours, is 400.
    """
    limit = DEFAULT_LIMIT
    if (sent := request.query_params.get("limit")) is not None:
        if not (sent.isascii() and sent.isdigit() and len(sent) <= 19 and int(sent) > 0):
            raise Malformed("limit must be a number from 1 to 100", code="limit_invalid")
        limit = min(int(sent), MAX_LIMIT)
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return PageRequest(limit)
    backwards, position = _decode(cursor, kinds)
    return PageRequest(limit, position, backwards)


def page_response(request: Request, page: Page[Any], results: Sequence[Any]) -> Response:
    """The list answer for `page`, with the rendered `results` in place of its items."""
    return Response(
        {
            "results": results,
            "next": _link(request, page.next, backwards=False),
            "previous": _link(request, page.previous, backwards=True),
        }
    )


def ids_from_query(request: Request) -> list[int]:
    """The ids of `?ids=1,2`: up to 100 distinct ones in the order given; 400 for anything else."""
    parts = [part.strip() for part in request.query_params.get("ids", "").split(",") if part.strip()]
    if len(parts) > MAX_IDS:
        raise Malformed(f"at most {MAX_IDS} ids", code="ids_invalid")
    if not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in parts):
        raise Malformed("ids must be decimal numbers, separated by commas", code="ids_invalid")
    return [value for value in dict.fromkeys(map(int, parts)) if value <= MAX_ID]


def id_from_query(request: Request, *, name: str) -> int | None:
    """The one id of `?name=`, None without it; 400 for anything else."""
    sent = request.query_params.get(name)
    if not sent:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 19 and int(sent) <= MAX_ID):
        raise Malformed(f"{name} must be an id", code=f"{name}_invalid")
    return int(sent)


def _link(request: Request, position: Position | None, *, backwards: bool) -> str | None:
    if position is None:
        return None
    query = request.query_params.copy()
    query["cursor"] = _encode(position, backwards=backwards)
    return request.build_absolute_uri(f"{request.path}?{urlencode(query, doseq=True)}")


def _encode(position: Position, *, backwards: bool) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(["p" if backwards else "n", *position])).decode().rstrip("=")


def _decode(cursor: str, kinds: tuple[type, ...]) -> tuple[bool, Position]:
    refusal = Malformed("the cursor is not one of ours", code="cursor_invalid")
    if len(cursor) > 512:
        raise refusal
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise refusal from None
    if not isinstance(parts, list) or len(parts) != len(kinds) + 1 or parts[0] not in ("n", "p"):
        raise refusal
    for part, kind in zip(parts[1:], kinds, strict=True):
        if type(part) is not kind or (isinstance(part, int) and not -MAX_ID <= part <= MAX_ID):
            raise refusal
    return parts[0] == "p", tuple(parts[1:])
