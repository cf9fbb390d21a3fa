"""What the tests of the split product share."""

import pytest


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """The services under test keep their queues in Redis: it is not emptied between tests."""
