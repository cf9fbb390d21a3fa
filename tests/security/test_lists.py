"""A page emptied by deletions keeps its place: its links lead to the remaining items, and to nothing at a real end."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from django.utils import timezone

from apps.comments.models import Comment
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.http.pagination import decode_cursor, encode_cursor, name_of_list
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.query_budgets import dataset
from tests.query_budgets.listings import LISTS
from tests.security.routes import list_paths

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def rows(*ids: int) -> None:
    now = timezone.now()
    for number in ids:
        fixed = {"post_id": 1, "user_id": 1, "content": "x", "created_at": now, "updated_at": now}
        Comment.objects.create(id=number, score=number % 3, **fixed)


def shown(page: Page[Any]) -> list[int]:
    return [row.id for row in page.items]


@pytest.mark.parametrize("order", [("-id",), ("id",), ("-score", "-id")])
def test_after_deletions_both_links_of_every_page_lead_to_the_remaining_items(order: tuple[str, ...]) -> None:
    """For every page of three and every subset of deletions, following links both ways shows all remaining items."""
    ids = list(range(11, 17))
    for kept in range(2 ** len(ids)):
        Comment.objects.all().delete()
        rows(*ids)
        page = paginate(Comment.objects.all(), page=PageRequest(2), order=order)
        cursors = [page]
        while page.next is not None:
            page = paginate(Comment.objects.all(), page=PageRequest(2, page.next), order=order)
            cursors.append(page)
        Comment.objects.exclude(id__in=[one for bit, one in enumerate(ids) if kept >> bit & 1]).delete()
        left = [row.id for row in Comment.objects.order_by(*order)]
        for was in cursors:
            for position, backwards in ((was.next, False), (was.previous, True)):
                if position is not None:
                    start = PageRequest(2, position, backwards)
                    assert walked(start, order) == left, (order, kept, start)


def walked(start: PageRequest, order: tuple[str, ...]) -> list[int]:
    """All items that the links around a page lead to, in list order."""
    page = paginate(Comment.objects.all(), page=start, order=order)
    found = shown(page)
    on, back = page, page
    while on.next is not None:
        on = paginate(Comment.objects.all(), page=PageRequest(2, on.next), order=order)
        found += shown(on)
    while back.previous is not None:
        back = paginate(Comment.objects.all(), page=PageRequest(2, back.previous, backwards=True), order=order)
        found = shown(back) + found
    return found


def test_emptied_pages_of_every_list_keep_their_place(
    register: Callable[..., Person], drain: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page beyond the last item, or before the first, looks like a page that deletions have emptied."""
    monkeypatch.setattr(dataset, "CROWD", 4)
    people = dataset.build(register, drain)
    dataset.make_searchable()
    lost = []
    for path in list_paths():
        for way in LISTS[path]:
            client: JsonClient = getattr(people, way.by).client
            lost += _further_pages(client, way.ask(people)) if way.one_page else _lost_places(client, way.ask(people))
    assert not lost, "\n".join(lost)


def _further_pages(client: JsonClient, url: str) -> list[str]:
    """The errors of a list with one page only."""
    page = _page(client, f"{url}{'&' if '?' in url else '?'}limit=2")
    if len(page["results"]) != 2:
        return [f"{url}: needs two items, has {len(page['results'])}"]
    return [] if page["next"] is page["previous"] is None else [f"{url}: has one page and links to others"]


def _lost_places(client: JsonClient, url: str) -> list[str]:
    """The errors of the pages beyond both ends of a list that is read one by one."""
    joint = "&" if "?" in url else "?"
    first = page = _page(client, f"{url}{joint}limit=1")
    items = list(page["results"])
    while page["next"]:
        page = _page(client, page["next"])
        items += page["results"]
    if len(items) < 2:
        return [f"{url}: needs two items, has {len(items)}"]
    found = [f"{link} is accepted" for link in _forged(first["next"]) if client.get(link).status_code != 400]
    after = _page(client, _turned(page["previous"]))
    if after["results"] or after["next"] or not after["previous"]:
        found.append(f"{url}: emptied at its end it answers {after}")
    elif _page(client, after["previous"])["results"] != items[-1:]:
        found.append(f"{url}: emptied at its end it does not lead back to the last item")
    before = _page(client, _turned(first["next"]))
    if before["results"] or before["previous"] or not before["next"]:
        found.append(f"{url}: emptied at its beginning it answers {before}")
    elif _page(client, before["next"])["results"] != items[:1]:
        found.append(f"{url}: emptied at its beginning it does not lead back to the first item")
    return found


def _page(client: JsonClient, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    answer = client.get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 200, (url, answer.content)
    body: dict[str, Any] = answer.json()
    return body


def _turned(link: str) -> str:
    """The link in the other direction from the same position."""
    parts = urlsplit(link)
    [cursor] = parse_qs(parts.query)["cursor"]
    list_name = name_of_list(parts.path, query=QueryDict(parts.query))
    direction, *position = decode_cursor(cursor, list_name=list_name)
    return link.replace(cursor, encode_cursor(["n" if direction == "p" else "p", *position], list_name=list_name))


def _forged(link: str) -> list[str]:
    """Links whose cursor belongs to another list, or was modified."""
    parts = urlsplit(link)
    [cursor] = parse_qs(parts.query)["cursor"]
    other = "/v1/blocks" if parts.path == "/v1/explore" else "/v1/explore"
    swapped = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in (0, 14)]
    changed = [*swapped, cursor[:-1], cursor + "A", cursor + "!"]
    return [f"{other}?cursor={cursor}", *(f"{parts.path}?{parts.query.replace(cursor, wrong)}" for wrong in changed)]
