"""The Django app of the auth context."""

from django.apps import AppConfig


class AuthConfig(AppConfig):
    """Registers the services that auth provides to the other contexts."""

    name = "apps.auth"
    label = "identity"
    verbose_name = "Auth"

    def ready(self) -> None:
        """Serves accounts, bulk records and revoked tokens."""
        from apps.auth.service import POPULATION, AccountRecords, AuthService, RevocationService, SigningKeysService
        from socialapp.contracts.auth import Auth
        from socialapp.contracts.bulk import BulkTransfer, PopulationTables
        from socialapp.contracts.revocations import Revocations
        from socialapp.contracts.signing_keys import SigningKeys
        from socialapp.rpc.calls import serve

        serve(Auth, implementation=AuthService())
        serve(BulkTransfer, implementation=AccountRecords(), context="auth")
        serve(Revocations, implementation=RevocationService())
        serve(SigningKeys, implementation=SigningKeysService())
        serve(PopulationTables, implementation=POPULATION, context="auth")
