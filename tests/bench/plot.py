"""Plots a report of the bench and prints it as a table: `python -m tests.bench.plot report.json performance.svg`.

A report of `--only growth` is plotted as latencies by the number of users.
"""

import json
import math
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from tests.bench import growth

_WIDTH, _LEFT, _RIGHT, _ROW, _BAR, _TOP = 760, 150, 70, 46, 15, 64
_PAIRS = (("rate", 0), ("p50", 1), ("p99", 1), ("memory_mib", 0))
_OURS, _BASELINES, _GOAL, _INK = "#2563eb", "#c4c9d4", "#dc2626", "#1f2937"


def draw(report: dict[str, Any]) -> str:
    """An SVG: CPU milliseconds per request, product above baseline, with a mark at the goal."""
    rows = report["rows"]
    most = max(max(row["product"]["cpu_ms"], row["baseline"]["cpu_ms"], row["goal_ms"]) for row in rows.values())
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    parts = [_legend()]
    for number, (name, row) in enumerate(rows.items()):
        top = _TOP + number * _ROW
        parts.append(_text(_LEFT - 10, top + _BAR + 4, name, anchor="end"))
        for place, (side, color) in enumerate((("product", _OURS), ("baseline", _BASELINES))):
            cost = row[side]["cpu_ms"]
            y = top + place * (_BAR + 2)
            parts.append(
                f'<rect x="{_LEFT}" y="{y}" width="{cost * scale:.1f}" height="{_BAR}" fill="{color}"/>'
                + _text(_LEFT + cost * scale + 6, y + 12, f"{cost:.2f}")
            )
        x = _LEFT + row["goal_ms"] * scale
        parts.append(f'<path d="M{x:.1f} {top - 3}v{2 * _BAR + 8}" stroke="{_GOAL}" stroke-width="2"/>')
    height = _TOP + len(rows) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13"><rect width="{_WIDTH}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def table(report: dict[str, Any]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        "| request | goal | product | baseline | product/baseline | compiled | product/compiled"
        " | requests/s | p50 ms | p99 ms | MiB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in report["rows"].items():
        ours, theirs = row["product"], row["baseline"]
        pairs = (f"{ours[what]:.{digits}f} / {theirs[what]:.{digits}f}" for what, digits in _PAIRS)
        lines.append(
            f"| {name} | {row['goal_ms']} | {ours['cpu_ms']:.2f} | {theirs['cpu_ms']:.2f} | {row['ratio']:.2f} | "
            f"{_compiled(row)} | " + " | ".join(pairs) + " |"
        )
    return "\n".join(lines) + "\n"


_LEFT_EDGE, _PANEL_WIDTH, _PANEL_HEIGHT, _PANEL_ROW = 80, 440, 220, 310
_LINES = ("#2563eb", "#16a34a", "#d97706", "#9333ea", "#0891b2", "#dc2626", "#6b7280")


def draw_growth(report: dict[str, Any]) -> str:
    """An SVG: latency and CPU of each read, and bytes per user, by the number of users; all axes are logarithmic."""
    found: dict[str, Any] = report["growth"]
    names = list(next(iter(found.values()))["reads"])
    panels = {
        "Milliseconds that 99 of 100 answers take at most": {
            name: [one["reads"][name]["p99"] for one in found.values()] for name in names
        },
        "CPU milliseconds of an answer, all processes": {
            name: [one["reads"][name]["cpu_ms"] for one in found.values()] for name in names
        },
        "Bytes a person": {
            "Elasticsearch": [one["bytes_a_person"]["elasticsearch"] for one in found.values()],
            "with MariaDB": [one["bytes_a_person"]["together"] for one in found.values()],
        },
    }
    people = [int(number) for number in found]
    parts = [
        part
        for place, (title, curves) in enumerate(panels.items())
        for part in _panel(title, curves, people=people, top=60 + place * _PANEL_ROW)
    ]
    height = 40 + len(panels) * _PANEL_ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13"><rect width="{_WIDTH}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _panel(title: str, curves: dict[str, list[float]], *, people: list[int], top: int) -> Iterator[str]:
    """A title, lines for the decades, a curve for each name, and the legend with the first and the last value."""
    least = math.floor(math.log10(min(map(min, curves.values()))))
    most = math.ceil(math.log10(max(map(max, curves.values()))))
    across = max(math.log10(people[-1] / people[0]), 1)
    x = [_LEFT_EDGE + _PANEL_WIDTH * math.log10(number / people[0]) / across for number in people]

    def y(value: float) -> float:
        return top + _PANEL_HEIGHT * (most - math.log10(value)) / max(most - least, 1)

    yield _text(_LEFT_EDGE, top - 18, title)
    for decade in range(least, most + 1):
        yield f'<path d="M{_LEFT_EDGE} {y(10**decade):.1f}h{_PANEL_WIDTH}" stroke="{_BASELINES}"/>'
        yield _text(_LEFT_EDGE - 8, y(10**decade) + 4, f"{10**decade:,}", anchor="end")
    for place, number in zip(x, people, strict=True):
        yield _text(place, top + _PANEL_HEIGHT + 20, f"{number:,}", anchor="middle")
    for (name, values), color, row in zip(curves.items(), _LINES, range(len(_LINES)), strict=False):
        points = [(place, y(value)) for place, value in zip(x, values, strict=True)]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.5"/>'
        for across, down in points:
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{color}"/>'
        legend, left = top + 12 + row * 22, _LEFT_EDGE + _PANEL_WIDTH + 40
        yield f'<rect x="{left}" y="{legend - 10}" width="11" height="11" fill="{color}"/>'
        yield _text(left + 17, legend, f"{name}: {_short(values[0])} to {_short(values[-1])}")


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _compiled(row: dict[str, Any]) -> str:
    """The compiled server's CPU for the same response, and the product's CPU as a multiple of it."""
    if "compiled" not in row:
        return " | "
    return f"{row['compiled']['cpu_ms']:.2f} | {row['ratio_to_compiled']:.1f}"


def _legend() -> str:
    marks = ((_OURS, "product"), (_BASELINES, "plain Django REST baseline"), (_GOAL, "goal"))
    title = _text(_LEFT, 22, "CPU milliseconds a request: application, database, Redis and search together")
    return title + "".join(
        f'<rect x="{_LEFT + place * 120}" y="34" width="11" height="11" fill="{color}"/>'
        + _text(_LEFT + place * 120 + 17, 44, words)
        for (color, words), place in zip(marks, (0, 1, 2.7), strict=True)
    )


def _text(x: float, y: float, words: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{_INK}" text-anchor="{anchor}">{escape(words)}</text>'


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text())
    drawn, listed = (draw_growth(found), growth.table(found)) if "growth" in found else (draw(found), table(found))
    Path(sys.argv[2]).write_text(drawn, encoding="utf-8")
    sys.stdout.write(listed)
