"""Cursor pagination over HTTP: reads `?limit=` and `?cursor=`, and links to the neighboring pages.

A cursor is signed for its list, so that it cannot be forged or used with another.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus

import orjson
from django.conf import settings
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from socialapp.core.errors import Malformed
from socialapp.core.ids import MAX_ID
from socialapp.core.pages import DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest, Position

MAX_IDS = 100
_SIGNATURE_BYTES = 9
_MAX_CURSOR = 512
_OF_THE_PAGE = ("cursor", "limit")


def page_request(request: Request, *, kinds: tuple[type, ...] = (int,)) -> PageRequest:
    """The page requested by `?limit=` and `?cursor=`. `kinds` are the types of a position's parts.

    A limit over 100 is reduced to 100; one that is not a positive number, or an invalid cursor, is 400.
    """
    limit = DEFAULT_LIMIT
    if (sent := request.query_params.get("limit")) is not None:
        if not (sent.isascii() and sent.isdigit() and len(sent) <= 19 and int(sent) > 0):
            raise Malformed("limit must be a number from 1 to 100", code="limit_invalid")
        limit = min(int(sent), MAX_LIMIT)
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return PageRequest(limit)
    list_name = name_of_list(request.path_info, query=request.query_params)
    backwards, position = _position(decode_cursor(cursor, list_name=list_name), kinds)
    return PageRequest(limit, position, backwards)


def page_response(request: Request, *, page: Page[Any], results: Sequence[Any]) -> Response:
    """The list response for `page`, with the rendered `results` in place of its items."""
    return Response(
        {
            "results": results,
            "next": _link(request, page.next, backwards=False),
            "previous": _link(request, page.previous, backwards=True),
        }
    )


def ids_from_query(request: Request) -> list[int]:
    """The ids of `?ids=1,2`: up to 100 distinct ones in the given order; 400 for anything else."""
    parts = [part.strip() for part in request.query_params.get("ids", "").split(",") if part.strip()]
    if len(parts) > MAX_IDS:
        raise Malformed(f"at most {MAX_IDS} ids", code="ids_invalid")
    if not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in parts):
        raise Malformed("ids must be decimal numbers, separated by commas", code="ids_invalid")
    return [value for value in dict.fromkeys(map(int, parts)) if value <= MAX_ID]


def id_from_query(request: Request, *, name: str) -> int | None:
    """The id in `?name=`, None without it; 400 for anything else."""
    sent = request.query_params.get(name)
    if not sent:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 19 and int(sent) <= MAX_ID):
        raise Malformed(f"{name} must be an id", code=f"{name}_invalid")
    return int(sent)


def _link(request: Request, position: Position | None, *, backwards: bool) -> str | None:
    if position is None:
        return None
    encoded = _encoded(request.query_params)
    list_name = _name_of_list(request.path_info, encoded)
    encoded["cursor"] = f"cursor={encode_cursor(['p' if backwards else 'n', *position], list_name=list_name)}"
    return request.build_absolute_uri(f"{request.path}?{'&'.join(encoded.values())}")


def name_of_list(path: str, *, query: QueryDict) -> str:
    """The context that a cursor is signed for: the path, and all parameters except those that choose the page."""
    return _name_of_list(path, _encoded(query))


def _name_of_list(path: str, encoded: dict[str, str]) -> str:
    filters = [encoded[name] for name in sorted(encoded) if name not in _OF_THE_PAGE]
    return f"{path}?{'&'.join(filters)}" if filters else path


def _encoded(query: QueryDict) -> dict[str, str]:
    """Each parameter with all its values, as in a URL."""
    return {
        name: "&".join(f"{quote_plus(name)}={quote_plus(value)}" for value in values) for name, values in query.lists()
    }


def encode_cursor(parts: Sequence[int | str], *, list_name: str) -> str:
    """A direction and a position as a signed cursor."""
    content = orjson.dumps(parts)
    return base64.urlsafe_b64encode(_signature(content, list_name) + content).decode().rstrip("=")


def decode_cursor(cursor: str, *, list_name: str) -> Any:
    """The content of a cursor; 400 if it was not issued for this list."""
    refusal = Malformed("the cursor is invalid, or belongs to another list", code="cursor_invalid")
    if len(cursor) > _MAX_CURSOR:
        raise refusal
    try:
        decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise refusal from None
    signature, content = decoded[:_SIGNATURE_BYTES], decoded[_SIGNATURE_BYTES:]
    is_canonical = base64.urlsafe_b64encode(decoded).decode().rstrip("=") == cursor
    if not is_canonical or not hmac.compare_digest(signature, _signature(content, list_name)):
        raise refusal
    return orjson.loads(content)


def _signature(content: bytes, list_name: str) -> bytes:
    text = b"cursor\n" + list_name.encode() + b"\n" + content
    return hmac.digest(settings.SECRET_KEY.encode(), text, "sha256")[:_SIGNATURE_BYTES]


def _position(parts: Any, kinds: tuple[type, ...]) -> tuple[bool, Position]:
    """Direction and position, with the types that the list has now: an older release may have had others."""
    is_valid = isinstance(parts, list) and len(parts) == len(kinds) + 1 and parts[0] in ("n", "p")
    if not is_valid or any(type(part) is not kind for part, kind in zip(parts[1:], kinds, strict=True)):
        raise Malformed("the cursor is invalid", code="cursor_invalid")
    return parts[0] == "p", tuple(parts[1:])
