"""Counts in slots: several rows that together hold one count, so that a popular object has no single hot row."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils import timezone

from socialapp.core.sql import add


def slot_of(row_id: int, *, slots: int) -> int:
    """The slot that counts the row with this id. The lowest 16 bits of ids hardly vary, so they are ignored."""
    return (row_id >> 16) % slots


@dataclass(frozen=True, slots=True)
class SlottedCounts:
    """The counts in a table of rows with `count` and `updated_at`, unique by `key` and slot.

    `changed` is called inside the transaction, with the keys (the slot last) that were recounted.
    """

    model: type[Model]
    key: tuple[str, ...]
    slots: int
    changed: Callable[[Collection[tuple[Any, ...]]], None]

    def add(self, additions: Mapping[tuple[Any, ...], int]) -> None:
        """Adds to counts, by (*key, slot). Needs the transaction that changes the counted rows."""
        numbers = {key: (number,) for key, number in additions.items()}
        add(self.model, additions=numbers, key=(*self.key, "slot"), numbers=("count",), updated_at=timezone.now())
        self.changed(additions)

    def recheck(self, key: tuple[Any, ...], *, actual: Callable[[], int], repair: bool) -> tuple[int, int] | None:
        """Compares a count with its rows while neither can change: (counted, actual), or None if they are equal.

        `actual` counts the rows. Corrects the count if `repair`. Needs a transaction.
        """
        # Once every slot exists and is locked, a transaction that changes a row has either finished or not counted it
        # yet.
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
