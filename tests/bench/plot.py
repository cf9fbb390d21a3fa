"""Draws what the bench found, and prints its table: `python -m tests.bench.plot report.json performance.svg`.

A report of `--only growth` becomes a plot of latencies by the number of people.
"""

import json
import math
import sys
from html import escape
from pathlib import Path
from typing import Any

from tests.bench import growth

_WIDTH, _LEFT, _RIGHT, _ROW, _BAR, _TOP = 760, 150, 70, 46, 15, 64
_PAIRS = (("rate", 0), ("p50", 1), ("p99", 1), ("memory_mib", 0))
_OURS, _BASELINES, _GOAL, _INK = "#2563eb", "#c4c9d4", "#dc2626", "#1f2937"


def draw(report: dict[str, Any]) -> str:
    """An SVG: CPU milliseconds a request, product above baseline, with a mark at the goal."""
    rows = report["rows"]
    most = max(max(row["product"]["cpu_ms"], row["baseline"]["cpu_ms"], row["goal_ms"]) for row in rows.values())
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    parts = [_legend()]
    for number, (name, row) in enumerate(rows.items()):
        top = _TOP + number * _ROW
        parts.append(_text(_LEFT - 10, top + _BAR + 4, name, anchor="end"))
        for place, (side, colour) in enumerate((("product", _OURS), ("baseline", _BASELINES))):
            cost = row[side]["cpu_ms"]
            y = top + place * (_BAR + 2)
            parts.append(
                f'<rect x="{_LEFT}" y="{y}" width="{cost * scale:.1f}" height="{_BAR}" fill="{colour}"/>'
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


_PLOT = (80, 60, 480, 300)  # left, top, width, height of the growth's plot
_LINES = ("#2563eb", "#16a34a", "#d97706", "#9333ea", "#dc2626")


def draw_growth(report: dict[str, Any]) -> str:
    """An SVG: p99 of each read by the number of people, both axes logarithmic."""
    found: dict[str, Any] = report["growth"]
    people = [int(number) for number in found]
    curves = {
        name: [one["reads"][name]["p99"] for one in found.values()] for name in next(iter(found.values()))["reads"]
    }
    left, top, width, height = _PLOT
    least = 10 ** math.floor(math.log10(min(map(min, curves.values()))))
    most = 10 ** math.ceil(math.log10(max(map(max, curves.values()))))
    across = max(math.log10(people[-1] / people[0]), 1)

    def x(number: float) -> float:
        return left + width * math.log10(number / people[0]) / across

    def y(ms: float) -> float:
        return top + height * (1 - math.log10(ms / least) / math.log10(most / least))

    parts = [_text(left, 30, "Milliseconds that 99 of 100 answers take at most, by the number of people")]
    for decade in range(round(math.log10(least)), round(math.log10(most)) + 1):
        parts.append(f'<path d="M{left} {y(10**decade):.1f}h{width}" stroke="{_BASELINES}"/>')
        parts.append(_text(left - 8, y(10**decade) + 4, f"{10**decade:g} ms", anchor="end"))
    parts += [_text(x(number), top + height + 22, f"{number:,}", anchor="middle") for number in people]
    for place, (name, values) in enumerate(curves.items()):
        points = " ".join(f"{x(number):.1f},{y(ms):.1f}" for number, ms in zip(people, values, strict=True))
        colour = _LINES[place % len(_LINES)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [
            f'<circle cx="{x(number):.1f}" cy="{y(ms):.1f}" r="3.5" fill="{colour}"/>'
            for number, ms in zip(people, values, strict=True)
        ]
        legend = top + 12 + place * 22
        parts.append(f'<rect x="{left + width + 30}" y="{legend - 10}" width="11" height="11" fill="{colour}"/>')
        parts.append(_text(left + width + 47, legend, f"{name}: {values[0]:.0f} to {values[-1]:.0f}"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top + height + 40}" font-family="sans-serif" '
        f'font-size="13"><rect width="{_WIDTH}" height="{top + height + 40}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _compiled(row: dict[str, Any]) -> str:
    """What the compiled server needs for the same answer, and how many times as much the product does."""
    if "compiled" not in row:
        return " | "
    return f"{row['compiled']['cpu_ms']:.2f} | {row['ratio_to_compiled']:.1f}"


def _legend() -> str:
    marks = ((_OURS, "product"), (_BASELINES, "plain Django REST baseline"), (_GOAL, "goal"))
    title = _text(_LEFT, 22, "CPU milliseconds a request: application, database, Redis and search together")
    return title + "".join(
        f'<rect x="{_LEFT + place * 120}" y="34" width="11" height="11" fill="{colour}"/>'
        + _text(_LEFT + place * 120 + 17, 44, words)
        for (colour, words), place in zip(marks, (0, 1, 2.7), strict=True)
    )


def _text(x: float, y: float, words: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{_INK}" text-anchor="{anchor}">{escape(words)}</text>'


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text())
    drawn, listed = (draw_growth(found), growth.table(found)) if "growth" in found else (draw(found), table(found))
    Path(sys.argv[2]).write_text(drawn, encoding="utf-8")
    sys.stdout.write(listed)
