"""Auth on MySQL 8 instead of MariaDB: tests that depend on locks, unique keys and deletes."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
MYSQL8_URL = os.environ.get("MYSQL8_URL", "")
FILES = ("test_races.py", "test_sessions.py", "test_registration.py", "test_erasure.py")


@pytest.mark.skipif(not MYSQL8_URL, reason="MYSQL8_URL is not set: start a server with tests/services/mysql8/start")
def test_auth_works_on_mysql_8(tmp_path: Path) -> None:
    """In a separate process, which uses this one's Redis meanwhile, and SQLite for the other contexts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "BROKER"))}
    for name in ("DATABASE_URL", "ELASTICSEARCH_URL"):
        kept.pop(name, None)
    name = f"mysql8_{os.getpid()}_{{context}}"
    environment = {
        **kept,
        "AUTH_DATABASE_URL": urlsplit(MYSQL8_URL)._replace(path=f"/{name}").geturl(),
        "DATA_DIR": str(tmp_path),
    }
    files = [f"tests/auth/{file}" for file in FILES]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert "skipped" not in done.stdout, "the tests of races must run"
