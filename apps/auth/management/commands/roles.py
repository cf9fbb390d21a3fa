"""`manage.py roles list|grant|revoke`: the roles of staff."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.auth import access, actions, queries
from socialapp.core.errors import Problem
from socialapp.core.principal import ADMIN, MODERATOR


class Command(BaseCommand):
    """Lists, grants and revokes the roles of staff."""

    help = (
        "list: all moderators and administrators. grant ROLE WHO, revoke ROLE WHO: grants or revokes a role, from the"
        " account's next request on; revoking one ends its sessions. WHO is an id, a username or an e-mail address."
        " Exit code 1 if there is no such account."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, which role, and whose."""
        parser.add_argument("action", choices=["list", "grant", "revoke"])
        parser.add_argument("role", nargs="?", choices=[MODERATOR, ADMIN])
        parser.add_argument("who", nargs="?", help="an id, a username or an e-mail address")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints staff, or the roles that the account has now."""
        if options["action"] == "list":
            rows = [{"id": str(one.id), "username": one.username, "roles": one.roles} for one in queries.staff()]
        elif options["role"] is None or options["who"] is None:
            raise CommandError("grant and revoke need a role and an account")
        else:
            rows = [self._change(options["action"], options["role"], options["who"], is_dry=options["dry_run"])]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write(f"{row['id']}  {row['username']:30} {', '.join(map(str, row['roles']))}")

    def _change(self, action: str, role: str, who: str, *, is_dry: bool) -> dict[str, Any]:
        try:
            account = access.resolve_account(who)
            if is_dry and action == "revoke":
                actions.check_revocable(user_id=account.id, role=role)
            elif not is_dry:
                change = actions.grant_role if action == "grant" else actions.revoke_role
                change(user_id=account.id, role=role)
        except Problem as problem:
            raise CommandError(problem.detail) from None
        roles = set(account.roles) | {role} if action == "grant" else set(account.roles) - {role}
        return {"id": str(account.id), "username": account.username, "roles": sorted(roles)}
