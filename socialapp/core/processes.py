"""What the kernel knows about this process: its name, and when to end it. Linux only; elsewhere both do nothing."""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def end_with_parent(sent: int = signal.SIGTERM) -> None:
    """Makes the kernel send this process a signal when its parent dies, in whatever way.

    Source: prctl(2), PR_SET_PDEATHSIG; it survives execve, but not fork: each child sets its own.
    """
    _prctl(_PR_SET_PDEATHSIG, sent)


def name_process(name: str) -> None:
    """Sets the name that ps and top show for this process. Source: prctl(2), PR_SET_NAME."""
    _prctl(_PR_SET_NAME, name.encode())


def _prctl(option: int, value: int | bytes) -> None:
    try:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except AttributeError:
        return
