"""Runs the scenarios on the embedded default too."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 600


def test_the_scenarios_pass_on_the_embedded_default() -> None:
    environment = {**os.environ, "SCENARIOS_ON": "embedded"}
    environment["TEST_PORTS"] = os.environ.get("PYTEST_XDIST_WORKER", "")  # still those of this process only
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST", "DATABASE_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/scenarios"]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
