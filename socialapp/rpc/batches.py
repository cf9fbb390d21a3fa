"""Splits long lists of arguments, so that each call asks for a bounded number."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T", int, str)

MAX_ARGUMENTS = 100


def in_batches(values: Iterable[T]) -> Iterator[list[T]]:
    """The distinct values in order, in lists of up to MAX_ARGUMENTS."""
    distinct = sorted(set(values))
    for start in range(0, len(distinct), MAX_ARGUMENTS):
        yield distinct[start : start + MAX_ARGUMENTS]
