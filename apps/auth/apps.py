"""The Django app of the auth context."""

from django.apps import AppConfig

from socialapp.contracts.auth import Auth
from socialapp.contracts.bulk import BulkTransfer, PopulationTables
from socialapp.contracts.revocations import Revocations
from socialapp.contracts.signing_keys import SigningKeys
from socialapp.rpc.calls import serve


class AuthConfig(AppConfig):
    """Registers the services that auth provides to the other contexts."""

    name = "apps.auth"
    label = "identity"
    verbose_name = "Auth"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.auth.service import POPULATION, AuthBulkTransfer, AuthService, RevocationsService, SigningKeysService

        serve(Auth, implementation=AuthService())
        serve(Revocations, implementation=RevocationsService())
        serve(SigningKeys, implementation=SigningKeysService())
        serve(BulkTransfer, implementation=AuthBulkTransfer(), context="auth")
        serve(PopulationTables, implementation=POPULATION, context="auth")
