#!/usr/bin/env python
"""Runs socialapp's commands: `manage.py help` lists them."""

import os
import sys

from socialapp.commands import run_command
from socialapp.telemetry.sharing import count_alone, share_numbers

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")
    if sys.argv[1:2] == ["serve"]:
        share_numbers(next((word for word in sys.argv[2:] if not word.startswith("-")), ""))
    else:
        count_alone()
    run_command(sys.argv)
