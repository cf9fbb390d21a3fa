"""The Django app of the auth context."""

from django.apps import AppConfig


class AuthConfig(AppConfig):
    """Registers what auth serves to the other contexts."""

    name = "apps.auth"
    label = "identity"
    verbose_name = "Auth"

    def ready(self) -> None:
        """Answers for accounts, bulk records and revoked tokens."""
        from apps.auth.service import AccountRecords, AuthService, RevocationService
        from socialapp.calls import serve
        from socialapp.contracts.auth import Auth
        from socialapp.contracts.records import Records
        from socialapp.contracts.revocations import Revocations

        serve(Auth, AuthService())
        serve(Records, AccountRecords(), context="auth")
        serve(Revocations, RevocationService())
