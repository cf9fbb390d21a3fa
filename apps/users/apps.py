"""The Django app of the users context."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Registers what users serves to the other contexts."""

    name = "apps.users"
    label = "users"
    verbose_name = "Users"

    def ready(self) -> None:
        """Answers calls to the contracts."""
        from apps.users.service import UsersProjections, UsersRecords, UsersService
        from socialapp.calls import serve
        from socialapp.contracts.projections import Projections
        from socialapp.contracts.records import Records
        from socialapp.contracts.users import Users

        serve(Users, UsersService())
        serve(Records, UsersRecords(), context="users")
        serve(Projections, UsersProjections(), context="users")
