"""The Django app of the users context."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Registers what users serves to the other contexts."""

    name = "apps.users"
    label = "users"
    verbose_name = "Users"

    def ready(self) -> None:
        """Serves `Users`."""
        from apps.users.service import UsersService
        from socialapp.calls import serve
        from socialapp.contracts.users import Users

        serve(Users, UsersService())
