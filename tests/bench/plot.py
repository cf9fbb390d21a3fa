"""Draws what the bench found, and prints its table: `python -m tests.bench.plot report.json performance.svg`."""

import json
import sys
from html import escape
from pathlib import Path
from typing import Any

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
    Path(sys.argv[2]).write_text(draw(found), encoding="utf-8")
    sys.stdout.write(table(found))
