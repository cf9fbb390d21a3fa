"""The started product, once for all scenarios of a run.

`SCENARIOS_ON=embedded` chooses the embedded default; `split1`, `split3` and `split9` that many services behind the
gateway.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from socialapp.contexts import CONTEXTS
from tests.scenarios.product import Product, drop_queues, start_product, stop_product
from tests.split.cluster import SPLITS, cluster


def _services() -> dict[str, str]:
    """The environment that names the services, with databases, keys and queues of this run's own."""
    if os.environ.get("SCENARIOS_ON") == "embedded" or "mysql" not in os.environ.get("DATABASE_URL", ""):
        return {}
    run = f"scn_{secrets.token_hex(3)}"
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    services = {
        name: os.environ[name] for name in ("REDIS_URL", "BROKER_URL", "ELASTICSEARCH_URL") if os.environ.get(name)
    }
    return {
        **services,
        "DATABASE_URL": f"{base}/{run}_{{context}}",
        "REDIS_PREFIX": f"{run}:",
        "QUEUE_PREFIX": f"{run}.",
        "ELASTICSEARCH_PREFIX": run,
    }


def _on_server(template: str, statement: str) -> None:
    import environ
    import MySQLdb

    url = environ.Env.db_url_config(template.replace("{context}", "x"))
    server = MySQLdb.connect(
        host=url["HOST"], port=int(url["PORT"] or 3306), user=url["USER"], password=url["PASSWORD"]
    )
    run = str(url["NAME"]).removesuffix("_x")
    with server.cursor() as cursor:
        for context in CONTEXTS:
            cursor.execute(statement.format(name=f"{run}_{context}"))
    server.close()


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Scenarios share one product: its Redis is emptied only where a scenario says so."""


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The running product."""
    services = _services()
    data_dir: Path = tmp_path_factory.mktemp("data")
    if services:
        _on_server(services["DATABASE_URL"], "CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    split = os.environ.get("SCENARIOS_ON", "")
    if split in SPLITS:
        with cluster(split, data_dir, services) as started:
            yield started.product()
    else:
        product = start_product(data_dir, services)
        yield product
        stop_product(product)
    if services:
        _on_server(services["DATABASE_URL"], "DROP DATABASE `{name}`")
        drop_queues(services.get("BROKER_URL", ""), services["QUEUE_PREFIX"])
