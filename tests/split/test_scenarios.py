"""The main job, unchanged, on three and nine services; on one it is tested in tests/scenarios."""

import os
import subprocess
import sys

import pytest

from tests.scenarios.product import ROOT

_SECONDS = 1200


@pytest.mark.parametrize("split", ["split3", "split9"])
def test_the_main_job_passes(split: str) -> None:
    environment = {**os.environ, "SCENARIOS_ON": split}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/scenarios/test_main_job.py"]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
