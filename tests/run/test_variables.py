"""`.env.example` lists every variable that the product reads."""

import re
from pathlib import Path

from socialapp.core.contexts import CONTEXTS

ROOT = Path(__file__).resolve().parents[2]
_READS = re.compile(r"""(?:\benv\.\w+\(|\burl_of\(|os\.environ\.get\(|os\.environ\[)\s*f?"([A-Z][A-Z0-9_]+)\"""")
# Set by `./run` for its own children, or Python's and Django's own.
_INTERNAL = {"DJANGO_SETTINGS_MODULE", "EMBEDDED_VALKEY", "CELERY_SKIP_CHECKS"}


def test_every_variable_is_documented() -> None:
    sources = [*(ROOT / "socialapp").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]
    read = {name for path in sources for name in _READS.findall(path.read_text())} - _INTERNAL
    documented = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text()))
    assert "SECRET_KEY" in read, "the pattern must find variables at all"
    assert sorted(read - documented) == [], "read by the product, but not in .env.example"
    assert {f"{name.upper()}_URL" for name in CONTEXTS} <= documented


def test_every_documented_variable_is_read() -> None:
    sources = "".join(path.read_text() for folder in ("socialapp", "apps") for path in (ROOT / folder).rglob("*.py"))
    sources += (ROOT / "run").read_text()
    derived = {f"{name.upper()}{end}" for name in CONTEXTS for end in ("_URL", "_DATABASE_URL")}
    derived |= {"WEB_PORT", "SOCKETS_PORT"}
    documented = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text()))
    assert sorted(name for name in documented - derived if f'"{name}"' not in sources) == []
