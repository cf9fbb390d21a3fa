"""`./run`: one command, one address, and no processes left behind."""

import contextlib
import json
import random
import re
import signal
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from PIL import Image
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.run.installation import (
    STOP_SECONDS,
    Installation,
    all_gone,
    clean_environment,
    run_to_end,
    started,
    until,
)
from tests.scenarios.product import free_port
from tests.security.people import join

ROLES = ["valkey", "web", "sockets", "background", "gateway"]
MOST_MIB = 360  # idle 235, but other tests may have used it before


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation, shared by tests that do not change it."""
    with started(tmp_path_factory.mktemp("run") / "var") as found:
        yield found


def test_rest_docs_admin_static_files_and_websocket_answer_on_one_port(installation: Installation) -> None:
    for path in ("/", "/v1/docs", "/v1/schema", "/admin/login/", "/static/admin/css/base.css"):
        assert httpx.get(installation.url + path, timeout=10).status_code == 200, path
    url = installation.url.replace("http", "ws", 1)
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"{url}/ws/nowhere/")
    assert refusal.value.response.status_code == 403, "the response must come from the sockets role"


def test_no_outgoing_connection_can_take_the_port_of_valkey(installation: Installation) -> None:
    """Linux gives them ports from 32768 on: while Valkey restarts, a client could connect to itself."""
    note = Path(installation.environment["DATA_DIR"]) / "run" / "redis.url"
    assert 20_000 <= (urlsplit(note.read_text()).port or 0) < 32_768


def test_internal_paths_get_404_from_the_gateway(installation: Installation) -> None:
    for path in ("/metrics", "/internal/users/Users/profiles", "//metrics", "/%6Detrics", "/INTERNAL/x"):
        answer = httpx.get(installation.url + path)
        assert answer.status_code == 404, path
        assert answer.json()["code"] in ("gateway_404", "not_found"), path


def test_responses_are_compressed_except_those_of_auth(installation: Installation) -> None:
    with httpx.Client(base_url=installation.url, headers={"Accept-Encoding": "gzip"}) as client:
        person = {"email": "zip@example.org", "username": "zip", "password": "correct horse battery"}
        signed_in = [client.post("/v1/auth/register", json=person)]
        login = {"login": "zip", "password": "correct horse battery"}
        signed_in += [client.post("/v1/auth/login", json=login) for _ in range(5)]
        client.headers["Authorization"] = f"Bearer {signed_in[-1].json()['access']}"
        sessions = client.get("/v1/auth/sessions")
        assert len(sessions.content) > 1_024, "other responses of this size are compressed"
        written = client.post("/v1/posts", json={"content": "compressed " * 200})
        assert [sessions.headers.get("Content-Encoding"), written.headers.get("Content-Encoding")] == [None, "gzip"]
        for path in ("/", "/v1/explore", "/v1/schema"):
            assert client.get(path).headers["Content-Encoding"] == "gzip", path

        address = f"/v1/posts/{written.json()['id']}"
        tag = client.get(address).headers["ETag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', f'{tag}, "other"'):
            assert client.get(address, headers={"If-None-Match": known}).status_code == 304, known
        assert client.patch(address, json={"content": "New"}, headers={"If-Match": tag}).status_code == 200
        assert client.patch(address, json={"content": "Stale"}, headers={"If-Match": tag}).status_code == 412


def test_the_length_that_head_states_is_that_of_get(installation: Installation) -> None:
    address = f"{installation.url}/static/landing.css"
    length = len(httpx.get(address, headers={"Accept-Encoding": "identity"}).content)
    stated = httpx.head(address, headers={"Accept-Encoding": "gzip"}).headers
    assert ("Content-Encoding" in stated, int(stated["Content-Length"])) == (False, length)


def test_every_server_returns_the_request_id(installation: Installation) -> None:
    paths = ("/", "/v1/hashtags/trending", "/v1/nowhere", "/metrics", "/ws/notifications/", "/static/landing.css")
    for path in paths:
        named = httpx.get(installation.url + path, headers={"X-Request-ID": "Mine-1.2_3"})
        assert named.headers.get_list("X-Request-ID") == ["Mine-1.2_3"], path
        for headers in ({}, {"X-Request-ID": "not one of ours"}):
            (made,) = httpx.get(installation.url + path, headers=headers).headers.get_list("X-Request-ID")
            assert re.fullmatch(r"[a-z0-9-]{32,36}", made), (path, made)
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"{installation.url.replace('http', 'ws', 1)}/ws/nowhere/", additional_headers={"X-Request-ID": "Mine"})
    assert refusal.value.response.headers.get_all("X-Request-ID") == ["Mine"]


@pytest.mark.parametrize(
    ("size", "statuses"), [(5_000, (422, 401)), (60_000, (422, 401)), (100_000, (414, 401)), (125_000, (414, 401))]
)
def test_long_urls_and_headers_get_a_problem(installation: Installation, size: int, statuses: tuple[int, int]) -> None:
    long_address: tuple[str, dict[str, str]] = (f"/v1/search?q={'a' * size}", {})
    long_header = ("/v1/feed", {"Authorization": f"Bearer {'a' * size}"})
    for (path, headers), status in zip((long_address, long_header), statuses, strict=True):
        with contextlib.closing(HTTPConnection(installation.url.removeprefix("http://"), timeout=20)) as asked:
            asked.request("GET", path, headers=headers)
            answer = asked.getresponse()
            body = json.loads(answer.read())
        assert (answer.status, body["status"]) == (status, status), path[:20]
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"zz\r\nabc\r\n", b"2\r\nabcdef\r\n0\r\n\r\n"])
def test_a_body_with_invalid_chunks_gets_400(installation: Installation, body: bytes) -> None:
    head = b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", int(installation.environment["PORT"])), timeout=20) as asked:
        asked.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        answer = HTTPResponse(asked)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (400, "malformed")


def test_a_body_that_is_too_large_gets_a_problem(installation: Installation) -> None:
    body = b"x" * 10_000_000
    json_type = {"Content-Type": "application/json"}
    url = f"{installation.url}/v1/auth/login"
    for attempt in range(20):  # a race: the response may arrive while the gateway still forwards the body
        answer = httpx.post(url, content=body if attempt % 2 else iter([body]), headers=json_type)
        assert answer.status_code == 413
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize("path", ["/v1/auth/login", "/v1/media", "/internal/x", "/ws/notifications/", "/health/live"])
@pytest.mark.parametrize("length", ["Content-Length: 9000000", "Transfer-Encoding: chunked"])
def test_the_rest_of_a_rejected_body_is_not_parsed_as_a_request(
    installation: Installation, path: str, length: str
) -> None:
    """Otherwise a client behind a shared proxy connection could get the response to somebody else's request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode()
    hidden = (b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200_000)[:9_000_000]
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden) if "chunked" in length else hidden
    answers = b""
    with socket.create_connection(("127.0.0.1", int(installation.environment["PORT"])), timeout=1) as asked:
        with contextlib.suppress(OSError):
            asked.sendall(head + body)
        asked.settimeout(20)  # only for the first response: a busy machine may be slow
        with contextlib.suppress(OSError):  # the connection is closed, or no more data arrives
            while received := asked.recv(2**16):
                answers += received
                asked.settimeout(1)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers)[1:] == []
    assert answers.startswith(b"HTTP/1.1 4")


def test_a_small_chunked_body_is_accepted(installation: Installation) -> None:
    parts = iter([b'{"login":"nobody",', b'"password":"no such password"}'])
    answer = httpx.post(
        f"{installation.url}/v1/auth/login", content=parts, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_credentials"


def test_many_small_chunked_bodies_at_once_are_accepted(installation: Installation) -> None:
    """They are received as fast as others, and need not wait for room as large ones do."""

    def answer(_: int) -> int:
        json_type = {"Content-Type": "application/json"}
        return httpx.post(f"{installation.url}/v1/auth/login", content=iter([b"{}"]), headers=json_type).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(answer, range(40))) == {422}


def test_the_memory_of_all_processes_stays_small(installation: Installation) -> None:
    used = installation.pss_mib()
    print(f"memory of all processes: {used:.0f} MiB")  # noqa: T201  (a figure to read)
    assert used <= MOST_MIB


def test_a_large_chunked_upload_is_received_whole(installation: Installation) -> None:
    image = BytesIO()
    Image.frombytes("RGB", (1000, 1000), random.Random(1).randbytes(3_000_000)).save(image, "PNG")
    upload = {"file": ("noise.png", image.getvalue(), "image/png")}
    whole = httpx.Request("POST", f"{installation.url}/v1/media", files=upload)
    bearer = {"Authorization": f"Bearer {join(installation).access}"}
    headers = {**bearer, "Content-Type": whole.headers["Content-Type"]}
    answer = httpx.post(whole.url, content=iter([whole.read()]), headers=headers, timeout=30)
    assert answer.status_code == 202, answer.text
    address = f"{installation.url}/v1/media/{answer.json()['id']}"
    until(lambda: httpx.get(address, headers=bearer).json()["status"] == "ready", why="it is not ready")


def test_no_cache_keeps_that_a_file_is_missing(installation: Installation) -> None:
    """Its response would have the Cache-Control of the file, which may come back (`manage.py media reprocess`)."""
    image = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(image, "PNG")
    with httpx.Client(base_url=installation.url, headers=join(installation).headers, timeout=30) as client:
        media_id = client.post("/v1/media", files={"file": image.getvalue()}).json()["id"]
        address = f"/v1/media/{media_id}"
        until(lambda: client.get(address).json()["status"] == "ready", why="it is not ready")
        url = client.get(address).json()["url"]
        assert "immutable" in client.get(url).headers["Cache-Control"]
        for file in Path(installation.environment["DATA_DIR"]).glob("media/files/*/*"):
            file.unlink()
        missing = client.get(url)
    assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")


def test_every_role_logs_json_lines_to_its_own_file(installation: Installation) -> None:
    httpx.get(installation.url)
    logs = Path(installation.environment["DATA_DIR"]) / "logs"
    until(lambda: '"event": "request"' in (logs / "web.log").read_text(), why="no request was logged")
    assert {path.stem for path in logs.glob("*.log")} >= set(ROLES)
    for log in logs.glob("*.log"):
        for line in log.read_text().splitlines():
            assert isinstance(json.loads(line), dict), log


def test_secrets_are_readable_by_their_owner_only_and_are_kept(installation: Installation) -> None:
    path = Path(installation.environment["DATA_DIR"]) / "secrets.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    assert "BEGIN PRIVATE KEY" in before
    assert run_to_end(installation.environment, "manage", "migrate_all", "--check").returncode == 0
    assert path.read_text() == before


def test_doctor_finds_nothing_in_a_healthy_installation(installation: Installation) -> None:
    found = run_to_end(installation.environment, "manage", "doctor", "--json")
    assert (found.returncode, json.loads(found.stdout)) == (0, [])


@pytest.mark.parametrize(("host", "factor"), [("127.0.0.1", "50"), ("0.0.0.0", "4")])
def test_the_limit_per_address_is_higher_on_loopback(installation: Installation, host: str, factor: str) -> None:
    code = "from django.conf import settings; print(settings.RATE_ADDRESS_FACTOR)"
    said = run_to_end({**installation.environment, "HOST": host}, "manage", "shell", "--no-imports", "-c", code)
    assert (said.returncode, said.stdout.strip()) == (0, factor), said.stderr


def test_a_taken_port_is_reported_in_one_line(installation: Installation, tmp_path: Path) -> None:
    port = int(installation.environment["PORT"])
    refused = run_to_end(clean_environment(tmp_path / "var", port))
    assert refused.returncode == 1
    assert [line for line in refused.stderr.splitlines() if "taken" in line] == refused.stderr.splitlines()


def test_a_data_folder_in_use_is_reported_in_one_line(installation: Installation) -> None:
    refused = run_to_end({**installation.environment, "PORT": str(free_port())})
    assert refused.returncode == 1
    assert [line for line in refused.stderr.splitlines() if "in use" in line] == refused.stderr.splitlines()
    until(installation.answers, why="the product does not answer")


@pytest.mark.parametrize("killed", ROLES)
def test_a_killed_role_is_restarted(installation: Installation, killed: str) -> None:
    victim = next(child for child in installation.children() if _role(child) == killed)
    number = len(installation.children())
    victim.kill()
    death = f"{killed} (pid {victim.pid}) was killed by SIGKILL"
    until(lambda: death in installation.said(), why="its death was not logged")
    until(lambda: len(installation.children()) == number, why=f"{killed} was not started again")
    until(installation.answers, why="the product does not answer")


def test_while_the_web_role_is_unavailable_clients_are_told_to_try_again(installation: Installation) -> None:
    supervisor = psutil.Process(installation.process.pid)
    supervisor.suspend()  # does not start it again
    try:
        web = next(child for child in installation.children() if _role(child) == "web")
        for process in (*web.children(recursive=True), web):
            process.kill()
        answer = httpx.post(f"{installation.url}/v1/auth/login", json={}, timeout=30)
    finally:
        supervisor.resume()
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "2")
    assert answer.json()["status"] == 503
    until(installation.answers, why="the product does not answer")


def test_an_exposed_host_requires_a_flag(tmp_path: Path) -> None:
    refused = run_to_end(clean_environment(tmp_path / "var", free_port(), HOST="0.0.0.0"))
    assert refused.returncode == 1
    assert "--expose" in refused.stderr.splitlines()[-1]


def test_an_unusable_data_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refused = run_to_end(clean_environment(tmp_path / "file" / "var", free_port()))
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "DATA_DIR" in refused.stderr


def test_an_old_python_is_reported_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    environment = clean_environment(tmp_path / "var", free_port(), PYTHON=str(old))
    del environment["SOCIALAPP_PYTHON"]
    refused = run_to_end(environment)
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "3.11" in refused.stderr


def test_one_signal_stops_all_processes_and_it_starts_again(tmp_path: Path) -> None:
    for sent in (signal.SIGINT, signal.SIGTERM):
        with started(tmp_path / "var") as running:
            processes = running.all_processes()
            asked = time.monotonic()
            running.process.send_signal(sent)
            assert running.process.wait(STOP_SECONDS) == 0, sent
            assert time.monotonic() - asked < STOP_SECONDS, sent
            assert all_gone(processes), f"{sent}: a process was left behind"
    with started(tmp_path / "var") as running:
        until(running.answers, why="the product does not answer")
        processes = running.all_processes()
        running.process.kill()
        running.process.wait()
        until(lambda: all_gone(processes), seconds=STOP_SECONDS, why="something outlived its supervisor")
        assert _refuses(int(running.environment["PORT"]))


def _refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


_PROGRAMS = {"valkey-server": "valkey", "caddy": "gateway"}


def _role(child: psutil.Process) -> str:
    """The role of a child of the supervisor, from its process name."""
    return _PROGRAMS.get(child.name(), child.name())
