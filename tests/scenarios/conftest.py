"""The started product, once for all scenarios of a run. `SCENARIOS_ON=embedded` chooses the embedded default."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.product import Product, own_services, start_product, stop_product


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Scenarios share one product: its Redis is emptied only where a scenario says so."""


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
