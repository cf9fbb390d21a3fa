"""The first load stays small: compressed bytes of scripts, style sheets and messages."""

import pytest

from web.assets import assets

_SCRIPTS = 60_000
_STYLES = 12_000
_FIRST_LOAD = 100_000


def compressed(path: str) -> int:
    found = assets().get(path)
    assert found, path
    assert found.compressed, path
    return len(found.compressed)


def test_scripts_and_style_sheets_stay_within_the_budget() -> None:
    assert compressed("app.js") + compressed("boot.js") <= _SCRIPTS
    assert compressed("styles/all.css") <= _STYLES


@pytest.mark.parametrize("language", ["en", "ar", "ja"])
def test_the_first_load_stays_within_the_budget(language: str) -> None:
    first = ("boot.js", "app.js", "styles/all.css", f"i18n/{language}.json")
    assert sum(compressed(path) for path in first) <= _FIRST_LOAD
