"""How much these tests do: a little in every run, and the full sizes with FAULTS=full in the environment."""

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
FULL = os.environ.get("FAULTS") == "full"


def size(usual: T, full: T) -> T:
    """The small or the full size."""
    return full if FULL else usual


# For waits without a promised time: only a failing test waits that long.
SETTLE_SECONDS = size(240, 900)

# For a fault that resembles one that every run tests.
ONLY_FULL = pytest.mark.skipif(not FULL, reason="slow, and similar to the others: needs FAULTS=full")
