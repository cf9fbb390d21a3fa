"""Ends all processes that a test run has started and left behind, also when the run itself was killed.

Every process that tests start inherits MARK in its environment, including servers in sessions of their own. A watchdog
waits for the end of the run, however it ends, and then kills the remaining ones. If the watchdog was killed too, the
next run finds them.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MARK = "SOCIALAPP_TEST_RUN"  # "<pid>-<start time>" of the run
_FOLDERS = ("faults-*", "growing-*", "transports-*", "socialapp-tests-*")
_KEPT_SECONDS = 86_400
_ROUNDS = 200
_PROC = Path("/proc")


def watch() -> IO[bytes] | None:
    """Begins a run: ends the processes of earlier ones, and starts the watchdog, which acts when the file is closed.

    None if there is nothing to do: within another run, and without /proc.
    """
    if MARK in os.environ or not (_PROC / "self/stat").exists():
        return None
    for pid, run in _marked():
        if not _runs(run):
            _kill(pid)
    _remove_old_folders()
    run = f"{os.getpid()}-{_start_time(os.getpid())}"
    watchdog = subprocess.Popen(
        [sys.executable, "-m", "tests.leftovers", run],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        start_new_session=True,
    )
    os.environ[MARK] = run
    watchdog.returncode = 0  # it outlives this process, and nobody waits for it
    return watchdog.stdin


def _kill_marked(wanted: str) -> None:
    """Kills the processes of a run, and any that they start meanwhile."""
    for _ in range(_ROUNDS):
        for pid in (found := [pid for pid, run in _marked() if run == wanted]):
            _kill(pid)
        if not found:
            return
        time.sleep(0.05)


def _marked() -> Iterator[tuple[int, str]]:
    """The running processes that tests have started, and the run of each."""
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for variable in (folder / "environ").read_bytes().split(b"\0"):
                if variable.startswith(MARK.encode() + b"="):
                    yield int(folder.name), variable.partition(b"=")[2].decode()


def _runs(run: str) -> bool:
    pid, _, started = run.partition("-")
    return _start_time(int(pid)) == started


def _start_time(pid: int) -> str:
    """In clock ticks since boot; together with the pid it identifies a process uniquely. Empty if there is none."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _remove_old_folders() -> None:
    for pattern in _FOLDERS:
        for folder in Path(tempfile.gettempdir()).glob(pattern):
            with contextlib.suppress(OSError):
                if folder.stat().st_mtime < time.time() - _KEPT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()  # returns when the run closes its end, or has died
    _kill_marked(sys.argv[1])
