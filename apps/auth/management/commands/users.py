"""`manage.py users find|show|ban|unban|verify|sessions|reset|rename`: account support for operators."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.auth import access, actions, queries
from socialapp.contracts.moderation import Moderation
from socialapp.core.errors import Problem
from socialapp.core.json import rfc3339
from socialapp.rpc.calls import client


class Command(BaseCommand):
    """Finds, shows and repairs accounts. Bans go through moderation, which logs them and notifies people."""

    help = (
        "find TEXT: accounts with this id, or whose username or address is or begins with TEXT. show WHO: one account"
        " with its live sessions. ban WHO --reason, unban WHO --reason: in force at once; the action is logged and"
        " the person is notified and may appeal. verify WHO: marks the address as verified. sessions WHO: the live"
        " sessions; with --end, ends them. reset WHO: mails a key to set a new password. rename WHO NAME: changes the"
        " username. WHO is an id, a username or an e-mail address. Exit code 1 if there is no such account, or the"
        " change is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and with whom."""
        parser.add_argument("action", choices=["find", "show", "ban", "unban", "verify", "sessions", "reset", "rename"])
        parser.add_argument("who", help="an id, a username or an e-mail address; find: also the beginning of one")
        parser.add_argument("name", nargs="?", help="rename: the new username")
        parser.add_argument("--reason", default="", help="ban, unban: why; shown to the person")
        parser.add_argument("--end", action="store_true", help="sessions: end them all")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints accounts or sessions, or what was done."""
        if (options["action"] == "rename") != (options["name"] is not None):
            raise CommandError("only rename takes a new username, and requires it")
        if options["action"] == "find":
            self._print([_body(account) for account in queries.found_accounts(options["who"])], **options)
            return
        try:
            self._one(access.resolve_account(options["who"]), **options)
        except Problem as problem:
            raise CommandError("; ".join(error.detail for error in problem.errors) or problem.detail) from None

    def _one(self, account: queries.Account, **options: Any) -> None:
        sessions = queries.all_live_sessions(account.id)
        match options["action"]:
            case "show":
                self._print([{**_body(account), "sessions": len(sessions)}], **options)
            case "sessions" if not options["end"]:
                self._print([_session_body(session) for session in sessions], **options)
            case "sessions":
                self._do(f"end {len(sessions)} sessions of {account.username}", account, **options)
            case "ban" | "unban" as kind if not options["reason"].strip():
                raise CommandError(f"{kind} needs a --reason")
            case "ban" | "unban" as kind:
                self._do(f"{kind} {account.username}", account, **options)
            case "verify":
                self._do(f"mark {account.email} of {account.username} as verified", account, **options)
            case "reset":
                self._do(f"mail {account.username} a key to set a new password", account, **options)
            case _:
                self._do(f"rename {account.username} to {options['name']}", account, **options)

    def _do(self, what: str, account: queries.Account, **options: Any) -> None:
        if not options["dry_run"]:
            match options["action"]:
                case "sessions":
                    actions.end_sessions_of(user_id=account.id)
                case "ban" | "unban" as kind:
                    client(Moderation).sanction(user_id=account.id, kind=kind, reason=options["reason"])
                case "verify":
                    actions.verify_account(user_id=account.id)
                case "reset":
                    actions.request_password_reset(email=account.email)
                case _:
                    actions.rename_account(user_id=account.id, username=options["name"])
        if options["json"]:
            self.stdout.write(json.dumps({"id": str(account.id), "done": not options["dry_run"], "what": what}))
        else:
            self.stdout.write(f"would {what}" if options["dry_run"] else f"done: {what}")

    def _print(self, rows: list[dict[str, object]], **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write("  ".join(f"{name}: {value}" for name, value in row.items()))


def _body(account: queries.Account) -> dict[str, object]:
    return {
        "id": str(account.id),
        "username": account.username,
        "email": account.email,
        "email_verified": account.email_verified,
        "status": account.status,
        "roles": account.roles,
        "created_at": rfc3339(account.created_at),
    }


def _session_body(session: queries.SessionSummary) -> dict[str, object]:
    return {
        "id": str(session.id),
        "kind": session.kind,
        "user_agent": session.user_agent,
        "address": session.address,
        "last_used_at": rfc3339(session.last_used_at),
    }
