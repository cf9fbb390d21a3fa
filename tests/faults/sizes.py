"""How much these tests do: something with every run, and with FAULTS=full in the environment the full sizes."""

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
FULL = os.environ.get("FAULTS") == "full"


def size(usual: T, full: T) -> T:
    """One of the two."""
    return full if FULL else usual


# For what no time is promised: only a test that fails waits so long.
SETTLE_SECONDS = size(240, 900)

# For a fault that is much like another one that is always tried.
ONLY_FULL = pytest.mark.skipif(not FULL, reason="takes its time, and is much like the others: FAULTS=full")
