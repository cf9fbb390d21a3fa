"""The event by which every context reports that it has erased its data of a person."""

from dataclasses import field
from functools import cache

from socialapp.contracts.base import data, event
from socialapp.core.contexts import CONTEXTS


@data
class ContextErased:
    """The producer has erased everything it held about `user_id`, in the erasure `erasure_id`.

    `rows`: how many rows it held at the beginning, by table; tables without any are omitted.
    """

    user_id: int
    erasure_id: int
    rows: dict[str, int] = field(default_factory=dict)


@cache
def context_erased(context: str) -> type[ContextErased]:
    """The event class `<context>.user_erased`: the same for each context, but with its own producer."""
    name = f"{context.capitalize()}Erased"
    declared = type(name, (ContextErased,), {"__doc__": ContextErased.__doc__, "__module__": __name__})
    return event(f"{context}.user_erased", subject="user_id")(declared)


ERASED: tuple[type[ContextErased], ...] = tuple(map(context_erased, CONTEXTS))
