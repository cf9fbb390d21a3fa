"""A pytest plugin that sets the product's environment variables before Django's settings are loaded."""

import gc
import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests import leftovers

# Groups of tests that run in one test process because they share servers, or suffer on a busy machine, with their
# duration in seconds: the longest starts first, so that no test process has to wait for another in the end. Every
# other file is a group of its own. The fault tests are two groups, each with its own installation.
_GROUPS = {
    "tests/faults/test_disorder.py": 30,
    "tests/faults/test_verify.py": 30,
    "tests/faults/test_[b-e]": 400,
    "tests/faults": 380,
    "tests/multi_service": 320,
    "tests/transports/test_transports.py": 280,
    "tests/run/test_embedded_scenarios.py": 95,
    "tests/run": 180,
    "tests/security/test_[aes][trl]": 150,
    "tests/scenarios": 140,
    "tests/web": 140,
    "tests/deploy/test_graceful_stop.py": 110,
    "tests/scaling/test_backup.py": 90,
    "tests/scaling/test_replicas.py": 70,
    "tests/records/test_demo.py": 70,
    "tests/records/test_first_start.py": 60,
    "tests/records/test_moving.py": 60,
    "tests/security/test_erased_bytes.py": 60,
    "tests/search/test_capture.py": 60,
    "tests/transports/test_guarded_kafka.py": 50,
    "tests/contracts/test_openapi.py": 50,
    "tests/security/test_slow_clients.py": 40,
    "tests/deploy/test_image.py": 40,
    "tests/query_budgets/test_lists.py": 30,
    "tests/security/test_authorization.py": 30,
    "tests/auth/test_mysql8.py": 30,
    "tests/security/test_visibility_model.py": 30,
    "tests/media/test_product.py": 20,
    "tests/deploy/test_rolling.py": 20,
    "tests/security/test_query_cost.py": 10,
    "tests/kernel/test_traces.py": 10,
}
_SECONDS_A_TEST = 0.4  # of all others
gc.disable()  # until Django is loaded, as in manage.py
_WATCHED = pytest.StashKey[IO[bytes] | None]()
# Tests that mostly wait for servers that they killed or started let others go first: browsers must not be late.
_WAITING = ("tests/faults", "tests/multi_service", "tests/scaling", "tests/transports")
_NICE = os.nice(0)
# Tests of these share more than the process: their order must not be random.
_IN_ORDER = ("tests/scenarios", "tests/web", "tests/run", "tests/faults", "tests/multi_service", "tests/transports")


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


def _set_apart(worker: str) -> None:
    """Gives one of several parallel test processes ("gw0", …) its own Redis database, index, queues and files."""
    number = int(worker.removeprefix("gw")) + 1
    first = int(urlsplit(os.environ["REDIS_URL"]).path.lstrip("/") or 0)
    os.environ["REDIS_URL"] = _with_path(os.environ["REDIS_URL"], str(first + number))
    os.environ["ELASTICSEARCH_PREFIX"] = f"{os.environ.get('ELASTICSEARCH_PREFIX', 'test')}-{worker}"
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix=f"{worker}-", dir=os.environ["DATA_DIR"])
    if worker in os.environ.get("BROKER_VHOSTS", "").split():
        os.environ["BROKER_URL"] = _with_path(os.environ["BROKER_URL"], worker)


_OWN_DATA_DIR = "" if os.environ.get("DATA_DIR") else tempfile.mkdtemp(prefix="socialapp-tests-")
os.environ.setdefault("DATA_DIR", _OWN_DATA_DIR)
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6380/0")
os.environ.setdefault("RATE_LIMITS", "off")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("SIGNING_KEY_RELOAD_SECONDS", "86400")  # otherwise query budgets would depend on the clock
os.environ.setdefault("ELASTICSEARCH_SECONDS", "20")  # a busy machine is not an outage
os.environ.setdefault("REDIS_TIMEOUT", "20")  # nor here: with 0.5 s, caches and rankings were missing now and then
if not os.environ.get("JWT_PRIVATE_KEY"):
    os.environ["JWT_PRIVATE_KEY"] = _private_key()
if "PYTEST_XDIST_WORKER" in os.environ:
    _set_apart(os.environ["PYTEST_XDIST_WORKER"])
(Path(os.environ["DATA_DIR"]) / "db").mkdir(parents=True, exist_ok=True)
# Hypothesis' own profile, but without the time limit of 200 ms that an example has except in CI.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")


class GroupsTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """With several test processes: the tests of a group run in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def _group(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return next((group for group in _GROUPS if fnmatchcase(file, f"{group}*")), file)


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Random order is for tests that share only the process."""
    if item.nodeid.startswith(_IN_ORDER):
        item.add_marker(pytest.mark.random_order(disabled=True))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the slowest groups first, keeps the tests of each together, and those with databases in front.

    Playwright keeps an event loop running as long as there is a browser, and Django refuses databases beside one.
    """
    sizes = Counter(_group(item.nodeid) for item in items)
    seconds = {group: _GROUPS.get(group, size * _SECONDS_A_TEST) for group, size in sizes.items()}
    firsts = {group: number for number, group in enumerate(sizes)}

    def place(item: pytest.Item) -> tuple[float, int, bool]:
        group = _group(item.nodeid)
        return -seconds[group], firsts[group], item.get_closest_marker("django_db") is None

    items.sort(key=place)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Servers that a test starts have its priority."""
    nice = _NICE + 5 * item.nodeid.startswith(_WAITING)
    if os.nice(0) != nice:
        with suppress(PermissionError):  # only root may raise it again
            os.setpriority(os.PRIO_PROCESS, 0, nice)


def pytest_collection() -> None:
    """Modules loaded with the tests are never garbage either."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Exempts all objects that exist now from garbage collection, so that it does not scan them again and again."""
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Makes sure that no server outlives this run, and that its files are removed."""
    if "PYTEST_XDIST_WORKER" not in os.environ and not config.option.collectonly:
        config.stash[_WATCHED] = leftovers.watch()
        psutil.cpu_times_percent()  # of the time until the next call


def pytest_unconfigure(config: pytest.Config) -> None:
    """Lets the watchdog end the remaining processes."""
    if watched := config.stash.get(_WATCHED, None):
        watched.close()
    if _OWN_DATA_DIR:
        shutil.rmtree(_OWN_DATA_DIR, ignore_errors=True)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupsTogether:
    """Has xdist keep tests together that share servers."""
    return GroupsTogether(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures that tests have measured."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    figures = [
        f"{report.nodeid.rpartition('::')[2]}: {name.removeprefix('measured: ')}: {value}"
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name.startswith("measured: ")
    ]
    if figures:
        used = psutil.cpu_times_percent()
        terminalreporter.section("measured")
        terminalreporter.line(f"processors idle: {used.idle + used.iowait:.0f} % of the time")
        for figure in figures:
            terminalreporter.line(figure)
