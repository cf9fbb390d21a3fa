"""Runs axe, which finds accessibility problems of a page."""

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page, view: str) -> list[str]:
    """The problems that axe finds on the page, one per line."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE)
    found: list[dict[str, Any]] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})"
        ".then(result => result.violations)",
        _RULES,
    )
    return [f"{view}: {each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]
