"""The running product, started once for all scenarios. `SCENARIOS_ON=embedded` selects the embedded default."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.product import Product, own_services, start_product, stop_product


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Does nothing: scenarios share one product, whose Redis is emptied only explicitly."""


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product."""
    data_dir: Path = tmp_path_factory.mktemp("data")
    with own_services(embedded=os.environ.get("SCENARIOS_ON") == "embedded") as services:
        product = start_product(data_dir, services)
        try:
            yield product
        finally:
            stop_product(product)
