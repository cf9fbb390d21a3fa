"""`manage.py serve ROLE`: runs one role in this process, or all under a supervisor, for servers and containers."""

import gc
import os
import threading
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from socialapp.core.contexts import serves
from socialapp.runtime.roles import ROLES, WEB_PORT, answers, binding, preload
from socialapp.runtime.supervisor import Service, Supervisor
from socialapp.telemetry.operations import serve_operations

ALL = "all"


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; logs to stderr, one JSON object per line (`all` also logs to DATA_DIR/logs)."""

    help = (
        "Run one role: "
        + ", ".join(f"{name} ({(run.__doc__ or '').splitlines()[0]})" for name, run in ROLES.items())
        + ". Or all of them under one supervisor: a small service in one container."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The role, or all."""
        parser.add_argument("role", choices=[*ROLES, ALL])
        parser.add_argument("--migrate", action="store_true", help="with `all`: make the tables first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serves; objects loaded so far are hidden from the garbage collector, for roles that fork."""
        if options["role"] == ALL:
            _serve_all(migrate=options["migrate"])
        elif options["migrate"]:
            raise CommandError("--migrate is for `all`: run migrate_all before single roles")
        else:
            _share_memory()
            ROLES[options["role"]]()


def _serve_all(*, migrate: bool) -> None:
    """Serves every role that the served contexts need, forked after loading everything once."""
    preload()
    logs = settings.DATA_DIR / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(logs)
    _share_memory()
    try:
        # in its own process, so that the supervisor holds no connection
        if migrate and (status := supervisor.run_once("migrate", partial(call_command, "migrate_all", verbosity=0))):
            raise CommandError(f"the databases could not be prepared (status {status}); see {logs}/migrate.log")
        port = os.environ.pop("METRICS_PORT", "")  # one for all roles: their metrics are summed in a shared folder
        supervisor.start(Service(name, run) for name, run in ROLES.items() if name != "sockets" or _has_sockets())
        if port:
            supervisor.start([Service("operations", lambda: _serve_operations(port))])
        supervisor.run()
    finally:
        supervisor.stop()


def _serve_operations(port: str) -> None:
    os.environ["METRICS_PORT"] = port
    web = binding("web", default_port=WEB_PORT)
    serve_operations(lambda: answers(web))
    threading.Event().wait()


def _has_sockets() -> bool:
    """Whether notifications, which has the WebSocket, is served."""
    return serves("notifications")


def _share_memory() -> None:
    gc.collect()
    gc.freeze()
