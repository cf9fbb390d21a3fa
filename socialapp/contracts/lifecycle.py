"""What every context publishes when it has erased its part of a person."""

from dataclasses import field
from functools import cache

from socialapp.contracts.base import data, event
from socialapp.core.contexts import CONTEXTS


@data
class ContextErased:
    """The producing context has erased all it held about `user_id`, whose deletion has the id `erasure_id`.

    `rows`: how many rows it held when it began, by table; tables without any are left out.
    """

    user_id: int
    erasure_id: int
    rows: dict[str, int] = field(default_factory=dict)


@cache
def context_erased(context: str) -> type[ContextErased]:
    """The event `<context>.user_erased`: the same for each context, but published by that one."""
    name = f"{context.capitalize()}Erased"
    declared = type(name, (ContextErased,), {"__doc__": ContextErased.__doc__, "__module__": __name__})
    return event(f"{context}.user_erased", subject="user_id")(declared)


ERASED: tuple[type[ContextErased], ...] = tuple(map(context_erased, CONTEXTS))
