"""`manage.py create_admin`: creates an administrator from options, the environment or a prompt."""

import getpass
import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.auth import actions
from socialapp.core.errors import Problem


class Command(BaseCommand):
    """Creates an account with the admin role, for the admin site and the API."""

    help = (
        "Creates an administrator. Values come from the options, then from ADMIN_USERNAME, ADMIN_EMAIL and"
        " ADMIN_PASSWORD, then from a prompt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """No option for the password: it would be visible in the process list."""
        parser.add_argument("--username", help="3 to 30 letters, digits, dots, underscores")
        parser.add_argument("--email")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the new account; exit code 1 with the reason if it cannot be created."""
        username = options["username"] or os.environ.get("ADMIN_USERNAME") or input("Username: ")
        email = options["email"] or os.environ.get("ADMIN_EMAIL") or input("E-mail: ")
        password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass("Password: ")
        try:
            new = actions.prepare_account(username=username, email=email, password=password, may_be_reserved=True)
            account = actions.create_admin(new=new)
        except Problem as problem:
            raise CommandError("; ".join(error.detail for error in problem.errors) or problem.detail) from None
        if options["json"]:
            self.stdout.write(json.dumps({"id": str(account.id), "username": account.username, "email": account.email}))
        else:
            self.stdout.write(f"administrator {account.username} created (id {account.id})")
