"""The folder in which the processes of one role, or of one container, share their Prometheus metrics."""

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_held: list[int] = []  # the lock, held as long as this process or one that it forked runs


def share_metrics(role: str) -> None:
    """Creates and empties the folder. Call it before importing `prometheus_client`, which reads the environment once.

    A role that forks gets a folder of its own if `PROMETHEUS_MULTIPROC_DIR` names none. Files of an earlier run are
    deleted, unless a process still uses the folder.
    """
    given = os.environ.get(_FOLDER)
    if not given:
        if not _forks(role):
            return
        given = os.environ[_FOLDER] = tempfile.mkdtemp(prefix="socialapp-metrics-")
        atexit.register(_remove, given, os.getpid())
    folder = Path(given)
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _held.append(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        for path in folder.glob("*.db"):
            path.unlink(missing_ok=True)
    fcntl.flock(lock, fcntl.LOCK_SH)


def keep_metrics_private() -> None:
    """For commands that are not roles: nobody reads their metrics, and only roles create the folder."""
    os.environ.pop(_FOLDER, None)


def _forks(role: str) -> bool:
    """Whether the role has several processes that count: the worker usually has, and a folder does no harm
    otherwise."""
    return role in ("worker", "all") or (role == "web" and os.environ.get("WEB_WORKERS", "1") != "1")


def _remove(folder: str, made_by: int) -> None:
    if os.getpid() == made_by:
        shutil.rmtree(folder, ignore_errors=True)
