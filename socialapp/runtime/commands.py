"""Runs the commands of manage.py; an outage is printed as one line, not as a traceback."""

import os
import signal
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError, CommandParser, ManagementUtility, get_commands
from django.db import Error as DatabaseError

from socialapp.core.cache import redis_errors
from socialapp.core.errors import Problem

_EXPECTED: tuple[type[Exception], ...] = (
    DatabaseError,
    Problem,
    EOFError,
    OSError,
    UnicodeEncodeError,
    ImproperlyConfigured,
    *redis_errors(),
)
_NO_DEFAULT = "each context has a database: name it with --database, such as auth (for all: `migrate_all`)"
_INTERRUPTED, _PIPE_CLOSED, _TERMINATED = 130, 141, 143  # as in shells: 128 plus SIGINT, SIGPIPE and SIGTERM


def run_command(arguments: Sequence[str]) -> None:
    """Runs `arguments[1]`; exits with status 1 and the reason if a server, a table or a file is unavailable.

    With `--traceback` the exception itself is raised. Invalid arguments and unknown commands also print one line and
    exit with status 2.
    """
    CommandParser.error = _refuse_arguments  # type: ignore[assignment, method-assign]
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # Ends like after Ctrl-C: temporary files, some of which hold passwords, are deleted, and child processes end.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        try:
            _Commands(list(arguments)).execute()
        finally:
            sys.stdout.flush()  # here, where its failure is still reported like any other
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has enough: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_PIPE_CLOSED)
    except _EXPECTED as error:
        if "--traceback" in arguments:
            raise
        sys.exit(f"{arguments[1]}: {_reason(error)}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


class _Commands(ManagementUtility):
    """Django's, with a one-line message for unknown commands."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command. If the settings are broken, which hides commands, Django reports what is wrong with them."""
        commands = get_commands()
        if subcommand in commands or self.settings_exception is not None:
            return super().fetch_command(subcommand)
        alike = get_close_matches(subcommand, commands)
        advice = f"did you mean {alike[0]}?" if alike else f"{self.prog_name} help lists them"
        sys.stderr.write(f"{self.prog_name}: there is no command {subcommand!r} ({advice})\n")
        sys.exit(2)


def _refuse_arguments(parser: CommandParser, message: str) -> NoReturn:
    """Like Django's parser for invalid arguments, but without printing the usage: `--help` shows it."""
    if not parser.called_from_command_line:
        raise CommandError(message)
    parser.exit(2, f"{parser.prog}: {message} (--help shows what it takes)\n")


def _reason(error: Exception) -> str:
    if isinstance(error, Problem):
        return error.detail
    if isinstance(error, DatabaseError):
        return f"the database: {error} (`doctor` and `migrate_all --check` show more)"
    if isinstance(error, ImproperlyConfigured):
        return _NO_DEFAULT if "ENGINE" in str(error) else str(error)
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, UnicodeEncodeError):
        return f"text that is not {error.encoding} was given, or is to be printed"
    if isinstance(error, EOFError):
        return "there is nobody to ask: give it as an option or in the environment"
    return f"Redis: {error}"
