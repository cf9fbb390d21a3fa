"""Starts manage.py by forking a process that has loaded the libraries, which halves the CPU of a start.

The product itself is loaded in the new process, which reads its own environment and is killed like any other. Tests of
starting, stopping and memory use the real command.
"""

import atexit
import multiprocessing
import multiprocessing.util
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_COMMAND_SECONDS = 300.0


class Forked(subprocess.Popen[bytes]):
    """`manage.py`, or another program, with arguments; it appends to the files `output` and `errors`."""

    def __init__(
        self,
        *arguments: str,
        environment: Mapping[str, str],
        output: Path,
        errors: Path | None = None,
        program: str = "manage.py",
    ) -> None:
        self.args = [program, *arguments]
        self._child_created = False  # by Popen, which would otherwise wait for it
        self._process = _context().Process(
            target=_become, args=(self.args, dict(environment), output, errors or output, os.nice(0))
        )
        self._process.start()
        self.pid = self._process.pid or 0
        self.returncode = None
        while os.getpgid(self.pid) != self.pid:  # so that the group can be killed as soon as this returns
            time.sleep(0.001)

    def poll(self) -> int | None:
        """Its exit status if it has ended; negative: the signal that killed it."""
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status once it has ended."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status


def manage(*arguments: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs a command of manage.py to its end."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = Forked(*arguments, environment=environment, output=output, errors=errors)
        try:
            status = process.wait(_COMMAND_SECONDS)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, status, output.read_text(), errors.read_text())


@cache
def _context() -> multiprocessing.context.ForkServerContext:
    """Created once, and never in the processes that are forked."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.libraries"])
    atexit.register(_kill_remaining)  # before what `multiprocessing.util` has registered, which waits for them
    return made


def _kill_remaining() -> None:
    """Kills what a failed test has left running."""
    for process in multiprocessing.active_children():
        process.kill()


def _become(arguments: list[str], environment: dict[str, str], output: Path, errors: Path, nice: int) -> None:
    """Turns the new process into one that was started with these arguments and this environment."""
    os.setsid()
    os.chdir(_ROOT)
    with suppress(PermissionError):  # only root may raise the priority
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, output), (2, errors)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = arguments
    try:
        runpy.run_path(str(_ROOT / arguments[0]), run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # multiprocessing ends processes without them
