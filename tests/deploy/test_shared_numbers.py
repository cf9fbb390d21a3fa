"""Metrics of several processes of one role are summed, survive a killed process, and are reset with the role."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.processes import Roles, installed, until
from tests.scenarios.product import ROOT


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    """An installation whose web role has two processes, without a configured folder for their metrics."""
    with installed(tmp_path_factory.mktemp("shared"), WEB_WORKERS="2") as made:
        yield made


@pytest.fixture(autouse=True)
def _none_left_over(roles: Roles) -> Iterator[None]:
    yield
    roles.kill_all()
    roles.running.clear()


def ask(roles: Roles, times: int) -> None:
    """Sends each request on its own connection, so that any process may accept it."""
    for _ in range(times):
        answer = httpx.get(f"http://127.0.0.1:{roles.environment['WEB_PORT']}/health/live", timeout=30)
        assert answer.status_code == 200


def number(roles: Roles, role: str, name: str, **labels: str) -> float:
    """The sum of the samples with that name and those labels."""
    metrics = httpx.get(f"http://127.0.0.1:{roles.metrics_ports[role]}/metrics", timeout=30).text
    samples = [sample for family in text_string_to_metric_families(metrics) for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def asked(roles: Roles) -> float:
    """The number of requests that the web role reports."""
    return number(roles, "web", "socialapp_http_requests_total", route="health/live", status="200")


def workers(roles: Roles) -> set[int]:
    """The processes that serve requests."""
    children = psutil.Process(roles.running["web"].pid).children()
    return {child.pid for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE}


def counting(folder: Path) -> set[int]:
    """The processes that have counted something."""
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob("counter_*.db")}


def test_counters_are_summed_and_survive_a_killed_process(roles: Roles, tmp_path: Path) -> None:
    roles.start("web", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    before = asked(roles)
    times = 0
    while not times or not counting(tmp_path) >= workers(roles):  # both must have served some
        assert times < 6000, "one process served all"
        ask(roles, 60)
        times += 60
    assert asked(roles) == before + times
    killed = workers(roles).pop()
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(workers(roles) - {killed}) == 2, seconds=60)
    assert asked(roles) >= before + times, "the counts of the killed process remain"
    before = asked(roles)
    ask(roles, 40)
    assert asked(roles) == before + 40


def test_gauges_of_dead_processes_are_dropped(roles: Roles, tmp_path: Path) -> None:
    roles.start("web", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    gone = workers(roles).pop()
    os.kill(gone, signal.SIGKILL)
    until(lambda: gone not in workers(roles), seconds=60)
    of_live_processes = next(tmp_path.glob("gauge_livesum_*.db"))
    left = tmp_path / f"gauge_livesum_{gone}.db"
    left.write_bytes(of_live_processes.read_bytes())
    assert number(roles, "web", "socialapp_sockets_connected") == 0
    assert not left.exists()


def test_a_role_starts_with_an_empty_metrics_folder(roles: Roles, tmp_path: Path) -> None:
    roles.start("web", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    ask(roles, 25)
    roles.kill_all()
    roles.running.clear()
    assert list(tmp_path.glob("counter_*.db")), "the killed role could not clean up"
    until(lambda: not still_counting(tmp_path), seconds=30)
    roles.start("web", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert asked(roles) < 25


def still_counting(folder: Path) -> bool:
    """Whether a process has the folder's lock file open."""
    lock = str(folder / "lock")
    for process in psutil.process_iter():
        try:
            if any(file.path == lock for file in process.open_files()):
                return True
        except psutil.Error:
            continue
    return False


def test_a_metrics_folder_in_use_is_not_emptied(roles: Roles, tmp_path: Path) -> None:
    roles.start("web", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    ask(roles, 25)
    roles.start("beat", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert asked(roles) >= 25


def test_a_role_with_several_processes_creates_and_removes_its_metrics_folder(roles: Roles, tmp_path: Path) -> None:
    roles.start("web", TMPDIR=str(tmp_path))
    (folder,) = tmp_path.glob("socialapp-metrics-*")
    before = asked(roles)
    ask(roles, 30)
    assert asked(roles) == before + 30
    assert roles.stop("web")[0] == 0
    assert not folder.exists()


def test_a_command_that_is_not_a_role_needs_no_metrics_folder(tmp_path: Path) -> None:
    """The variable may be set in the environment of all containers, including those that migrate."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "not made")}
    command = [sys.executable, "manage.py", "help"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert list(tmp_path.iterdir()) == []
