"""`manage.py invites create|list|revoke ID`: codes to register with while REGISTRATION is invite."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.auth import actions
from socialapp.core.errors import Invalid, NotFound
from socialapp.core.json import rfc3339


class Command(BaseCommand):
    """Creates, lists and revokes invites."""

    help = (
        "create: creates a code and prints it; it cannot be shown again. list: all invites, newest first. revoke ID:"
        " deletes an invite; accounts created with it stay. Exit code 1 for an unknown id or a number out of range."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("action", choices=["create", "list", "revoke"])
        parser.add_argument("invite_id", nargs="?", type=int, help="revoke: which, as shown by list")
        parser.add_argument(
            "--uses", type=int, default=1, help="create: how many people may register with it (default 1)"
        )
        parser.add_argument("--days", type=int, help="create: how long it is valid (default: until it is used up)")
        parser.add_argument("--note", default="", help="create: who it is for, at most 100 characters")
        parser.add_argument(
            "--dry-run", action="store_true", help="create, revoke: say what would be done, and do nothing"
        )
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the new invite, all invites, or the id of the revoked one."""
        if (options["action"] == "revoke") != (options["invite_id"] is not None):
            raise CommandError("only revoke takes the id of an invite, and requires it")
        try:
            if options["dry_run"] and options["action"] != "list":
                self._report(self._plan(**options), as_json=options["json"])
            elif options["action"] == "create":
                made = actions.create_invite(uses=options["uses"], days=options["days"], note=options["note"])
                self._print([made], as_json=options["json"])
            elif options["action"] == "list":
                self._print(actions.invite_states(), as_json=options["json"])
            else:
                actions.revoke_invite(invite_id=options["invite_id"])
                done = {"revoked": str(options["invite_id"])}
                self.stdout.write(json.dumps(done) if options["json"] else f"revoked {options['invite_id']}")
        except (Invalid, NotFound) as problem:
            raise CommandError(problem.errors[0].detail if problem.errors else problem.detail) from None

    def _plan(self, **options: Any) -> str:
        """What would be done; NotFound for an unknown invite, Invalid for numbers out of range."""
        if options["action"] == "create":
            actions.check_invite(uses=options["uses"], days=options["days"], note=options["note"])
            return f"make an invite for {options['uses']} registrations"
        if options["invite_id"] not in {invite.id for invite in actions.invite_states()}:
            raise NotFound("there is no such invite")
        return f"revoke invite {options['invite_id']}"

    def _report(self, what: str, *, as_json: bool) -> None:
        self.stdout.write(json.dumps({"done": False, "what": what}) if as_json else f"would {what}")

    def _print(self, invites: list[actions.InviteState], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps([_body(invite) for invite in invites]))
            return
        for invite in invites:
            until = f"until {rfc3339(invite.expires_at)}" if invite.expires_at else "no expiry"
            parts = (str(invite.id), invite.code, f"uses left: {invite.uses_left}", until, invite.note)
            self.stdout.write("  ".join(part for part in parts if part))


def _body(invite: actions.InviteState) -> dict[str, object]:
    body: dict[str, object] = {
        "id": str(invite.id),
        "note": invite.note,
        "uses_left": invite.uses_left,
        "created_at": rfc3339(invite.created_at),
        "expires_at": rfc3339(invite.expires_at) if invite.expires_at else None,
    }
    return {**body, "code": invite.code} if invite.code else body
