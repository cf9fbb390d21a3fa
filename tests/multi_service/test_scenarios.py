"""The main job, unchanged, on three services behind the gateway, and a part of it on nine.

On nine, the other modules of this folder cover nearly all of it; on one service, tests/gateway/test_real.py does.
"""

from collections.abc import Callable

import pytest

from tests.scenarios import test_main_job
from tests.scenarios.product import Product

_MAIN_JOB = [scenario for name, scenario in vars(test_main_job).items() if name.startswith("test_")]


@pytest.mark.parametrize("services", ["split3"], indirect=True)
@pytest.mark.parametrize("scenario", _MAIN_JOB, ids=lambda scenario: scenario.__name__.removeprefix("test_"))
def test_the_main_job_passes_on_three_services(scenario: Callable[[Product], None], product: Product) -> None:
    scenario(product)


@pytest.mark.parametrize("services", ["split9"], indirect=True)
def test_a_post_reaches_followers_over_nine_services(product: Product) -> None:
    test_main_job.test_a_post_appears_in_followers_feeds_and_sockets(product)
