"""Servers stop with the tests that started them, however those end."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.leftovers import MARK
from tests.scenarios.product import ROOT, eventually

_RUN = """
import subprocess, sys
from tests import leftovers
watched = leftovers.watch()
server = subprocess.Popen(["sleep", "300"], start_new_session=True)
print(server.pid, flush=True)
sys.stdin.read()
server.returncode = 0
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize("sent", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_server_stops_with_the_run_that_started_it(sent: signal.Signals | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    with subprocess.Popen(
        [sys.executable, "-c", _RUN],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as run:
        assert run.stdout
        server = psutil.Process(int(run.stdout.readline()))
        assert server.is_running()
        if sent is not None:
            run.send_signal(sent)
        run.communicate(timeout=60)
    eventually(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
