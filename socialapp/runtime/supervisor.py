"""A process that loads Django once, forks the others, restarts those that die, and ends them together.

docs/adr/0002 explains why this is not a process manager from a library.
"""

import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, NoReturn

from socialapp.core.processes import end_with_parent, name_process

STOP_SECONDS = 7.0
LAST_STOP_SECONDS = 1.5
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0
_SETTLED_SECONDS = 20.0
_LOG_BYTES = 10_000_000
_PIPE_BYTES = 65_536


@dataclass
class Service:
    """A child: `run` is called in the forked process, and either returns when it ends or replaces the process by a
    program."""

    name: str
    run: Callable[[], object]
    stops_last: bool = False  # others need it while they end
    shown: bool = True  # its lines also go to the terminal, not only to its log
    pid: int = 0
    started_at: float = 0.0
    pause: float = _FIRST_PAUSE
    restart_at: float = 0.0
    output: int = -1
    unfinished: bytes = b""
    log: logging.Logger = field(default_factory=lambda: logging.Logger("role"))


class Supervisor:
    """Runs services until a signal ends it. The calling process must have no threads and no open connections."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._services: list[Service] = []
        self._selector = selectors.DefaultSelector()
        self._stop_signals = 0
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sent, self._note_stop)

    @property
    def stopping(self) -> bool:
        """Whether a signal asked it to stop."""
        return self._stop_signals > 0

    def start(self, services: Iterable[Service]) -> None:
        """Starts services and supervises them from now on."""
        for service in services:
            service.log = _file_log(self._log_folder / f"{service.name}.log")
            self._services.append(service)
            self._fork(service)

    def run_once(self, name: str, run: Callable[[], object]) -> int:
        """Runs a function in a child until it ends, while supervising the others; returns its exit status."""
        service = Service(name, run)
        service.log = _file_log(self._log_folder / f"{name}.log")
        self._fork(service)
        while True:
            if self.stopping:
                _signal_group(service, signal.SIGTERM)
            ended, status = os.waitpid(service.pid, os.WNOHANG)
            if ended:
                self._close_output(service)
                return os.waitstatus_to_exitcode(status)
            self._wait(0.2)
            self._look_after()

    def run_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Supervises the services until `done()`, which is called ten times a second; False if time ran out."""
        deadline = time.monotonic() + seconds
        while not done():
            if self.stopping or time.monotonic() > deadline:
                return False
            self._wait(0.1)
            self._look_after()
        return True

    def run(self) -> None:
        """Supervises the services until a signal asks it to stop."""
        while not self.stopping:
            self._wait(self._next_pause())
            self._look_after()

    def stop(self) -> None:
        """Ends all services: asks first, then kills. A second Ctrl-C kills at once."""
        self._end([service for service in self._services if not service.stops_last], STOP_SECONDS)
        self._end([service for service in self._services if service.stops_last], LAST_STOP_SECONDS)
        self._drain()

    def _note_stop(self, *_: object) -> None:
        self._stop_signals += 1

    def _fork(self, service: Service) -> None:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become(service, write)
        os.close(write)
        os.set_blocking(read, False)
        service.pid, service.output, service.unfinished = pid, read, b""
        service.started_at = time.monotonic()
        self._selector.register(read, selectors.EVENT_READ, service)

    def _become(self, service: Service, output: int) -> NoReturn:
        """The child's side of the fork: starts a session (so that Ctrl-C only reaches the supervisor), then calls
        `run`."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(sent, signal.SIG_DFL)
            os.setsid()
            end_with_parent(signal.SIGTERM)
            name_process(service.name)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for number, target in ((nothing, 0), (output, 1), (output, 2)):
                os.dup2(number, target)
            self._selector.close()
            for other in self._services:
                if other.output >= 0:
                    os.close(other.output)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            service.run()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except KeyboardInterrupt:
            code = 0
        except BaseException as error:  # a fork must never return into the supervisor's code
            _print_fault(error)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._empty_wake_pipe()
            else:
                self._read_output(key.data)

    def _empty_wake_pipe(self) -> None:
        try:
            while self._wake_read.recv(_PIPE_BYTES):
                pass
        except BlockingIOError:
            return

    def _look_after(self) -> None:
        now = time.monotonic()
        for service in self._services:
            if service.pid and (status := _ended(service)) is not None:
                self._close_output(service)
                self._plan_restart(service, status, now)
            elif not service.pid and now >= service.restart_at and not self.stopping:
                self._fork(service)

    def _plan_restart(self, service: Service, status: int, now: float) -> None:
        _signal_group(service, signal.SIGKILL)  # processes it may have left behind
        if now - service.started_at > _SETTLED_SECONDS:
            service.pause = _FIRST_PAUSE
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        announce(f"{service.name} (pid {service.pid}) {how}; starting it again in {service.pause:g} s")
        service.pid, service.restart_at = 0, now + service.pause
        service.pause = min(service.pause * 2, _LONGEST_PAUSE)

    def _next_pause(self) -> float:
        waiting = [service.restart_at for service in self._services if not service.pid]
        return max(0.01, min(waiting) - time.monotonic()) if waiting else 60.0

    def _end(self, services: list[Service], seconds: float) -> None:
        asked = self._stop_signals
        running = [service for service in services if service.pid]
        for service in running:
            os.kill(service.pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while running and time.monotonic() < deadline and self._stop_signals == asked:
            self._wait(0.05)
            running = [service for service in running if _ended(service) is None]
        for service in services:
            if service.pid:
                _signal_group(service, signal.SIGKILL)
        for service in running:
            os.waitpid(service.pid, 0)

    def _drain(self) -> None:
        for service in self._services:
            self._close_output(service)

    def _read_output(self, service: Service) -> bool:
        """Writes the child's output to its log and to the terminal; False at the end of the output."""
        try:
            chunk = os.read(service.output, _PIPE_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._selector.unregister(service.output)
            os.close(service.output)
            service.output = -1
            return False
        *lines, service.unfinished = (service.unfinished + chunk).split(b"\n")
        for line in lines:
            _write_line(service, line.decode(errors="replace"))
        return True

    def _close_output(self, service: Service) -> None:
        if service.output < 0:
            return
        while self._read_output(service):
            pass
        if service.output >= 0:
            self._selector.unregister(service.output)
            os.close(service.output)
            service.output = -1


def announce(line: str) -> None:
    """Prints one line for the user at the terminal; a closed terminal does not end the process."""
    try:
        print(f"socialapp: {line}", file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        return


def _print_fault(error: BaseException) -> None:
    logging.getLogger("socialapp.runtime.supervisor").error("role.failed", exc_info=error)


def _ended(service: Service) -> int | None:
    """The exit status of a child that has ended (negative: the signal that killed it), else None."""
    pid, status = os.waitpid(service.pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def _signal_group(service: Service, sent: int) -> None:
    try:
        os.killpg(service.pid, sent)
    except (ProcessLookupError, PermissionError):
        return


def _file_log(path: Path) -> logging.Logger:
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    logger = logging.Logger(path.stem)
    logger.addHandler(handler)
    return logger


def _write_line(service: Service, line: str) -> None:
    if not line.strip():
        return
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        entry = {"level": "info", "event": line, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        line = json.dumps(entry)
    service.log.info("%s", line)
    if not service.shown:
        return
    try:
        print(_for_people(service.name, entry), file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        return


_NOT_SHOWN = {"event", "level", "timestamp", "request_id", "traceparent", "exception", "ts", "msg", "logger"}


def _for_people(name: str, entry: dict[str, Any]) -> str:
    """`12:00:01 web  GET /v1/feed 200 3.1 ms`, or the event with its fields; an exception on indented lines."""
    clock = time.strftime("%H:%M:%S")
    if entry.get("event") == "request" and "path" in entry:
        text = f"{entry['method']} {entry['path']} {entry['status']} {entry['milliseconds']} ms"
    else:
        fields = " ".join(f"{key}={value}" for key, value in entry.items() if key not in _NOT_SHOWN)
        text = f"{entry.get('event') or entry.get('msg', '')} {fields}".rstrip()
    level = str(entry.get("level", "info"))
    mark = "" if level in ("info", "debug") else f"{level.upper()} "
    trace = "".join(f"\n    {_escaped(line)}" for line in str(entry.get("exception") or "").splitlines())
    return f"{clock} {name:<8} {_escaped(mark + text)}{trace}"


def _escaped(text: str) -> str:
    """The text with all characters escaped that could forge a line or control the terminal. Source: CWE-117,
    CWE-150."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
