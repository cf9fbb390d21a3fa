"""manage.py with an event that only these tests know: `python -m tests.transports.bells serve worker`.

Moderation's handler writes down every bell it hears, in order. A negative one is cracked; while the file BELLS_HOLD
exists, the handler stays in its transaction.
"""

import os
import sys
import time
from pathlib import Path

from socialapp.contracts.base import EVENTS, event
from socialapp.messaging import registry

CONSUMER = "moderation"


@event("metrics.bell_struck", subject="bell_id", partition="tower_id")
class BellStruck:
    """Somebody struck a bell of a tower."""

    bell_id: int
    tower_id: int


def hear(bell: BellStruck) -> None:
    """Notes the bell in the transaction of its inbox entry."""
    from django.db import connections

    with connections[CONSUMER].cursor() as cursor:
        cursor.execute("INSERT INTO heard (bell, tower) VALUES (%s, %s)", [bell.bell_id, bell.tower_id])
    if bell.bell_id < 0:
        raise ValueError("cracked bell")
    hold = Path(os.environ["BELLS_HOLD"])
    while hold.exists():
        hold.with_suffix(".reached").touch()
        time.sleep(0.05)


def main() -> None:
    """Registers the handler before the queues are named, then does what manage.py does."""
    name = EVENTS["metrics.bell_struck.v1"].name
    registry._handlers[(CONSUMER, name)].append(registry.Handler(f"{CONSUMER}.hear", CONSUMER, name, hear, None))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
