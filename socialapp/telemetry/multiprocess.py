"""The folder in which processes of one role, or of one container, count together for Prometheus."""

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_held: list[int] = []  # the lock, open as long as this process and those that it forks


def share_metrics(role: str) -> None:
    """Before `prometheus_client` is imported, which looks at the environment once: makes and empties the folder.

    A role that forks gets a folder of its own when `PROMETHEUS_MULTIPROC_DIR` names none. What an earlier run has left
    in it is deleted, unless a process still counts there.
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
    """For commands that are no role: nobody reads their numbers, and the folder is made by roles alone."""
    os.environ.pop(_FOLDER, None)


def _forks(role: str) -> bool:
    """Whether it has several processes that count: the worker mostly does, and keeps a folder if it does not."""
    return role in ("worker", "all") or (role == "web" and os.environ.get("WEB_WORKERS", "1") != "1")


def _remove(folder: str, made_by: int) -> None:
    if os.getpid() == made_by:
        shutil.rmtree(folder, ignore_errors=True)
