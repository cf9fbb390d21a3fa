"""manage.py with an additional event for these tests: `python -m tests.transports.probe_app serve worker`.

Moderation's handler records every probe it receives, in order. It fails on negative ones, and while the file PROBE_HOLD
exists, it keeps its transaction open.
"""

import gc
import os
import sys
import time
from pathlib import Path

gc.disable()  # see manage.py

from socialapp.contracts.base import EVENTS, event
from socialapp.messaging import registry

CONSUMER = "moderation"


@event("metrics.probe_sent", subject="probe_id", partition="partition")
class ProbeSent:
    """A test has sent a probe."""

    probe_id: int
    partition: int


def receive(probe: ProbeSent) -> None:
    """Records the probe in the transaction of its inbox entry."""
    from django.db import connections

    with connections[CONSUMER].cursor() as cursor:
        cursor.execute("INSERT INTO received (probe, partition) VALUES (%s, %s)", [probe.probe_id, probe.partition])
    if probe.probe_id < 0:
        raise ValueError("failing probe")
    hold = Path(os.environ["PROBE_HOLD"])
    while hold.exists():
        hold.with_suffix(".reached").touch()
        time.sleep(0.05)


def main() -> None:
    """Registers the handler before the queues are set up, then runs manage.py."""
    name = EVENTS["metrics.probe_sent.v1"].name
    registry._handlers[(CONSUMER, name)].append(registry.Handler(f"{CONSUMER}.receive", CONSUMER, name, receive, None))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
