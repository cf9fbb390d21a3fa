"""`python -m tests.bench`: CPU per request, requests per second, latency and memory, next to a baseline's.

Needs DATABASE_URL and REDIS_URL of running servers, as `tests/services/up` prints them, nginx and wrk. If Go is
installed, there is a third side: a compiled server that reads the finished responses from Redis.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bench.accounting import family, proportional_memory
from tests.bench.bench_setup import BenchSetup, Side, Size
from tests.bench.effects import all_effects, fan_out, socket_latency
from tests.bench.growth import growth
from tests.bench.load import Outcome, Route, send, until_steady
from tests.bench.logins import logins
from tests.bench.search import capture, freshness, relevance
from tests.bench.sockets import deliveries, many_sockets
from tests.scenarios.product import start_product, stop_product

READS = (
    Route("home feed of 20", "GET", "/v1/feed", 0.8, items=20),
    Route("one post", "GET", "/v1/posts/{post}", 0.3),
    Route("own account", "GET", "/v1/auth/me", 0.25),
    Route("20 notifications", "GET", "/v1/notifications", 1.0, items=20),
    Route("search posts", "GET", "/v1/search?q=poetry&type=posts", 5.0, items=20, warms_up=True),
    Route("search people", "GET", "/v1/search?q=person&type=users", 3.0, items=20, warms_up=True),
)
WRITES = (
    Route(
        "react",
        "PUT",
        "/v1/posts/{post}/reaction",
        3.0,
        body="""'{"reaction_type":"' .. ({"like","love","haha","sad","angry"})[n % 5 + 1] .. '"}'""",
        example={"reaction_type": "like"},
    ),
    Route(
        "post",
        "POST",
        "/v1/posts",
        5.0,
        body="""'{"content":"a thought, number ' .. n .. '"}'""",
        example={"content": "a first thought"},
    ),
)


_POSTS_A_SECOND = (10, 50)
_EFFECTS_A_SECOND = (1, 10, 50)


def measure(setup: BenchSetup, route: Route, *, seconds: int, side: Side) -> dict[str, Any]:
    """Measures one row for one side: cost per request, throughput and latency."""
    port, path = setup.ports[side.port], route.path.format(post=side.post)

    def once(duration: int) -> Outcome:
        return send(route, path=path, port=port, access=side.access, seconds=duration, folder=setup.folder)

    probe(route, path=path, port=port, access=side.access)
    once(min(seconds, 1))
    meter = setup.meter(side.process, "nginx")
    before = meter.read()
    outcome = once(seconds)
    spent = meter.since(before)
    if outcome.failures:
        raise SystemExit(f"{route.name}: {outcome.failures} of {outcome.requests} requests failed")
    each = {name: round(cpu * 1000 / outcome.requests, 3) for name, cpu in spent.items()}
    memory = proportional_memory([setup.processes[side.process]])
    return {
        **asdict(outcome),
        "cpu_ms": round(sum(each.values()), 3),
        "cpu_ms_by_process": each,
        "memory_mib": round(memory, 1),
    }


def warm_up(setup: BenchSetup, route: Route, *, seconds: int, rounds: int, side: Side) -> None:
    """Repeats a request until its CPU stops falling, for at most so many rounds."""
    costs = until_steady(lambda: measure(setup, route, seconds=seconds, side=side)["cpu_ms"], rounds=rounds)
    report_progress(f"{route.name}: warming up {side.process}, CPU of {', '.join(map(str, costs))} ms")


def probe(route: Route, *, path: str, port: int, access: str) -> None:
    """Aborts the bench unless the row's response is a success and, for lists, complete."""
    url = f"http://127.0.0.1:{port}{path}"
    headers = {"Authorization": f"Bearer {access}"}
    answer = httpx.request(route.method, url, json=route.example, headers=headers, timeout=20)
    found = answer.json().get("results") if answer.is_success else None
    if not answer.is_success or (route.items and len(found or ()) != route.items):
        raise SystemExit(f"{route.name}: {answer.status_code} with {len(found or ())} items: {answer.text[:300]}")


def compare(setup: BenchSetup, routes: tuple[Route, ...], *, seconds: int, rounds: int) -> dict[str, Any]:
    """Measures product, baseline and, for reads with Go installed, the compiled server in turn; median round."""
    rows = {}
    for route in routes:
        sides = setup.sides()
        if route.method != "GET" or not setup.serve_compiled(route.path.format(post=setup.post)):
            sides.pop("compiled", None)
        if route.warms_up:
            for side in (sides["product"], sides["baseline"]):
                warm_up(setup, route, seconds=seconds * 5, rounds=rounds * 4, side=side)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                found[name].append(measure(setup, route, seconds=seconds, side=side))
        median = {name: sorted(row, key=lambda one: one["cpu_ms"])[rounds // 2] for name, row in found.items()}
        mine = median["product"]["cpu_ms"]
        ratios = {name: round(mine / row["cpu_ms"], 2) for name, row in median.items() if name != "product"}
        rows[route.name] = {
            "goal_ms": route.goal_ms,
            **median,
            "ratio": ratios["baseline"],
            "ratio_to_compiled": ratios.get("compiled"),
        }
        costs = ", ".join(f"{name} {row['cpu_ms']} ms" for name, row in median.items())
        report_progress(f"{route.name}: CPU of {costs} (goal {route.goal_ms})")
    return rows


def beyond_requests(setup: BenchSetup, options: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """The other measurements selected by `--only`, one after the other."""
    seconds, rounds, only = options.seconds, options.rounds, options.only
    if only in "post to socket":
        yield "post_to_socket", [socket_latency(setup, rate=rate, seconds=seconds * 3) for rate in _POSTS_A_SECOND]
    if only in "effects":
        yield "effects", all_effects(setup, rates=_EFFECTS_A_SECOND, seconds=seconds * 3)
    if only in "deliveries to sockets":
        yield "microseconds_a_delivery", deliveries(setup)
    if only in "many sockets":
        number = 500 if options.quick else 5000
        yield "many_sockets", many_sockets(setup, number=number, rates=_POSTS_A_SECOND, seconds=seconds * 3)
    if only in "relevance":
        yield "relevance", relevance(setup)
    if only in "cdc":
        yield "rows_of_the_binlog", capture(setup, rounds=rounds)
    if only == "cdc":  # the product is started with SEARCH_SYNC=cdc
        yield "freshness_through_cdc", freshness(setup, rate=4, seconds=seconds * 15)
    if only in "logins":
        yield "logins", logins(setup, seconds=seconds * 10)
    if only in "fan-out":
        setup.drain()
        yield "fan_out", fan_out(setup, followers=1000 if options.quick else 10_000, rounds=rounds)


def compare_quietly(setup: BenchSetup, routes: tuple[Route, ...], *, options: argparse.Namespace) -> dict[str, Any]:
    """Measures the rows, and draws the flame graphs if requested, while relay, worker and beat are paused."""
    setup.pause(paused=True)
    rows = compare(setup, routes, seconds=options.seconds, rounds=options.rounds)
    if options.flames:
        draw_flames(setup, options.flames, seconds=options.seconds * 5)
    setup.forget_unsent()
    setup.pause(paused=False)
    return rows


def draw_flames(setup: BenchSetup, folder: Path, *, seconds: int) -> None:
    """Flame graphs of the web role's CPU under load of the home feed and of a post. Needs py-spy."""
    product = setup.sides()["product"]
    for name, route in (("home", READS[0]), ("post", READS[1])):
        target = folder / f"flame-{name}.svg"
        pid = str(setup.processes["web"].pid)
        command = ["py-spy", "record", "--subprocesses", "--gil", "--rate", "400", "--pid", pid]
        recorder = subprocess.Popen([*command, "--duration", str(seconds), "--output", str(target)])
        path, port = route.path.format(post=product.post), setup.ports[product.port]
        send(route, path=path, port=port, access=product.access, seconds=seconds + 2, folder=setup.folder)
        if recorder.wait(timeout=60):
            raise SystemExit("py-spy could not profile the web role")
        report_progress(f"drew {target}")


def embedded_memory() -> dict[str, Any]:
    """Memory of all processes of an unconfigured `./run` after a few requests, in MiB; shared memory counts once."""
    with tempfile.TemporaryDirectory(prefix="bench-run-") as folder:
        product = start_product(Path(folder), {})
        try:
            someone = product.join("someone")
            someone.write("hello")
            for path in ("/v1/feed", "/v1/auth/me", "/v1/notifications", "/"):
                product.call("GET", path, token=someone.access)
            root = psutil.Process(product.process.pid)
            by_process = {
                f"{process.name()}.{process.pid}": round(process.memory_full_info().pss / 2**20, 1)
                for process in family(root)
            }
            return {"total_mib": round(proportional_memory([root]), 1), "by_process": by_process}
        finally:
            stop_product(product)


def report_progress(line: str) -> None:
    """Prints progress."""
    sys.stderr.write(f"bench: {line}\n")


def main() -> None:
    """Measures and writes one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="seconds of load per row, side and round (2)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds per row; the median is reported (3)")
    parser.add_argument("--quick", action="store_true", help="a smoke test: little data, one short round")
    parser.add_argument("--only", default="", help="measure only what contains this in its name")
    parser.add_argument("--flames", type=Path, help="a folder for flame graphs of the home feed and a post")
    parser.add_argument(
        "--people",
        type=int,
        nargs="+",
        default=[1000, 10_000, 100_000],
        help="with --only growth: the sizes of installations to measure (1000 10000 100000)",
    )
    options = parser.parse_args()
    if options.only == "growth":
        measured = {"machine": machine(), "growth": growth(options.people, seconds=options.seconds * 3)}
        sys.stdout.write(json.dumps(measured, indent=2) + "\n")
        return
    size = Size()
    if options.quick:
        options.seconds = options.rounds = 1
        size = Size(people=80, posts=400, comments=100, reactions=200)
    routes = tuple(route for route in READS + WRITES if options.only in route.name)
    if not routes:
        size = Size(people=20, posts=40, comments=20, reactions=20)
    report: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        sync = "cdc" if options.only == "cdc" else "events"
        setup = BenchSetup(Path(folder), size, with_baseline=bool(routes), search_sync=sync)
        try:
            report_progress("starting and filling")
            setup.open()
            report_progress("waiting until the events of the filled-in data are handled")
            setup.drain()
            if routes:
                report["rows"] = compare_quietly(setup, routes, options=options)
                setup.drain()  # relay and worker have been paused for minutes
            for name, found in beyond_requests(setup, options):
                report[name] = found
                report_progress(f"{name}: {found}")
        finally:
            setup.close()
    if options.only in "memory":
        report["embedded_memory"] = embedded_memory()
        report_progress(f"memory of ./run: {report['embedded_memory']['total_mib']} MiB")
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """The machine that it ran on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "processors": os.cpu_count(),
        "model": model.group(1) if model else platform.machine(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main()
