"""Keyset pagination: a page starts at a position in an order, so rows added elsewhere never make it skip or repeat any.

Source: keyset pagination, https://use-the-index-luke.com/no-offset.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

M = TypeVar("M", bound=Model)
T = TypeVar("T")
Position = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The wanted page: up to `limit` items after `position` (before it if `backwards`); None is the start."""

    limit: int = DEFAULT_LIMIT
    position: Position | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in list order, and the positions of the neighboring pages (None: there is no such page)."""

    items: Sequence[T]
    next: Position | None = None
    previous: Position | None = None


def paginate(queryset: QuerySet[M], *, page: PageRequest, order: tuple[str, ...] = ("-id",)) -> Page[M]:
    """One page of `queryset`, ordered by `order`, whose last field must be unique and an integer.

    One query, and one more for a page whose rows have all been deleted.
    """
    is_ascending = not order[-1].startswith("-")
    return keep_place(page, read=lambda request: _read_page(queryset, request, order), ascending=is_ascending)


def _read_page(queryset: QuerySet[M], page: PageRequest, order: tuple[str, ...]) -> Page[M]:
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
    return page_of(found, page=page, more=more, position=lambda row: tuple(getattr(row, name) for name in names))


def keep_place(page: PageRequest, *, read: Callable[[PageRequest], Page[T]], ascending: bool = False) -> Page[T]:
    """The page that `read` finds. If deletions have emptied it, it links back to earlier items, if `read` finds any.

    A link leads to what lies beyond a position. The item at the position of an empty page was on the page before it, so
    the link back starts one further. The last part of a position must be an integer, descending unless `ascending`.
    """
    found = read(page)
    if found.items or page.position is None:
        return found
    *first, last = page.position
    position = (*first, int(last) - 1 if ascending == page.backwards else int(last) + 1)
    other = read(PageRequest(1, position, not page.backwards))
    is_left = bool(other.items) or (other.next if page.backwards else other.previous) is not None
    back = position if is_left else None
    return Page([], next=back, previous=found.previous) if page.backwards else Page([], found.next, back)


def page_of(items: Sequence[T], *, page: PageRequest, more: bool, position: Callable[[T], Position]) -> Page[T]:
    """A page of items in list order; `more` tells whether there are further ones in the direction of reading."""
    if not items:
        return Page(items)
    first, last = position(items[0]), position(items[-1])
    if page.backwards:
        return Page(items, next=last, previous=first if more else None)
    return Page(items, next=last if more else None, previous=first if page.position is not None else None)


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
