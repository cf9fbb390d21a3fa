"""Counts in slots: several rows that together hold one count, so that a popular thing has no single hot row."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils import timezone

from socialapp.core.sql import add


def slot_of(row_id: int, *, slots: int) -> int:
    """The slot that the row with this id is counted in. The lowest 16 bits of an id hardly vary: they are left out."""
    return (row_id >> 16) % slots


@dataclass(frozen=True, slots=True)
class SlottedCounts:
    """The counts in a table of rows with `count` and `updated_at`, unique by `key` and slot.

    `changed` is called, inside the transaction, with the keys (the slot last) that are counted again.
    """

    model: type[Model]
    key: tuple[str, ...]
    slots: int
    changed: Callable[[Collection[tuple[Any, ...]]], None]

    def add(self, additions: Mapping[tuple[Any, ...], int]) -> None:
        """Adds to counts, by (*key, slot). Needs the transaction that changes the rows counted."""
        numbers = {key: (number,) for key, number in additions.items()}
        add(self.model, additions=numbers, key=(*self.key, "slot"), numbers=("count",), updated_at=timezone.now())
        self.changed(additions)

    def recheck(self, key: tuple[Any, ...], *, actual: Callable[[], int], repair: bool) -> tuple[int, int] | None:
        """Compares a count with its rows while nobody can change either: (counted, actual), None when they are equal.

        `actual` counts the rows. Corrects the count if `repair`. Needs a transaction.
        """
        # With every slot there and locked, whoever changes a row has either finished or not counted it yet.
        self.add({(*key, slot): 0 for slot in range(self.slots)})
        rows = self.model._default_manager.select_for_update().filter(**dict(zip(self.key, key, strict=True)))
        slots: list[Any] = list(rows.order_by("slot"))
        counted, found = sum(row.count for row in slots), actual()
        if counted == found:
            return None
        if repair:
            slots[0].count += found - counted
            slots[0].save(update_fields=["count", "updated_at"])
        return counted, found
