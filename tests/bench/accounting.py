"""CPU time and memory of processes, from the operating system's accounting."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil


def listening(port: int) -> psutil.Process:
    """The process that listens on a loopback port; LookupError if there is none."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            return psutil.Process(connection.pid)
    raise LookupError(f"nothing listens on port {port}")


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all its descendants."""
    return [process, *process.children(recursive=True)]


@dataclass(frozen=True, slots=True)
class Meter:
    """Adds up the CPU time of groups of processes: name → root processes."""

    groups: dict[str, list[psutil.Process]]

    def read(self) -> dict[str, float]:
        """CPU seconds so far, by group."""
        return {name: sum(_cpu(root) for root in roots) for name, roots in self.groups.items()}

    def since(self, before: dict[str, float]) -> dict[str, float]:
        """CPU seconds by group since an earlier reading."""
        now = self.read()
        return {name: now[name] - before[name] for name in now}


def _cpu(root: psutil.Process) -> float:
    total = 0.0
    for process in family(root):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def proportional_memory(roots: Iterable[psutil.Process]) -> float:
    """Memory of all processes together, in MiB; shared memory is counted once (PSS)."""
    return sum(process.memory_full_info().pss for root in roots for process in family(root)) / 2**20
