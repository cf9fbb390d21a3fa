"""Starts Debian's nginx with the gateway's configuration from `docker/gateway/render`."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenarios.product import ROOT, free_port

FOLDER = ROOT / "docker" / "gateway"
_START_SECONDS = 180.0
_NEEDS = "nginx libnginx-mod-http-js gettext-base"


@dataclass
class Gateway:
    """A running gateway; `variables` are those of `render`."""

    folder: Path
    variables: dict[str, str]
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it accepts connections."""
        services = ROOT / "tests" / "services" / "lib.sh"
        subprocess.run(["bash", "-c", f". {services}; SVC=nginx; need_apt {_NEEDS}"], check=True, timeout=300)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write()
        with (self.folder / "nginx.out").open("wb") as output:
            self.process = subprocess.Popen(self._command("daemon off;"), stdout=output, stderr=output)
        deadline = time.monotonic() + _START_SECONDS
        while not self._takes_connections():
            said = (self.folder / "nginx.out").read_text()
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)

    def change(self, **variables: str) -> None:
        """Reloads it with other variables, as in production: old workers finish their requests, new ones take over.

        Returns when no old one takes connections any more.
        """
        assert self.process
        before = self._workers()
        self.variables = {**self.variables, **variables}
        self._write()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + _START_SECONDS
        while not (self._workers() - before and all(map(_is_leaving, before))):
            assert time.monotonic() < deadline, (self.folder / "error.log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stops it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)

    def log(self) -> str:
        """Its access log."""
        return (self.folder / "access.log").read_text()

    def exchange(self, sent: bytes) -> str:
        """Sends raw bytes, which an HTTP library would normalize; returns all responses of the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(sent)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def _workers(self) -> set[int]:
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    def _takes_connections(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _write(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_RUN_DIR": str(self.folder),
            "GATEWAY_ACCESS_LOG": str(self.folder / "access.log"),
            "GATEWAY_ERROR_LOG": str(self.folder / "error.log"),
            "GATEWAY_WORKERS": "1",
            "GATEWAY_CONNECTIONS": "512",
            "PUBLIC_URL": self.url,
            **self.variables,
        }
        made = subprocess.run(
            [str(FOLDER / "render")], env=environment, check=True, capture_output=True, text=True, timeout=60
        )
        (self.folder / "nginx.conf").write_text(made.stdout)
        check = subprocess.run([*self._command()[:-2], "-t"], capture_output=True, text=True, timeout=60, check=False)
        assert check.returncode == 0, check.stderr

    def _command(self, directives: str = "") -> list[str]:
        """If nginx runs as root, its workers switch to nobody, who cannot access the tests' folders."""
        if os.geteuid() == 0:
            directives += " user root;"
        folder = str(self.folder)
        return ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log", "-g", directives]


def _is_leaving(worker: int) -> bool:
    """Whether it has ended, or only finishes its requests: nginx says so in the title of the process."""
    try:
        return b"is shutting down" in Path(f"/proc/{worker}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True
