"""Sends load with wrk and parses its output."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_FALLEN = 0.95  # of the CPU since which it had not fallen, or less
_STEADY = 3  # rounds in a row in which it has not


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the bench.

    `body` is a Lua expression for the JSON body of request number `n`, `example` such a body; `items` is the required
    number of items of a list; `warms_up`: it is repeated until its CPU stops falling, before it is measured.
    """

    name: str
    method: str
    path: str
    goal_ms: float
    body: str = ""
    example: dict[str, str] | None = None
    items: int = 0
    warms_up: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run: requests, requests per second, latencies in milliseconds, and failed responses."""

    requests: int
    rate: float
    p50: float
    p99: float
    failures: int


_SCRIPT = """
local n = math.random(1000000000)
local paths, tokens = {{{paths}}}, {{{tokens}}}
request = function()
  n = n + 1
  local headers = {{["Authorization"] = "Bearer " .. tokens[n % #tokens + 1], ["Content-Type"] = "application/json"}}
  return wrk.format("{method}", paths[n % #paths + 1], headers, {body})
end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("OUT %d %f %f %f %d\\n", summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad))
end
"""


def until_steady(measure: Callable[[], float], *, rounds: int) -> list[float]:
    """Repeats a measurement until the CPU that it returns stops falling, for at most so many rounds; returns all.

    Elasticsearch's virtual machine compiles what it executes often: a new one takes many times the CPU, and falls for
    tens of thousands of searches.
    """
    costs: list[float] = []
    least, steady = float("inf"), 0
    while len(costs) < rounds and steady < _STEADY:
        cost = measure()
        least, steady = (cost, 0) if cost <= least * _FALLEN else (least, steady + 1)
        costs.append(cost)
    return costs


def send(
    route: Route,
    *,
    path: str | Sequence[str],
    port: int,
    access: str | Sequence[str],
    seconds: int,
    folder: Path,
) -> Outcome:
    """Sends load for some seconds over eight connections, as many as the web role has threads.

    Several paths and access tokens are used in turn.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is needed (Debian package wrk)")
    script = folder / "load.lua"
    paths, tokens = (_lua_strings([each] if isinstance(each, str) else each) for each in (path, access))
    script.write_text(_SCRIPT.format(tokens=tokens, method=route.method, paths=paths, body=route.body or "nil"))
    command = [wrk, "-t1", "-c8", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^OUT (\d+) ([\d.]+) ([\d.]+) ([\d.]+) (\d+)", said, re.MULTILINE)
    if found is None:
        raise SystemExit(f"wrk printed no result:\n{said}")
    requests, rate, p50, p99, failures = found.groups()
    return Outcome(int(requests), float(rate), float(p50), float(p99), int(failures))


def _lua_strings(texts: Sequence[str]) -> str:
    return ", ".join(json.dumps(text) for text in texts)
