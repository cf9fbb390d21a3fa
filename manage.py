#!/usr/bin/env python
"""Runs socialapp's commands: `manage.py help` lists them."""

import os
import signal
import sys

from socialapp.commands import run_command
from socialapp.telemetry.sharing import count_alone, share_numbers

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")
    if sys.argv[1:2] == ["serve"]:
        # Until the role has its own handler: without any, the first process of a container would not notice.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        share_numbers(next((word for word in sys.argv[2:] if not word.startswith("-")), ""))
    else:
        count_alone()
    run_command(sys.argv)
