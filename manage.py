#!/usr/bin/env python
"""Runs socialapp's commands: `manage.py help` lists them."""

import gc
import os
import signal
import sys

gc.disable()  # until all is loaded, of which nothing is garbage: looking for it is a fifth of the time to start

from socialapp.runtime.commands import run_command
from socialapp.telemetry.multiprocess import keep_metrics_private, share_metrics

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")
    if sys.argv[1:2] == ["serve"]:
        # Until the role has its own handler: without any, the first process of a container would not notice.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        share_metrics(next((word for word in sys.argv[2:] if not word.startswith("-")), ""))
    else:
        keep_metrics_private()
    run_command(sys.argv)
