"""Fixtures of the split product: a cluster of each kind, started once for all tests."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.deploy.otlp import Collector, collecting
from tests.multi_service.cluster import Cluster, cluster
from tests.scenarios.product import Product, own_services

DEADLINE = 4.0  # the deadline of calls between services; a busy machine may respond slowly


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """The services under test keep their queues in Redis: it is not emptied between tests."""


@pytest.fixture(scope="package")
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The services of one of `SPLITS`, which a test selects by parametrizing this fixture; three of them are traced."""
    with ExitStack() as stack:
        variables = {**stack.enter_context(own_services()), "CALL_TIMEOUT": str(DEADLINE)}
        if request.param == "split3":
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = request.getfixturevalue("collector").url
        yield stack.enter_context(cluster(request.param, tmp_path_factory.mktemp("split"), variables))


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """Receives the traces of the three services."""
    with collecting() as made:
        yield made


@pytest.fixture(scope="package")
def product(services: Cluster) -> Product:
    """The services as clients see them."""
    return services.product()
