"""An installation started with `./run` in its own data folder, and its processes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.migrated import copy_migrated
from tests.scenarios.product import free_port, pause_after

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 180.0  # on a busy machine; about ten on an idle one
STOP_SECONDS = 10.0
_OURS = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "ELASTICSEARCH_URL", "SECRET_KEY", "JWT_PRIVATE_KEY", "LOG_LEVEL")


def until(true: Callable[[], bool], *, why: str, seconds: float = 60.0) -> float:
    """Waits until `true()`, by default for as long as a busy machine may need; returns the seconds it took."""
    started = time.monotonic()
    while not true():
        waited = time.monotonic() - started
        assert waited < seconds, why
        time.sleep(pause_after(waited))
    return time.monotonic() - started


def clean_environment(data_dir: Path, port: int, **more: str) -> dict[str, str]:
    """The environment of a new user's shell, with this test's folder and port."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(_OURS)}
    return {**kept, "SOCIALAPP_PYTHON": sys.executable, "DATA_DIR": str(data_dir), "PORT": str(port), **more}


def run_to_end(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs `./run` with arguments to its end."""
    command = [str(ROOT / "run"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@dataclass
class Installation:
    """A running `./run`."""

    process: "subprocess.Popen[bytes]"
    environment: dict[str, str]
    output: Path

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def answers(self) -> bool:
        """Whether the landing page is served."""
        try:
            return httpx.get(self.url, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def children(self) -> list[psutil.Process]:
        """The supervisor's direct children, oldest first."""
        return sorted(psutil.Process(self.process.pid).children(), key=lambda child: child.create_time())

    def all_processes(self) -> list[psutil.Process]:
        """The supervisor and all its descendants."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def pss_mib(self) -> float:
        """The memory of all processes, shared pages counted once, in MiB."""
        total = 0
        for process in self.all_processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
        return total / 2**20

    def written_mib(self) -> float:
        """The private dirty memory of all processes, in MiB: without file pages, which may be shared."""
        total = 0
        for process in self.all_processes():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
                total += int(rollup.partition("Private_Dirty:")[2].split()[0])
        return total / 2**10

    def said(self) -> str:
        """The terminal output so far."""
        return self.output.read_text(errors="replace")


@contextlib.contextmanager
def started(data_dir: Path, *, demo: bool = False, first: bool = False, **more: str) -> Iterator[Installation]:
    """A `./run` that is ready; killed if the test has not stopped it.

    Its tables exist already, unless it starts for the `first` time, which takes ten seconds of CPU.
    """
    if not first:
        copy_migrated(data_dir / "db")
    environment = clean_environment(data_dir, free_port(), **more)
    output = data_dir.with_suffix(".out")
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            [str(ROOT / "run"), *([] if demo else ["--no-demo"])],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
    installation = Installation(process, environment, output)
    try:
        until(lambda: installation.answers() or process.poll() is not None, seconds=START_SECONDS, why="never answered")
        if process.poll() is not None:
            pytest.fail(f"./run ended with {process.returncode}:\n{installation.said()}")
        yield installation
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of these processes runs (zombies do not count)."""
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
