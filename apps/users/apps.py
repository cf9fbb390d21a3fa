"""The Django app of the users context."""

from django.apps import AppConfig

from socialapp.contracts.bulk import BulkTransfer, PopulationTables
from socialapp.contracts.drift import DriftChecks
from socialapp.contracts.users import Users
from socialapp.rpc.calls import serve


class UsersConfig(AppConfig):
    """Registers the services that users provides to the other contexts."""

    name = "apps.users"
    label = "users"
    verbose_name = "Users"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.users.service import POPULATION, UsersBulkTransfer, UsersDriftChecks, UsersService

        serve(Users, implementation=UsersService())
        serve(BulkTransfer, implementation=UsersBulkTransfer(), context="users")
        serve(DriftChecks, implementation=UsersDriftChecks(), context="users")
        serve(PopulationTables, implementation=POPULATION, context="users")
