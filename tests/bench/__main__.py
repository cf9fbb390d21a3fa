"""`python -m tests.bench`: CPU a request, requests a second, latency and memory, beside the twin's in the same run.

Needs DATABASE_URL and REDIS_URL of running servers, as `tests/services/up` prints them, nginx and wrk.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.accounting import proportional_memory
from tests.bench.load import Outcome, Route, send
from tests.bench.stage import Size, Stage

READS = (
    Route("home feed of 20", "GET", "/v1/feed", 1.0),
    Route("one post", "GET", "/v1/posts/{post}", 0.5),
    Route("own account", "GET", "/v1/auth/me", 0.5),
    Route("20 notifications", "GET", "/v1/notifications", 1.0),
    Route("search", "GET", "/v1/search?q=poetry&type=posts", 3.0),
)
WRITES = (
    Route(
        "react",
        "PUT",
        "/v1/posts/{post}/reaction",
        3.0,
        """'{"reaction_type":"' .. ({"like","love","haha","sad","angry"})[n % 5 + 1] .. '"}'""",
    ),
    Route("post", "POST", "/v1/posts", 5.0, """'{"content":"a thought, number ' .. n .. '"}'"""),
)


def measure(stage: Stage, route: Route, *, seconds: float, twin: bool) -> dict[str, Any]:
    """One row for one side: what a request cost, and how fast they went."""
    port = stage.ports["twin_gateway" if twin else "gateway"]
    access, post = (stage.twin_access, stage.twin_post) if twin else (stage.access, stage.post)

    def once(duration: float) -> Outcome:
        return send(route=route, port=port, access=access, post=post, seconds=duration, folder=stage.folder)

    once(1)
    meter = stage.meter("twin" if twin else "web")
    before = meter.read()
    outcome = once(seconds)
    spent = meter.since(before)
    each = {name: round(cpu * 1000 / outcome.requests, 3) for name, cpu in spent.items()}
    return {**asdict(outcome), "cpu_ms": round(sum(each.values()), 3), "cpu_ms_by_process": each}


def compare(stage: Stage, routes: tuple[Route, ...], *, seconds: float, rounds: int) -> dict[str, Any]:
    """Product and twin in turn, the median round of each."""
    rows = {}
    for route in routes:
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(measure(stage, route, seconds=seconds, twin=False))
            theirs.append(measure(stage, route, seconds=seconds, twin=True))
        mine, other = (sorted(side, key=lambda row: row["cpu_ms"])[rounds // 2] for side in (ours, theirs))
        rows[route.name] = {
            "goal_ms": route.goal_ms,
            "product": mine,
            "twin": other,
            "ratio": round(mine["cpu_ms"] / other["cpu_ms"], 2),
        }
        tell(f"{route.name}: {mine['cpu_ms']} ms of CPU (goal {route.goal_ms}), twin {other['cpu_ms']} ms")
    return rows


def effects(stage: Stage, *, posts_written: int) -> dict[str, float]:
    """What relay, worker and database spent on the effects of the writes, once they are let go on."""
    meter = stage.meter("relay", "worker")
    before = meter.read()
    stage.pause(paused=False)
    stage.drain()
    return {name: round(cpu * 1000 / posts_written, 3) for name, cpu in meter.since(before).items()}


def tell(line: str) -> None:
    """Progress, for who waits."""
    sys.stderr.write(f"bench: {line}\n")


def main() -> None:
    """Measures and writes one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of load for each row and side (5)")
    parser.add_argument("--rounds", type=int, default=3, help="of each row; the median counts (3)")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--posts", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        stage = Stage(Path(folder), Size(people=options.people, posts=options.posts))
        try:
            tell("starting and filling product and twin")
            stage.open()
            stage.drain()
            stage.pause(paused=True)
            rows = compare(stage, READS + WRITES, seconds=options.seconds, rounds=options.rounds)
            written = rows["post"]["product"]["requests"] * options.rounds
            report = {
                "rows": rows,
                "effects_ms_per_post": effects(stage, posts_written=written),
                "web_memory_mib": {
                    name: round(proportional_memory([stage.processes[name]]), 1) for name in ("web", "twin")
                },
            }
        finally:
            stage.close()
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
