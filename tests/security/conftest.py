"""One installation for all tests of this folder that attack a real `./run`: starting it is the slowest part."""

from collections.abc import Iterator

import pytest

from tests.run.installation import Installation, started


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A `./run` with its gateway."""
    with started(tmp_path_factory.mktemp("attacked"), RATE_LIMITS="off") as running:
        yield running
