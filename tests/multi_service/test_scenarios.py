"""The main job, unchanged, on one, three and nine services behind the gateway, with a database for each context."""

from collections.abc import Callable

import pytest

from tests.multi_service.cluster import SPLITS
from tests.scenarios import test_main_job
from tests.scenarios.product import Product

_MAIN_JOB = [scenario for name, scenario in vars(test_main_job).items() if name.startswith("test_")]


@pytest.mark.parametrize("services", SPLITS, indirect=True)
@pytest.mark.parametrize("scenario", _MAIN_JOB, ids=lambda scenario: scenario.__name__.removeprefix("test_"))
def test_the_main_job_passes(scenario: Callable[[Product], None], product: Product) -> None:
    scenario(product)
