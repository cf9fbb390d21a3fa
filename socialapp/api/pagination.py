"""Cursor pagination: a cursor is a position in an order, so additions elsewhere never make a page skip or repeat.

Source: keyset pagination, https://use-the-index-luke.com/no-offset.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import orjson
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from socialapp.errors import Malformed
from socialapp.ids import MAX_ID

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_IDS = 100

M = TypeVar("M", bound=Model)
T = TypeVar("T")
Position = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted: up to `limit` items after `position` (before it when `backwards`); None is the start."""

    limit: int = DEFAULT_LIMIT
    position: Position | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in list order, and where the neighbouring pages start (None: there is none)."""

    items: Sequence[T]
    next: Position | None = None
    previous: Position | None = None


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


def paginate(queryset: QuerySet[M], page: PageRequest, *, order: tuple[str, ...] = ("-id",)) -> Page[M]:
    """One page of `queryset` by the fields of `order`, the last of which must be unique. One query."""
    rows = queryset
    if page.position is not None:
        rows = rows.filter(_beyond(order, page.position, backwards=page.backwards))
    fields = [_flip(name) for name in order] if page.backwards else list(order)
    found = list(rows.order_by(*fields)[: page.limit + 1])
    more = len(found) > page.limit
    found = found[: page.limit]
    if page.backwards:
        found.reverse()
    names = [name.lstrip("-") for name in order]
    return page_of(found, page, more=more, position=lambda row: tuple(getattr(row, name) for name in names))


def page_of(items: Sequence[T], page: PageRequest, *, more: bool, position: Callable[[T], Position]) -> Page[T]:
    """A page from items in list order, when `more` says whether there are further ones in the direction read."""
    if not items:
        return Page(items)
    first, last = position(items[0]), position(items[-1])
    if page.backwards:
        return Page(items, next=last, previous=first if more else None)
    return Page(items, next=last if more else None, previous=first if page.position is not None else None)


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


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: tuple[str, ...], position: Position, *, backwards: bool) -> Q:
    """The rows after `position`: (a, b) > (x, y) written out, as not every database uses an index for row values."""
    condition = Q()
    for index, name in enumerate(order):
        field = name.lstrip("-")
        descending = name.startswith("-") != backwards
        equal = {order[i].lstrip("-"): position[i] for i in range(index)}
        condition |= Q(**equal, **{f"{field}__{'lt' if descending else 'gt'}": position[index]})
    return condition


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
